"""Forty cards without a mouse: keys, no keys, no JavaScript, no network, and two people at once."""

import pytest
from cards import TEXTS, ask, close_all, read_texts
from chromium import Watched, stop
from sqlalchemy import text

SAVED = "#kept .state.good"


@pytest.fixture(scope="module")
def sources(filled):
    """Texts that were read, in as many sources as there are tests; read before the browser starts."""
    with filled.database.session() as session:
        session.execute(text("UPDATE label_sample SET state = 'closed'"))
    yield iter([read_texts(filled, TEXTS[:4]) for _ in range(9)])
    with filled.database.session() as session:
        session.execute(text("UPDATE label_sample SET state = 'open' WHERE source IS NULL"))


@pytest.fixture
def asking(filled, sources):
    drawn = []

    def drawing(*axes, overlap=0):
        drawn.extend(ask(filled, next(sources), *axes, overlap=overlap))

    yield drawing
    close_all(filled, drawn)


@pytest.fixture
def opening(filled, sources, browser):
    """`opening("rea")` is the labelling page in a browser of theirs."""
    watched = []

    def opened(name="rea", *, scripts=True, quiet=True):
        context = browser.new_context(base_url=filled.url, java_script_enabled=scripts)
        cookie = filled.signed_in(name).cookies["heed_session"]
        context.add_cookies([{"name": "heed_session", "value": cookie, "url": filled.url}])
        page = Watched(context.new_page())
        page.page.set_default_timeout(10_000)
        watched.append((page, quiet))
        page.page.goto("/review")
        return page.page

    yield opened
    for page, quiet in watched:
        assert page.dialogs == []
        assert not quiet or page.heard == []
        page.page.context.close()


@pytest.fixture
def kept(filled):
    """What the server has of the cards that are open or answered, newest last: who, what, and whether it was undone."""
    with filled.database.session() as session:
        since = session.execute(text("SELECT clock_timestamp()")).scalar_one()

    def read():
        with filled.database.session() as session:
            found = session.execute(
                text(
                    "SELECT labels, unsure, skip, flag, undone_at IS NOT NULL FROM human_label WHERE at >= :since"
                    " ORDER BY at, id"
                ),
                {"since": since},
            )
            return [tuple(row) for row in found]

    return read


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def answered(page, count, told="saved"):
    """Wait until the page says that so many of four are done, and what became of the last one."""
    page.locator(".pass", has_text=f"{count} of 4").filter(has=page.locator(SAVED, has_text=told)).wait_for()


def at_hand(page):
    """The keyboard is somewhere, and it is to be seen where."""
    assert stop(page) is not None


def test_cards_are_answered_by_keys_alone(opening, asking, kept):
    asking("sentiment")
    page = opening()
    press(page, "1", "2", "Enter")
    answered(page, 1)
    at_hand(page)
    press(page, "u")
    answered(page, 0, "taken back")
    at_hand(page)
    press(page, "3", "f")
    page.keyboard.type("Is 2 right? n")
    press(page, "Escape", "Enter")
    answered(page, 1)
    press(page, "n")
    answered(page, 2)
    press(page, "s", "2")
    page.locator(SAVED, has_text="skipped").wait_for()
    press(page, "s", "Tab", "Tab", "Tab", "Tab")
    page.keyboard.type("It is about me")
    press(page, "Enter")
    page.locator(".empty").wait_for()
    assert kept() == [
        (["neutral"], False, None, None, True),
        (["positive"], False, None, "Is 2 right? n", False),
        ([], True, None, None, False),
        ([], False, "I do not understand what is meant", None, False),
        ([], False, "It is about me", None, False),
    ]


def test_the_guideline_and_all_keys_are_a_key_away_and_keys_can_be_switched_off(opening, asking, kept):
    asking("sentiment")
    page = opening()
    for key, code in (("é", "Digit2"), ("г", "KeyS")):  # of a French and of a Bulgarian keyboard
        page.locator("body").dispatch_event("keydown", {"key": key, "code": code})
    assert page.locator(".answer :checked").input_value() == "neutral"
    assert page.locator(".reasons").is_visible()
    page.reload()
    press(page, "g")
    page.get_by_text("Irony counts as what is meant").wait_for()
    press(page, "g")
    assert not page.get_by_text("Irony counts as what is meant").is_visible()
    press(page, "?")
    assert page.locator("dialog#keys").get_by_text("undo the last answer").is_visible()
    press(page, "1", "Escape")
    press(page, "x", "e", "Enter")
    assert page.locator("#keys-on").is_checked(), "a key of lists did something"
    assert kept() == [], "an answer without a label was sent"
    page.locator(".me summary").press("Enter")
    page.locator("#keys-on").press("Space")
    assert not page.locator(".answer kbd").first.is_visible()
    page.locator("h1").click()
    press(page, "1", "n", "s", "Enter")
    assert page.locator(".answer :checked, .answer details[open]").count() == 0
    page.locator("[value=negative]").press("Space")
    press(page, "Enter")
    answered(page, 1)
    assert kept() == [(["negative"], False, None, None, False)]


def test_several_questions_about_a_text_are_answered_one_by_one(opening, asking, kept):
    asking("sentiment", "topic")
    page = opening()
    press(page, "j", "1", "0", "1", "w", "k", "1")
    assert page.locator(".answer.at").get_attribute("data-axis") == "sentiment"
    press(page, "Enter")
    answered(page, 0)
    at_hand(page)
    assert page.locator(".answer :checked").evaluate_all("all => all.map(one => one.value)") == [
        "billing",
        "safety and legal",
    ]
    assert kept() == [(["negative"], False, None, None, False)]
    press(page, "Enter")
    answered(page, 1)
    assert kept()[1:] == [(["billing", "safety and legal"], False, None, None, False)]
    page.get_by_role("button", name="Show what the model").press("Enter")
    page.get_by_text("It is noted that you looked.").wait_for()


