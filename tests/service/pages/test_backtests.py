"""The pages of backtests: asked for, followed, cancelled; numbers that open their cases, and a chart."""

from datetime import date, timedelta

import pytest
from builders import record
from seen import seen

from service.backtest.result import DayLine, KindLine, Promises, Queue, Result
from service.pages.backtest_chart import HEIGHT, WIDTH, chart, summary
from service.store.tables import now

POLICY = """
name: past
rules:
  - name: low
    when: scores.nps <= {}
    then: {{create: follow_up, sla: quick, assign: desk}}
slas:
  quick: {{acknowledge: 4h}}
groups:
  desk: {{people: [ana], capacity: 1}}
"""


@pytest.fixture(scope="module")
def versions(site):
    """The version that decides, and one that makes fewer items of the same answers."""
    deciding = site.use(POLICY.format(6))
    site.push([record(f"b-{score}", "Late again.", scores={"nps": score}) for score in range(8)])
    site.drain()
    made = site.api().post("/v1/policies", content=POLICY.format(3))
    return deciding, made.json()["version"]


def asked(site, version, **fields):
    today = now().date()
    period = {"since": (today - timedelta(days=3)).isoformat(), "until": today.isoformat()}
    return site.form(site.visitor("admin"), f"/policies/{version}/backtest", "/settings", **period | fields)


def test_a_backtest_is_followed_and_its_numbers_open_their_cases(site, versions):
    address = asked(site, versions[1]).headers["location"]
    admin = site.visitor("admin")
    running = admin.get(address)
    assert "data-refresh" in running.text
    assert "Cancel it" in seen(running)
    site.drain()
    page = admin.get(address)
    told = seen(page)
    assert (
        "Of 8 answers, 3 would be treated otherwise: 3 items would vanish. Most of it: 4 follow-ups instead of 7."
        in told
    )
    assert "ana 7 4 0 3 0 7 → 4 1 1 → 1" in told
    assert "Everybody works at one item at a time" in told
    cases = admin.get(f"{address}/cases?kind=follow_up&rule=low&change=vanishes")
    assert "Follow-ups that would vanish" in seen(cases)
    assert cases.text.count('<a class="open" href="/feedback/') == 3
    assert admin.get(f"{address}/cases?change=appears").text.count('class="open"') == 0
    assert f"{address}/cases?kind=follow_up&amp;change=vanishes" in page.text
    assert "done" in seen(admin.get(f"/policies/{versions[1]}/backtest"))


def test_a_backtest_is_cancelled_once(site, versions):
    address = asked(site, versions[1]).headers["location"]
    admin = site.visitor("admin")
    assert site.form(admin, f"{address}/cancel", "/settings").headers["location"] == f"{address}?done=cancelled"
    assert "Cancelled by ada." in seen(admin.get(address))
    assert site.form(admin, f"{address}/cancel", "/settings").headers["location"] == address
    site.drain()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"since": ""}, "Give a day."),
        ({"since": "2026-05-02", "until": "2026-05-01"}, "The period ends before it begins"),
        ({"against": "77777"}, "There is no policy of version 77777"),
        ({"minutes-ticket": "0"}, "A whole number of minutes"),
    ],
)
def test_what_cannot_be_says_why(site, versions, fields, wrong):
    page = asked(site, versions[1], **fields)
    assert page.status_code == 422
    assert wrong in seen(page)


FIRST = date(2026, 3, 1)


def result(days, **changes):
    nothing = Queue(handling={}, missed_now=0, missed_then=0, misses=(), assumptions=())
    given = {
        "records": 400,
        "unread": 0,
        "differing": 0,
        "kinds": (),
        "rules": (),
        "owners": (),
        "days": tuple(DayLine(day=FIRST + timedelta(days=at), kind="ticket", now=n, then=t) for at, n, t in days),
        "load": (),
        "queue": nothing,
        "promises": Promises(sentence="Nothing is certified."),
        "assumptions": (),
        "cases": 0,
        "seconds": 1,
        "processes": 1,
    }
    return Result(**given | changes)


def test_the_chart_begins_at_zero_and_shows_days_without_items():
    drawn = chart(result([(0, 3, 5), (3, 40, 0)]), FIRST, FIRST + timedelta(days=4))
    assert [(point.now, point.then) for point in drawn.points] == [(3, 5), (0, 0), (0, 0), (40, 0), (0, 0)]
    assert [tick.label for tick in drawn.up] == ["0", "20", "40"]
    places = [tuple(map(float, pair.split(","))) for pair in drawn.now.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert places[1][1] == drawn.up[0].at
    assert abs(drawn.now_label - drawn.then_label) >= 16


@pytest.mark.parametrize(("days", "unit", "points"), [(1, "day", 1), (120, "day", 120), (364, "week", 52)])
def test_a_long_period_is_shown_week_by_week_and_nothing_is_lost(days, unit, points):
    drawn = chart(result([(at, 1, 2) for at in range(days)]), FIRST, FIRST + timedelta(days=days - 1))
    assert (drawn.unit, len(drawn.points)) == (unit, points)
    assert sum(point.now for point in drawn.points) == days


def test_an_empty_period_has_a_chart_and_a_sentence():
    assert chart(result([]), FIRST, FIRST).up[-1].label == "2"
    assert summary(result([])) == "Nothing would change: both versions make the same of all 400 answers."


def test_the_sentence_names_what_moves_most():
    kinds = (
        KindLine(kind="ticket", now=67, then=41, appears=1, vanishes=27),
        KindLine(kind="review", now=2, then=3, appears=1),
    )
    assert summary(result([], differing=29, kinds=kinds)) == (
        "Of 400 answers, 29 would be treated otherwise: 2 items would appear and 27 items would vanish. "
        "Most of it: 41 tickets instead of 67."
    )
