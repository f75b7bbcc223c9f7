from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from service.work.events import Event
from service.work.lifecycle import Clock, Impossible, Item, happen, next_due, target_state

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVENTS = {
    "acknowledge": {"type": "acknowledge"},
    "assign": {"type": "assign", "owner": "jan"},
    "contact_attempt": {"type": "contact_attempt", "channel": "phone", "outcome": "reached"},
    "wait": {"type": "wait"},
    "resume": {"type": "resume"},
    "resolve": {"type": "resolve", "outcome": "refunded", "root_cause": "carrier"},
    "reopen": {"type": "reopen", "comment": "it came back"},
}
EVENT = TypeAdapter(Event)


def event(name: str, **more):
    return EVENT.validate_python({**EVENTS[name], **more})


def item(status="open", **more) -> Item:
    clock = {"acknowledge": Clock(START + 4 * HOUR), "contact": Clock(START + 8 * HOUR)}
    paused = START + HOUR if status == "waiting" else None
    made = Item(status=status, mandatory=False, resolve=Clock(START + 48 * HOUR), paused_at=paused, **clock)
    return replace(made, **more)


TABLE = {  # status -> event -> the status after it; what is not here is impossible
    "open": {
        "acknowledge": "acknowledged",
        "assign": "open",
        "contact_attempt": "open",
        "wait": "waiting",
        "resolve": "resolved",
    },
    "acknowledged": {
        "assign": "acknowledged",
        "contact_attempt": "acknowledged",
        "wait": "waiting",
        "resolve": "resolved",
    },
    "waiting": {
        "assign": "waiting",
        "contact_attempt": "waiting",
        "resume": "acknowledged",
        "resolve": "resolved",
    },
    "resolved": {"reopen": "acknowledged"},
    "retracted": {},
}


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("status", TABLE)
def test_every_event_in_every_status(status, name):
    before, now = item(status), START + 2 * HOUR
    if name in TABLE[status]:
        assert happen(before, event(name), now).status == TABLE[status][name]
    else:
        with pytest.raises(Impossible, match=f"The item is {status}; '{name}' is possible while it is") as refused:
            happen(before, event(name), now)
        assert (refused.value.type, refused.value.missing) == ("impossible-transition", ())


def at(hours: float) -> datetime:
    return START + hours * HOUR


def state(clock: Clock, hours: float, paused: float | None = None) -> str:
    return target_state(clock, START, None if paused is None else at(paused), at(hours))


@pytest.mark.parametrize(
    ("clock", "now", "paused", "expected"),
    [
        (Clock(at(4)), 0, None, "running"),
        (Clock(at(4)), 2.99, None, "running"),
        (Clock(at(4)), 3, None, "at_risk"),
        (Clock(at(4)), 4, None, "at_risk"),
        (Clock(at(4)), 4.001, None, "missed"),
        (Clock(at(4), met_at=at(4)), 99, None, "met"),
        (Clock(at(4), met_at=at(4.001)), 99, None, "missed"),
        (Clock(at(4)), 99, 2, "paused"),
        (Clock(at(4)), 99, 3.5, "paused"),
        (Clock(at(4)), 99, 4.5, "missed"),
        (Clock(at(4), met_at=at(1)), 99, 2, "met"),
        # 4 hours given, 96 waited: at risk after 3 hours of its own, not after 75 of 100
        (Clock(at(100), stood=96 * HOUR), 98.9, None, "running"),
        (Clock(at(100), stood=96 * HOUR), 99, None, "at_risk"),
        (Clock(at(100), stood=96 * HOUR), 100.1, None, "missed"),
    ],
)
def test_a_clock_reads(clock, now, paused, expected):
    assert state(clock, now, paused) == expected


def play(*steps: tuple[str, float], start: Item | None = None) -> Item:
    played = start or item()
    for name, hours in steps:
        played = happen(played, event(name), at(hours))
    return played


def test_acknowledging_meets_its_clock_alone():
    after = play(("acknowledge", 1))
    assert after.acknowledge.met_at == at(1)
    assert (after.contact.met_at, after.resolve.met_at) == (None, None)
    assert next_due(after) == at(8)


@pytest.mark.parametrize(
    ("outcome", "met"), [("reached", True), ("no_answer", False), ("failed", False), ("not_allowed", False)]
)
def test_only_a_customer_who_was_reached_meets_the_contact_clock(outcome, met):
    after = happen(item(), event("contact_attempt", outcome=outcome), at(1))
    assert after.contacted
    assert (after.contact.met_at is not None) is met


def test_who_may_not_be_contacted_can_be_finished_truthfully():
    asked = happen(item(mandatory=True), event("contact_attempt", channel="other", outcome="not_allowed"), at(1))
    after = happen(asked, event("resolve"), at(2))
    assert (after.status, after.contact.met_at) == ("resolved", None)