def test_without_javascript(opening, asking, kept):
    asking("sentiment")
    page = opening(scripts=False)
    page.locator("[value=negative]").press("Space")
    page.keyboard.press("Enter")
    answered(page, 1)
    page.get_by_role("button", name="Undo").press("Enter")
    answered(page, 0, "taken back")
    page.get_by_role("button", name="Not sure").press("Enter")
    answered(page, 1, "not sure")
    page.locator("summary", has_text="Skip it").press("Enter")
    page.get_by_label("Another reason").fill("It is about me")
    page.keyboard.press("Enter")
    page.locator(SAVED, has_text="skipped").wait_for()
    assert [(labels, unsure, skip) for labels, unsure, skip, *_ in kept()] == [
        (["negative"], False, None),
        ([], True, None),
        ([], False, "It is about me"),
    ]


def test_an_answer_without_a_network_is_kept_and_saved_once(opening, asking, kept):
    asking("sentiment")
    page = opening(quiet=False)
    other = page.context.new_page()
    other.goto("/review")
    page.context.set_offline(True)
    press(page, "1", "Enter")
    page.get_by_text("waiting for the network: kept on this device").wait_for()
    press(other, "2", "Enter")
    other.get_by_text("kept on this device").wait_for()
    assert kept() == []
    page.context.set_offline(False)
    for tab in (page, other):
        tab.locator(".pass", has_text="1 of 4").wait_for()
    assert [said for said in kept() if not said[-1]] == [(["neutral"], False, None, None, False)]


def test_an_answer_waits_for_who_gave_it_and_goes_with_their_signing_out(opening, asking, filled, kept):
    asking("sentiment")
    if "rob" not in {name for (name,) in people(filled)}:
        filled.person("rob", "reviewer")
    page = opening(quiet=False)

    def signed_in(name):
        cookie = filled.signed_in(name).cookies["heed_session"]
        page.context.add_cookies([{"name": "heed_session", "value": cookie, "url": filled.url}])
        page.goto("/review")

    page.context.clear_cookies()
    press(page, "1", "Enter")
    page.get_by_role("link", name="sign in again").click()
    page.wait_for_url("**/sign-in?next=%2Freview")
    signed_in("rob")
    assert (page.evaluate("localStorage.length"), kept()) == (1, [])
    signed_in("rea")
    answered(page, 1)
    page.route("**/review/cards/*", lambda route: route.fulfill(body="<p>Welcome on this train</p>"))
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full') } }")
    press(page, "2", "Enter")
    page.get_by_text("waiting for the network: do not close this page").wait_for()
    page.locator(".me summary").press("Enter")
    page.get_by_role("button", name="Sign out").press("Enter")
    page.get_by_text("an answer is not saved yet").wait_for()
    page.get_by_role("button", name="Sign out").press("Enter")
    page.wait_for_url("**/sign-in")
    assert page.evaluate("localStorage.length") == 0
    assert kept() == [(["negative"], False, None, None, False)]


def test_an_answer_whose_confirmation_is_lost_is_saved_once_after_a_reload(opening, asking, kept):
    asking("sentiment")
    page = opening(quiet=False)

    def lose(route):
        route.fetch(max_redirects=0)
        route.abort()

    page.route("**/review/cards/*", lose)
    press(page, "1", "Enter")
    page.get_by_text("waiting for the network: kept on this device").wait_for()
    assert kept() == [(["negative"], False, None, None, False)]
    page.unroute("**/review/cards/*")
    page.reload()
    answered(page, 1)
    assert kept() == [(["negative"], False, None, None, False)]
    assert page.evaluate("localStorage.length") == 0


def test_an_answer_that_waits_is_taken_back_before_and_after_it_came_through(opening, asking, kept):
    asking("sentiment")
    page = opening(quiet=False)
    press(page, "3", "Enter")
    answered(page, 1)

    def lose(route):
        route.fetch(max_redirects=0)
        route.abort()

    page.route("**/review/cards/*", lose)
    press(page, "1", "Enter")
    page.get_by_text("waiting for the network: kept on this device").wait_for()
    page.unroute("**/review/cards/*")
    press(page, "u")
    answered(page, 1, "taken back")
    press(page, "2", "Enter")
    answered(page, 2)
    assert [(labels, undone) for labels, *_, undone in kept()] == [
        (["positive"], False),
        (["negative"], True),
        (["neutral"], False),
    ]


def test_two_people_at_once_never_hold_the_same_card(opening, asking, filled, kept):
    asking("sentiment")
    if "rob" not in {name for (name,) in people(filled)}:
        filled.person("rob", "reviewer")
    rea, rob = opening("rea"), opening("rob")
    for count in (1, 2):
        held = {page.locator(".answer").get_attribute("id") for page in (rea, rob)}
        assert len(held) == 2
        for page in (rea, rob):
            press(page, "1", "Enter")
        for page in (rea, rob):
            page.locator(".empty" if count == 2 else SAVED).wait_for()
    assert len(kept()) == 4


def people(site):
    with site.database.session() as session:
        return session.execute(text('SELECT name FROM "user"')).all()
