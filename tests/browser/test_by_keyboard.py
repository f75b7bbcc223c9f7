"""A supervisor's morning without a mouse, with and without JavaScript: sign in, look, acknowledge, call, resolve."""

import re

import pytest
from chromium import Watched, stop
from processes import wait_for
from sites import PASSWORD
from sqlmodel import Session, select

from service.store.tables import WorkItem, WorkItemEvent

_LINE = "[...document.querySelectorAll('.rows > li')].findIndex(one => one.contains(document.activeElement))"


@pytest.fixture
def opening(filled, browser):
    """`opening(scripts=False)` is a page of a browser in which JavaScript is switched off."""
    opened_pages = []

    def made(*, scripts):
        context = browser.new_context(base_url=filled.url, java_script_enabled=scripts)
        opened_pages.append(Watched(context.new_page()))
        opened_pages[-1].page.set_default_timeout(10_000)
        return opened_pages[-1].page

    yield made
    for watched in opened_pages:
        assert (watched.heard, watched.dialogs) == ([], [])
        watched.page.context.close()


@pytest.fixture
def page(opening):
    return opening(scripts=True)


def focus(page):
    """Where the keyboard is; it is never nowhere."""
    at = stop(page)
    assert at is not None, "the focus is lost"
    return at


def walk_to(page, selector):
    """Press Tab until what the selector names has the focus."""
    wanted = page.locator(selector).first
    wanted.wait_for()
    for _ in range(150):
        page.keyboard.press("Tab")
        stop(page)
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"Tab never comes to {selector}")


def sign_in(page, name, room):
    page.goto("/")
    walk_to(page, "[name=username]")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{room}")


def line(page):
    """Which line of a list the keyboard is at, from 0; -1 for none."""
    return page.evaluate(_LINE)


def item_of(site, page):
    with Session(site.database.engine) as session:
        return session.get(WorkItem, page.url.rpartition("/")[2].partition("?")[0])


def events(site, item):
    with Session(site.database.engine) as session:
        found = select(WorkItemEvent).where(WorkItemEvent.work_item_id == item.id).order_by(WorkItemEvent.sequence)
        return [event.type for event in session.exec(found)]


# The one next action of the page, again and again: what is typed into it, its button, and what is said then.
STEPS = (
    ({}, "Acknowledge", "Acknowledged."),
    (
        {"channel": "email", "outcome": "no_answer", "comment": "Left a message."},
        "Record a contact attempt",
        "The contact attempt is recorded.",
    ),
    ({"outcome": "A new parcel.", "root_cause": "Lost on the way."}, "Finish it", "Done."),
)


def choose(page, selector, value):
    """A value of a list by keyboard alone: closed lists go down with the arrow."""
    for _ in range(20):
        if page.locator(selector).first.input_value() == value:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{selector} has no {value}")


def test_lines_are_walked_with_j_and_k_and_opened_with_enter(page):
    sign_in(page, "pia", "/backlog")
    seen = []
    for key in ("j", "j", "k", "k", "j"):
        page.keyboard.press(key)
        focus(page)
        seen.append(line(page))
    assert seen == [0, 1, 0, 0, 1]
    wanted = page.locator(".rows > li .open").nth(1).get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{wanted}")
    page.go_back()
    page.wait_for_url("**/backlog")


def test_the_first_stop_skips_to_the_content(page):
    sign_in(page, "pia", "/backlog")
    page.keyboard.press("Tab")
    assert "Skip to the content" in focus(page)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    focus(page)


