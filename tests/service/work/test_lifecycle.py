from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from service.route.business_time import PLAIN_TIME, time_on
from service.route.clocks import DAYS, Calendar, Interval
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
    "wrong_routing": {"type": "wrong_routing", "comment": "it is irony"},
}
EVENT = TypeAdapter(Event)


def event(name: str, **more):
    return EVENT.validate_python({**EVENTS[name], **more})


def at(hours: float) -> datetime:
    return START + hours * HOUR


def clock(due: float, risk: float | None = None, met: float | None = None) -> Clock:
    """A promise by the hours it was given, at risk after three quarters of them."""
    return Clock(at(due), at(0.75 * due if risk is None else risk), None if met is None else at(met))


def item(status="open", **more) -> Item:
    paused = START + HOUR if status == "waiting" else None
    clocks = {"acknowledge": clock(4), "contact": clock(8), "resolve": clock(48)}
    return replace(Item(status=status, mandatory=False, paused_at=paused, **clocks), **more)


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
    if name == "wrong_routing":
        assert happen(before, event(name), now) == before
    elif name in TABLE[status]:
        assert happen(before, event(name), now).status == TABLE[status][name]
    else:
        with pytest.raises(Impossible, match=f"The item is {status}; '{name}' is possible while it is") as refused:
            happen(before, event(name), now)
        assert (refused.value.type, refused.value.missing) == ("impossible-transition", ())


def state(clock: Clock, hours: float, paused: float | None = None) -> str:
    return target_state(clock, None if paused is None else at(paused), at(hours))


@pytest.mark.parametrize(
    ("clock", "now", "paused", "expected"),
    [
        (clock(4), 0, None, "running"),
        (clock(4), 2.99, None, "running"),
        (clock(4), 3, None, "at_risk"),
        (clock(4), 4, None, "at_risk"),
        (clock(4), 4.001, None, "missed"),
        (clock(4, met=4), 99, None, "met"),
        (clock(4, met=4.001), 99, None, "missed"),
        (clock(4), 99, 2, "paused"),
        (clock(4), 99, 3.5, "paused"),
        (clock(4), 99, 4.5, "missed"),
        (clock(4, met=1), 99, 2, "met"),
        # 4 hours given, 96 waited: at risk after 3 hours of its own, not after 75 of 100
        (clock(100, risk=99), 98.9, None, "running"),
        (clock(100, risk=99), 99, None, "at_risk"),
        (clock(100, risk=99), 100.1, None, "missed"),
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
    assert after.acknowledge == clock(4, met=1)
    assert after.contact == clock(13.5, risk=11.5)
    assert after.resolve == clock(53.5, risk=41.5)
    assert (after.paused_at, after.wait_until) == (None, None)


def test_several_pauses_add_up():
    after = play(("acknowledge", 1), ("wait", 2), ("resume", 3), ("wait", 4), ("resume", 10))
    assert after.resolve == clock(55, risk=43)


def test_a_promise_that_was_missed_stays_missed_over_a_pause():
    assert play(("wait", 9), ("resume", 20)).contact == clock(8)
    assert state(play(("wait", 9), ("resume", 20)).contact, 20) == "missed"


OFFICE = Calendar(
    zone="UTC", hours={day: (Interval.from_text("09:00-17:00"),) for day in DAYS[:5]}
)  # START is a Friday


@pytest.mark.parametrize(
    ("due", "paused", "resumed", "expected"),
    [  # hours after Friday, 10:00; Monday's opening is hour 71, Tuesday's 95
        (4, 2, 3, 5),
        (4, 2, 6, 72),  # from Friday 12:00 to 16:00; two hours are left: one on Friday, one on Monday
        (4, 2, 40, 73),  # until Sunday: from Monday's opening on
        (4, 2, 71, 73),
        (4, 2, 80, 97),  # until Monday evening
        (73, 9, 20, 73),  # a pause outside the hours takes nothing
        (95, 90, 92, 95),  # due at an opening stays there
        (95, 90, 98, 98),  # nothing was left
    ],
)
def test_after_a_pause_as_much_open_time_is_left_as_before(due, paused, resumed, expected):
    time = time_on(OFFICE)
    risk = time.later(START, 0.75 * time.between(START, at(due)))
    before = item("acknowledged", resolve=Clock(at(due), risk), time=time)
    after = play(("wait", paused), ("resume", resumed), start=before).resolve
    assert after.due_at == at(expected)
    assert time.between(after.at_risk_at, after.due_at) == time.between(risk, at(due))
    assert after.at_risk_at <= after.due_at


def test_who_waits_for_the_customer_has_seen_the_item():
    after = play(("wait", 1), ("resume", 2))
    assert (after.status, after.acknowledge.met_at) == ("acknowledged", at(1))


def test_resolving_while_waiting_ends_the_pause_first():
    after = play(("wait", 40), ("resolve", 60))
    assert after.resolve == clock(68, risk=56, met=60)
    assert state(after.resolve, 99) == "met"
    assert (after.status, after.paused_at) == ("resolved", None)


def test_a_resolved_item_has_nothing_due():
    assert next_due(play(("resolve", 1))) is None
    assert next_due(item("retracted")) is None


def test_reopening_lets_the_promise_run_on_and_forgets_the_answer():
    after = play(("resolve", 1), ("reopen", 2))
    assert after.resolve == clock(48)
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


@given(STEPS, st.booleans(), st.sampled_from([PLAIN_TIME, time_on(OFFICE)]))
def test_no_sequence_of_events_breaks_a_promise_silently(steps, mandatory, time):
    now, played, stood = START, item(mandatory=mandatory, time=time), timedelta(0)
    first, reserve = played.resolve, time.between(played.resolve.at_risk_at, played.resolve.due_at)
    for name, minutes in steps:
        now += timedelta(minutes=minutes)
        try:
            after = happen(played, event(name), now)
        except Impossible:
            continue
        if played.paused_at is not None and after.paused_at is None and played.paused_at <= played.resolve.due_at:
            stood += time.between(played.paused_at, now)
        for before_clock, clock in ((played.acknowledge, after.acknowledge), (played.resolve, after.resolve)):
            moved = clock.due_at - before_clock.due_at
            assert moved == timedelta(0) or (moved > timedelta(0) and name in {"resume", "resolve"})
            assert clock.met_at is None or START <= clock.met_at <= now
        assert time.between(after.resolve.at_risk_at, after.resolve.due_at) == reserve
        assert time.between(START, after.resolve.due_at) == time.between(START, first.due_at) + stood
        assert (after.paused_at is not None) == (after.status == "waiting")
        assert (after.resolve.met_at is not None) == (after.status == "resolved")
        assert after.status == "open" or after.acknowledge.met_at is not None
        assert not (mandatory and after.status == "resolved") or after.contacted
        played = after
