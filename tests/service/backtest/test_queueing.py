"""The queue simulation against examples worked by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from service.backtest.queueing import HANDLING, Arrival, Lane, Simulation
from service.route.business_time import time_on
from service.route.clocks import Calendar, Interval

OFFICE = Calendar(zone="UTC", hours=dict.fromkeys(("mon", "tue"), (Interval(opens=540, closes=600),)))  # 09:00-10:00
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def at(clock: str) -> datetime:
    """`09:30`, or `2d 09:30` for a later day; counted from Monday."""
    day, _, time = clock.rpartition(" ")
    hours, minutes = time.split(":")
    return MONDAY + timedelta(days=int(day.rstrip("d") or 0), hours=int(hours), minutes=int(minutes))


def item(comes: str, *due: str, people: str = "ana", kind: str = "follow_up", calendar: str = "always") -> Arrival:
    """An item with its targets (`-` for none) for acknowledging, contact and resolving."""
    moments = tuple(None if one == "-" else at(one) for one in due)
    return Arrival(at(comes), Lane(kind, tuple(people.split()), "sla", calendar, None), moments)


def missed(*items: Arrival) -> dict[tuple[str | None, str], tuple[int, int]]:
    simulation = Simulation(lambda lane: time_on(OFFICE if lane.calendar == "office" else None), HANDLING)
    for one in items:
        simulation.arrive(one)
    return {(one.owner, one.target): (kept.missed, kept.items) for one, kept in simulation.finish().items()}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([item("09:00", "09:00", "09:20", "09:20")], 0, id="begun at once, done after 20 minutes"),
        pytest.param([item("09:00", "-", "09:19", "09:19")], 2, id="a minute too little to get it done"),
        pytest.param(
            [item("09:00", "-", "-", "12:00"), item("09:05", "09:19", "-", "-")], 1, id="busy until 09:20, so late"
        ),
        pytest.param(
            [item("09:00", "-", "-", "12:00"), item("09:01", "-", "-", "11:00"), item("09:02", "-", "-", "09:40")],
            0,
            id="what is due first goes before what came first",
        ),
        pytest.param(
            [item("09:00", "09:01", "-", "-", people="ana jan"), item("09:00", "09:01", "-", "-", people="ana jan")],
            0,
            id="two people share the work",
        ),
        pytest.param([item("08:00", "09:00", "-", "-", calendar="office")], 0, id="begun when the office opens"),
        pytest.param([item("09:50", "-", "-", "1d 09:10", calendar="office")], 0, id="half of it on the morning after"),
        pytest.param([item("09:50", "-", "-", "1d 09:09", calendar="office")], 1, id="a minute more than that"),
        pytest.param([item("09:00", "-", "-", "09:44", kind="quality_case")], 1, id="a quality case takes 45 minutes"),
        pytest.param([item("09:00", "12:00", "12:00", "12:00", people="")], 3, id="of nobody: nothing happens"),
        pytest.param([item("09:00", "-", "-", "-")], 0, id="nothing promised, nothing missed"),
    ],
)
def test_missed_targets(items, expected):
    assert sum(late for late, _ in missed(*items).values()) == expected


def test_every_promise_is_counted_for_its_owner_and_target():
    told = missed(item("09:00", "09:00", "09:10", "10:00"), item("09:00", "09:00", "-", "10:00", people="jan"))
    assert told == {
        ("ana", "acknowledge"): (0, 1),
        ("ana", "contact"): (1, 1),
        ("ana", "resolve"): (0, 1),
        ("jan", "acknowledge"): (0, 1),
        ("jan", "resolve"): (0, 1),
    }