def test_the_keys_are_shown_and_can_be_switched_off(page):
    sign_in(page, "pia", "/backlog")
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    assert page.locator("dialog#keys kbd").all_inner_texts()[:2] == ["j", "k"]
    page.keyboard.press("Escape")
    assert not page.locator("dialog#keys").is_visible()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    focus(page)
    page.keyboard.type("/ ?j")  # typing is typing
    assert page.locator("#find").input_value() == "/ ?j"
    walk_to(page, ".me summary")
    page.keyboard.press("Enter")
    walk_to(page, "#keys-on")
    page.keyboard.press("Space")
    page.goto("/backlog")
    for key in ("j", "/", "?"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement === document.body")
    assert not page.locator("dialog#keys").is_visible()
    walk_to(page, ".me summary")
    page.keyboard.press("Enter")
    walk_to(page, "#keys-on")
    page.keyboard.press("Space")
    page.goto("/backlog")
    page.keyboard.press("j")
    assert line(page) == 0


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_a_list_is_narrowed_and_widened_again(opening, scripts):
    page = opening(scripts=scripts)
    sign_in(page, "pia", "/backlog")
    everything = page.locator(".rows > li").count()
    words = max(re.findall(r"[a-z]+", page.locator(".rows .open").first.inner_text()), key=len)
    walk_to(page, "#f-words")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**words={words}*")
    page.locator("a.button", has_text="Show everything").wait_for()
    assert 0 < page.locator(".rows > li").count() < everything
    if scripts:
        focus(page)
    walk_to(page, "a.button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/backlog")
    page.locator("a.button", has_text="Show everything").wait_for(state="detached")
    assert page.locator(".rows > li").count() == everything
    if scripts:
        focus(page)
        page.keyboard.press("j")
        assert line(page) >= 0


def test_signing_out_by_keyboard(page):
    sign_in(page, "pia", "/backlog")
    walk_to(page, ".me summary")
    page.keyboard.press("Enter")
    walk_to(page, ".me form button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in")
    page.goto("/backlog")
    assert page.url.endswith("/sign-in?next=%2Fbacklog")


def mandatory(site, page):
    """The first line of the inbox that is a follow-up which must be done."""
    with Session(site.database.engine) as session:
        asked = WorkItem.kind == "follow_up", WorkItem.mandatory.is_(True), WorkItem.status == "open"
        wanted = {f"/work-items/{found}" for found in session.exec(select(WorkItem.id).where(*asked))}
    shown = [one.get_attribute("href") for one in page.locator(".rows .open").all()]
    return next(address for address in shown if address in wanted)


def go_to_line(page, address, *, scripts):
    """With the keys of lists, where there are any."""
    if not scripts:
        walk_to(page, f".rows .open[href='{address}']")
        return
    while page.evaluate("document.activeElement.getAttribute('href')") != address:
        before = line(page)
        page.keyboard.press("j")
        focus(page)
        assert line(page) == before + 1


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_a_follow_up_is_taken_up_called_and_resolved(opening, filled, scripts):
    page = opening(scripts=scripts)
    sign_in(page, "ana", "/inbox")
    go_to_line(page, mandatory(filled, page), scripts=scripts)
    page.keyboard.press("Enter")
    page.wait_for_url("**/work-items/*")
    item = item_of(filled, page)
    for fields, button, then in STEPS:
        for name, typed in fields.items():
            place = f"#next [name$=-{name}]"
            walk_to(page, place)
            if page.locator(place).evaluate("one => one.tagName") == "SELECT":
                choose(page, place, typed)
            else:
                page.keyboard.type(typed)
        walk_to(page, f"#next button:has-text('{button}')")
        page.keyboard.press("Enter")
        page.get_by_role("status").filter(has_text=then).wait_for()
        if scripts:
            focus(page)
    assert events(filled, item)[1:] == ["acknowledge", "contact_attempt", "resolve"]
    assert item_of(filled, page).root_cause == "Lost on the way."


def test_e_acknowledges_the_line_the_keyboard_is_at(page, filled):
    sign_in(page, "ana", "/inbox")
    page.keyboard.press("j")
    page.keyboard.press("j")
    with Session(filled.database.engine) as session:
        wanted = page.locator(".rows > li .open").nth(1).get_attribute("href").rpartition("/")[2]
        item = session.get(WorkItem, wanted)
    page.keyboard.press("e")
    wait_for(lambda: "acknowledge" in events(filled, item), 10, "e acknowledges")
    page.locator(".busy").wait_for(state="detached")
    focus(page)
