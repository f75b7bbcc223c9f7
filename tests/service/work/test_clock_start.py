"""The clocks of a new item, and what it keeps of its service level."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.route.decide import Plan
from service.route.policy import Policy
from service.route.policy_document import check
from service.store.tables import WorkItem
from service.work.clock_start import Started, start
from service.work.lifecycle import Clock
from service.work.snapshot import clocks

POLICY = """
name: clocks
rules: [{name: r, when: scores.nps <= 6, then: {create: ticket, sla: office}}]
slas:
  office: {calendar: emea, acknowledge: 4h, resolve: 2d, hand_off: 2h, tiers: {gold: {acknowledge: 30m}},
    kinds: {ticket: {contact: 8h}}, escalate: [{after: 1d, to: owner.manager}]}
  theirs: {calendar: local, acknowledge: 1h}
  plain: {resolve: 4h}
calendars:
  emea: {zone: Europe/Warsaw, hours: {mon-fri: ["09:00-17:00"]}, holidays: PL}
  local: {zone: owner, hours: {mon-fri: ["09:00-17:00"]}}
"""
FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=ZoneInfo("Europe/Warsaw"))


@pytest.fixture(scope="module")
def policy() -> Policy:
    return check(POLICY, []).policy


def planned(sla: str | None, kind: str = "follow_up") -> Plan:
    return Plan(
        kind=kind, rules=("r",), mandatory=False, sla=sla, priority="normal", tags=(), group=None, deliver=(), key=()
    )


def begun(policy: Policy, sla: str | None, kind: str = "follow_up", tier: str | None = None, zone: str | None = None):
    return start(policy, planned(sla, kind), tier=tier, zone=zone, at=FRIDAY)


def local(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo('Europe/Warsaw')):%a %H:%M}"


@pytest.mark.parametrize(
    ("kind", "tier", "due", "at_risk"),
    [
        ("follow_up", None, {"acknowledge": "Mon 11:00", "resolve": "Tue 15:00"}, ["Mon 10:00", "Tue 11:00"]),
        ("follow_up", "gold", {"acknowledge": "Fri 15:30", "resolve": "Tue 15:00"}, ["Fri 15:22", "Tue 11:00"]),
        (
            "ticket",
            None,
            {"acknowledge": "Mon 11:00", "contact": "Mon 15:00", "resolve": "Tue 15:00"},
            ["Mon 10:00", "Mon 13:00", "Tue 11:00"],
        ),
    ],
)
def test_targets_by_kind_and_tier_in_business_time(policy, kind, tier, due, at_risk):
    started = begun(policy, "office", kind, tier)
    assert {name: local(moment) for name, moment in started.due.items()} == due
    assert [local(moment) for moment in started.snapshot.at_risk.values()] == at_risk
    assert started.tick_at == min(started.snapshot.at_risk.values())


def test_an_item_keeps_the_whole_promise(policy):
    kept = begun(policy, "office").snapshot
    assert type(kept).model_validate(kept.model_dump(mode="json")) == kept
    assert (kept.name, kept.calendar, kept.hours.zone, kept.hours.holidays) == ("office", "emea", "Europe/Warsaw", "PL")
    assert (kept.hand_off.amount, kept.escalate[0].to, kept.notes) == (2, "owner.manager", ())


def test_always_needs_no_calendar(policy):
    started = begun(policy, "plain")
    assert started.due == {"resolve": FRIDAY + timedelta(hours=4)}
    assert started.snapshot.at_risk == {"resolve": FRIDAY + timedelta(hours=3)}
    assert started.snapshot.hours is None


def test_a_calendar_that_is_never_open_long_enough_gives_way_to_plain_time(policy):
    closed = {name: calendar.model_copy(update={"hours": {}}) for name, calendar in policy.calendars.items()}
    started = begun(policy.model_copy(update={"calendars": closed}), "theirs")
    assert started.due == {"acknowledge": FRIDAY + timedelta(hours=1)}
    assert (started.snapshot.calendar, started.snapshot.hours) == ("always", None)
    assert started.snapshot.notes == (
        "The calendar local is never open for as long as theirs asks: its time runs day and night.",
    )


def test_without_a_service_level_no_clock_runs(policy):
    assert begun(policy, None) == Started()


@pytest.mark.parametrize(
    ("zone", "due", "note"),
    [
        ("America/New_York", "2026-11-20T15:00:00", None),  # nine in the morning there
        ("Asia/Tokyo", "2026-11-23T01:00:00", None),
        (None, "2026-11-20T15:00:00", "but there is none: its hours are in UTC"),
        ("Moon/Base", "2026-11-20T15:00:00", "but Moon/Base is no time zone: its hours are in UTC"),
    ],
)
def test_a_calendar_may_go_by_its_owner(policy, zone, due, note):
    started = begun(policy, "theirs", zone=zone)
    assert started.due["acknowledge"] == datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert started.snapshot.hours.zone == (zone if note is None else "UTC")
    assert [note in said for said in started.snapshot.notes] == ([] if note is None else [True])


def test_what_was_kept_before_there_were_calendars_is_read():
    old = {
        "name": "standard",
        "first_due": {"resolve": "2026-11-20T14:00:00+00:00"},
        "calendar": "always",
        "acknowledge": None,
        "contact": None,
        "resolve": {"amount": 4, "unit": "h"},
        "escalate": [{"after": {"amount": 4, "unit": "h"}, "to": "owner.manager"}],
    }
    made = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    row = WorkItem(sla=old, created_at=made, resolve_due_at=made + timedelta(hours=4))
    assert clocks(row) == (None, None, Clock(made + timedelta(hours=4), made + timedelta(hours=3)))
    row.resolve_due_at += timedelta(hours=10)  # after a pause
    assert clocks(row)[2] == Clock(made + timedelta(hours=14), made + timedelta(hours=13))
