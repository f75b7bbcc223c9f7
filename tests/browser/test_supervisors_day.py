"""A supervisor's day in virtual time: what is not taken up is escalated, taken over, waits for its customer, ends."""

import os
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import record
from chromium import THEMES, Watched
from sites import PASSWORD, opened
from virtual_time import virtual_time

from service.people.preferences import Preferences, change

WARSAW = ZoneInfo("Europe/Warsaw")
PICTURED = (375, 1280)
POLICY = """
name: service desk
rules:
  - name: unhappy customers are called
    when: scores.nps <= 6
    then: {create: follow_up, mandatory: true, sla: calls, assign: desk, priority: high, join: 14d}
slas:
  calls:
    calendar: office
    acknowledge: 4h
    contact: 1d
    resolve: 2d
    hand_off: 2h
    escalate: [{after: 1h, to: owner}, {after: 4h, to: owner.manager, stop: acknowledged}]
calendars:
  office: {zone: Europe/Warsaw, hours: {mon-thu: ["08:30-12:30", "13:00-17:00"], fri: ["08:30-14:00"]}}
groups:
  desk: {people: [ana], manager: eva}
"""
ANSWER = record(
    "day-1",
    "The kettle arrived broken, and nobody answers my e-mails. I want my money back.",
    scores={"nps": 2},
    customer={"id": "c-4711", "tier": "gold", "email": "kim@example.com"},
    consent={"contact": True},
)

# What the item's history says, the oldest first.
HISTORY = (
    'heed made it by the rule "unhappy customers are called", for ana, .*Mon 5 Mar 2040, 10:0',
    "heed noted: the promise to acknowledge it was at risk, due Mon 5 Mar 2040, 14:30, .* 13:30",
    "heed noted: the promise to acknowledge it was missed, due Mon 5 Mar 2040, 14:30, .* 14:30",
    "heed escalated it, level 1: told ana, its owner, .* 15:30",
    "heed noted: the promise to reach the customer was at risk, due Tue 6 Mar 2040, 10:00, .*Mon 5 Mar 2040, 16:30",
    "heed escalated it, level 2: told eva, the manager of its owner, .*Tue 6 Mar 2040, 10:00",
    "heed noted: the promise to reach the customer was missed, due Tue 6 Mar 2040, 10:00, .* 10:00",
    "eva said: I see to it, .* 10:35",
    "eva took it over from ana, .* 10:35",
    "eva acknowledged it, .* 10:35",
    "eva contacted the customer by phone: reached them, .* 10:35\nKim looks for the receipt.",
    "eva let it wait for the customer, .* 10:35",
    "eva went on with it: the clock runs again, .*Wed 7 Mar 2040, 11:00",
    "eva finished it, .* 11:00\nThe money went back today.\nPacked without padding.",
)


def at(day, time):
    """A moment of the first full week of March 2040, in Warsaw: `at("mon", "10:00")`."""
    date = datetime(2040, 3, 5 + ("mon", "tue", "wed", "thu").index(day), tzinfo=WARSAW)
    hour, minute = map(int, time.split(":"))
    return date.replace(hour=hour, minute=minute)


@pytest.fixture(scope="module")
def site(migrated, vault, reader, http):
    with opened(migrated, vault, reader, http) as running:
        running.person("eva", "supervisor")
        running.use(POLICY)
        office = {"zone": "Europe/Warsaw", "hours": {"mon-fri": ["08:30-16:30"]}}
        with running.database.session() as session:
            change(session, "ana", Preferences.model_validate(office), by="test")
        yield running


@pytest.fixture
def time(site):
    with virtual_time(site, at("mon", "10:00")) as passing:
        yield passing


@pytest.fixture
def person(site, time, browser):
    """`person("eva")` is a page of her own browser."""
    pages = {}

    def sitting(name):
        if name not in pages:
            pages[name] = Watched(browser.new_context(base_url=site.url).new_page())
            pages[name].page.set_default_timeout(5_000)
        return pages[name].page

    yield sitting
    for watched in pages.values():
        assert (watched.heard, watched.dialogs) == ([], [])
        watched.page.context.close()


def sign_in(page, name):
    """Every morning: a session does not last for a night."""
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox")


def station(page, name):
    """Keep what it looks like here, where pictures are asked for."""
    folder = os.environ.get("SCREENSHOTS")
    for width in PICTURED if folder else ():
        for theme in THEMES:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=Path(folder) / f"day-{name}-{width}-{theme}.png", full_page=True)


def reads(page, *words):
    """What somebody reads on the page, in this order."""
    told = " ".join(page.locator("body").inner_text().split())
    place = 0
    for one in words:
        assert one in told[place:], f"{one!r} is not to be read in {told[place:]!r}"
        place = told.index(one, place) + len(one)


def press(page, button, then):
    """Press the button by this name that is to be seen; what is said then."""
    page.get_by_role("button", name=button, exact=True).locator("visible=true").first.click()
    page.get_by_role("status").filter(has_text=then).wait_for()


def unfold(page, name):
    page.locator("#actions summary", has_text=name).click()