def test_a_second_contact_does_not_move_the_first():
    assert play(("contact_attempt", 1), ("contact_attempt", 5)).contact.met_at == at(1)


def test_a_pause_moves_what_is_still_to_be_kept_by_as_long_as_it_lasted():
    after = play(("acknowledge", 1), ("wait", 2), ("resume", 7.5))
    assert after.acknowledge == Clock(at(4), met_at=at(1))
    assert after.contact == Clock(at(13.5), stood=5.5 * HOUR)
    assert after.resolve == Clock(at(53.5), stood=5.5 * HOUR)
    assert (after.paused_at, after.wait_until) == (None, None)


def test_several_pauses_add_up():
    after = play(("acknowledge", 1), ("wait", 2), ("resume", 3), ("wait", 4), ("resume", 10))
    assert after.resolve == Clock(at(55), stood=7 * HOUR)


def test_who_waits_for_the_customer_has_seen_the_item():
    after = play(("wait", 1), ("resume", 2))
    assert (after.status, after.acknowledge.met_at) == ("acknowledged", at(1))


def test_resolving_while_waiting_ends_the_pause_first():
    after = play(("wait", 40), ("resolve", 60))
    assert after.resolve == Clock(at(68), met_at=at(60), stood=20 * HOUR)
    assert state(after.resolve, 99) == "met"
    assert (after.status, after.paused_at) == ("resolved", None)


def test_a_resolved_item_has_nothing_due():
    assert next_due(play(("resolve", 1))) is None
    assert next_due(item("retracted")) is None


def test_reopening_lets_the_promise_run_on_and_forgets_the_answer():
    after = play(("resolve", 1), ("reopen", 2))
    assert after.resolve == Clock(at(48))
    assert (after.status, after.outcome, after.root_cause) == ("acknowledged", None, None)
    assert after.acknowledge.met_at == at(1)


@pytest.mark.parametrize("hours", [-1, 0])
def test_nobody_waits_until_a_moment_that_is_over(hours):
    with pytest.raises(Impossible, match="lies in the past"):
        happen(item(), event("wait", until=at(2 + hours).isoformat()), at(2))


@pytest.mark.parametrize(
    ("contacted", "given", "missing"),
    [
        (False, {"outcome": None, "root_cause": None}, ["/contact_attempt", "/outcome", "/root_cause"]),
        (True, {"outcome": None, "root_cause": None}, ["/outcome", "/root_cause"]),
        (True, {"outcome": "refunded", "root_cause": "  "}, ["/root_cause"]),
        (True, {"outcome": "", "root_cause": "carrier"}, ["/outcome"]),
        (False, {"outcome": "refunded", "root_cause": "carrier"}, ["/contact_attempt"]),
    ],
)
def test_a_mandatory_follow_up_says_each_thing_it_lacks(contacted, given, missing):
    with pytest.raises(Impossible) as refused:
        happen(item(mandatory=True, contacted=contacted), event("resolve", **given), at(1))
    assert refused.value.type == "follow-up-incomplete"
    assert [pointer for pointer, _ in refused.value.missing] == missing


def test_a_mandatory_follow_up_is_resolved_once_all_is_there():
    after = happen(item(mandatory=True, contacted=True), event("resolve"), at(1))
    assert (after.status, after.outcome, after.root_cause) == ("resolved", "refunded", "carrier")


def test_what_is_not_mandatory_resolves_freely():
    assert happen(item(), event("resolve", outcome=None, root_cause=None), at(1)).status == "resolved"


STEPS = st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), st.integers(0, 3_000)), max_size=25)


@given(STEPS, st.booleans())
def test_no_sequence_of_events_breaks_a_promise_silently(steps, mandatory):
    now, played, stood = START, item(mandatory=mandatory), timedelta(0)
    for name, minutes in steps:
        now += timedelta(minutes=minutes)
        try:
            after = happen(played, event(name), now)
        except Impossible:
            continue
        if played.paused_at is not None and after.paused_at is None:
            stood += now - played.paused_at
        for before_clock, clock in ((played.acknowledge, after.acknowledge), (played.resolve, after.resolve)):
            moved = clock.due_at - before_clock.due_at
            assert moved == clock.stood - before_clock.stood
            assert moved == timedelta(0) or name in {"resume", "resolve"}
            assert clock.met_at is None or START <= clock.met_at <= now
        assert after.resolve == Clock(START + 48 * HOUR + stood, after.resolve.met_at, stood)
        assert (after.paused_at is not None) == (after.status == "waiting")
        assert (after.resolve.met_at is not None) == (after.status == "resolved")
        assert after.status == "open" or after.acknowledge.met_at is not None
        assert not (mandatory and after.status == "resolved") or after.contacted
        played = after