def test_what_is_not_taken_up_reaches_the_manager_and_is_done(site, time, person):
    ana, eva = person("ana"), person("eva")
    sets_her_hours(eva)
    site.push([ANSWER])
    time.until(at("mon", "10:01"))
    is_told(ana)
    address = ana.url
    leaves_it(ana, time)
    is_told_in_her_hours(eva, time)
    takes_it_over(eva)
    ends_it(eva, time, address)
    reads_what_happened(eva)
    eva.goto("/service-levels")
    reads(eva, "Acknowledged", "Contacted", "Finished", "ana", "1 missed", "1 missed", "eva", "100 % in time")
    station(eva, "14-service-levels")
    eva.get_by_role("link", name="1 missed").first.click()
    assert address.endswith(eva.locator(".rows .open").get_attribute("href"))
    sign_in(ana, "ana")
    ana.goto("/notices")
    reads(ana, "Now: done; owner eva.")


def sets_her_hours(eva):
    sign_in(eva, "eva")
    eva.goto("/settings")
    eva.fill("[name=zone]", "Europe/Warsaw")
    for day in ("mon", "tue", "wed", "thu"):
        eva.fill(f"[name=hours-{day}]", "10:30-16:00")
    press(eva, "Save", "Saved.")
    station(eva, "01-settings")


def is_told(ana):
    """A customer is unhappy, and she reads by when somebody has to answer them."""
    sign_in(ana, "ana")
    reads(ana, "Notices1", "1 due today", "due in 4 h 29 m to acknowledge, by Mon 5 Mar, 14:30", "ana")
    ana.get_by_role("link", name=re.compile("Notices")).click()
    reads(ana, "given to you", "The kettle arrived broken", "due in 4 h 29 m, to acknowledge", "yours")
    station(ana, "02-told")
    ana.locator(".notices .open").click()
    reads(ana, "3 h 59 m of working time left", "Next: acknowledge it", "NPS is 2", "Acknowledge by Mon 5 Mar, 14:30")
    station(ana, "03-new")


def leaves_it(ana, time):
    """Three quarters of the time are gone, then all of it."""
    time.until(at("mon", "13:45"))
    ana.goto("/inbox?due=at_risk")
    reads(ana, "Due: at risk", "at risk, due in 45 m to acknowledge, by Mon 5 Mar, 14:30")
    station(ana, "04-at-risk")
    time.until(at("mon", "15:35"))
    ana.goto("/notices")
    reads(ana, "escalated level 1", "Nobody has taken this up in time", "missed by 1 h 5 m", "was due Mon 5 Mar, 14:30")
    station(ana, "05-missed")


def is_told_in_her_hours(eva, time):
    """Her manager is asked at ten, and told at half past ten."""
    time.until(at("tue", "10:20"))
    sign_in(eva, "eva")
    eva.goto("/notices")
    reads(eva, "Nothing yet.", "Waiting to be told", "kept for your own hours", "Tue 6 Mar 2040, 10:30")
    station(eva, "06-before-her-hours")
    time.until(at("tue", "10:35"))
    eva.goto("/notices")
    reads(eva, "Notices1", "escalated level 2", "Nobody has taken this up in time", "owner ana")
    station(eva, "07-escalated")
    eva.locator(".notices .open").click()
    reads(
        eva,
        "Next: see to it",
        "It stays with ana",
        "Level 1",
        "told ana (its owner)",
        "Level 2",
        "told eva (the manager",
    )
    station(eva, "08-what-to-do")
    press(eva, "I see to it", "Recorded: you see to it.")
    reads(eva, "Notices eva", "Level 1", "seen to by eva", "Level 2", "seen to by eva")


def takes_it_over(eva):
    """She calls, and waits for the customer."""
    unfold(eva, "Take it over")
    station(eva, "09-seen-to")
    press(eva, "Take it over", "It is yours now.")
    press(eva, "Acknowledge", "Acknowledged.")
    reads(eva, "Owner: eva", "Next: contact the customer")
    eva.get_by_label("How").select_option("by phone")
    eva.get_by_label("What came of it").first.select_option("reached the customer")
    eva.locator("#next textarea").fill("Kim looks for the receipt.")
    station(eva, "10-taken-over")
    press(eva, "Record a contact attempt", "The contact attempt is recorded.")
    unfold(eva, "Wait for the customer")
    press(eva, "Wait for the customer", "It waits: its clock stands still.")
    reads(eva, "clock stands, 7 h 25 m of working time left", "Finish later, by as long as it waits")
    station(eva, "11-waiting")


def ends_it(eva, time, address):
    """The night did not count: as much time is left as before it."""
    time.until(at("wed", "11:00"))
    sign_in(eva, "eva")
    reads(eva, "none missed, none due today", "waiting for the customer", "clock stands")
    eva.goto(address)
    press(eva, "Go on", "It goes on: its clock runs again.")
    reads(eva, "to finish, by Thu 8 Mar, 10:25 (7 h 25 m of working time left)", "Next: finish it")
    station(eva, "12-goes-on")
    eva.locator("#next [name=resolve-outcome]").fill("The money went back today.")
    eva.locator("#next [name=resolve-root_cause]").fill("Packed without padding.")
    press(eva, "Finish it", "Done.")
    reads(eva, "done", "Owner: eva", "Outcome", "The money went back today.", "Cause", "Packed without padding.")
    station(eva, "13-done")


def reads_what_happened(eva):
    told = eva.locator("ol.history[reversed] > li").all_inner_texts()
    for line, words in zip(reversed(told), HISTORY, strict=True):
        assert re.match(words, line), line
    assert eva.locator("svg.clock").get_attribute("aria-label") == (
        "Made 2 d 1 h ago; Acknowledge: was due 1 d 20 h ago, missed; Contact: was due 1 d 1 h ago, missed; "
        "Finish: due in 23 h 25 m, kept; the clock stood for 1 d."
    )
