"""Escalation: which level goes off when, whom it reaches, and that each goes off once. Time is passed, never waited."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, col, select
from work_rows import item, person

from service.people.preferences import hours_from_text
from service.pipeline import reconcile
from service.review import happens
from service.route.case import Case
from service.route.clocks import Calendar, Duration, Escalation
from service.route.policy import People, Policy
from service.store.tables import Notice, User, WorkItem, WorkItemEvent
from service.work.escalation import escalate, next_level
from service.work.events import AcknowledgeEscalation
from service.work.leaving import LastAdmin, deactivate
from service.work.lifecycle import Impossible
from service.work.reach import Surroundings
from service.work.snapshot import Snapshot
from service.work.timers import tick

DUE = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)  # a Friday
HOUR = timedelta(hours=1)
POLICY = Policy(
    name="t",
    rules=(),
    groups={
        "desk": People(people=("ana",), manager="eva", fallback="spare"),
        "plain": People(people=("ana",)),
        "directors": People(people=("mia", "max")),
        "spare": People(people=("sam",)),
    },
)
OFFICE = Calendar(
    zone="UTC", hours={day: [{"opens": 540, "closes": 1020}] for day in ("mon", "tue", "wed", "thu", "fri")}
)


def level(after: str, to: str, **more: object) -> Escalation:
    return Escalation(after=Duration.from_text(after), to=to, **more)


MORNINGS = hours_from_text({"mon-fri": ["09:00-12:00"]})
LADDER = (level("2h", "owner"), level("1d", "owner.manager"), level("2d", "directors"))


def late(escalate=LADDER, hours: Calendar | None = None, **changes: object) -> WorkItem:
    kept = Snapshot(
        name="quick", hours=hours, first_due={"acknowledge": DUE, "resolve": DUE + 3 * HOUR}, escalate=escalate
    )
    return WorkItem(
        kind="ticket",
        title="t",
        body="",
        rule="r",
        **{
            "sla": kept.model_dump(mode="json"),
            "acknowledge_due_at": DUE,
            "resolve_due_at": DUE + 3 * HOUR,
            **changes,
        },
    )


def happened(*told: str) -> list[WorkItemEvent]:
    """`missed:acknowledge`, `escalated:1`, ... as history."""
    data = {"missed": lambda said: {"target": said}, "escalated": lambda said: {"level": int(said)}}
    split = [one.partition(":") for one in told]
    return [WorkItemEvent(type=kind, actor="heed", data=data[kind](said) if said else {}) for kind, _, said in split]


@pytest.mark.parametrize(
    ("changes", "history", "expected"),
    [
        ({}, [], None),
        ({}, ["missed:acknowledge"], (1, DUE + 2 * HOUR)),
        ({}, ["missed:acknowledge", "escalated:1"], (2, DUE + 24 * HOUR)),
        ({}, ["missed:acknowledge", "escalated:1", "escalated:2", "escalated:3"], None),
        ({"status": "resolved"}, ["missed:acknowledge"], None),
        ({"status": "retracted"}, ["missed:acknowledge"], None),
        ({"status": "waiting", "paused_at": DUE}, ["missed:acknowledge"], None),
        ({"acknowledge_met_at": DUE + HOUR}, ["missed:acknowledge"], None),
        # the second promise, missed later, goes on where the first one stopped
        ({"acknowledge_met_at": DUE + HOUR}, ["missed:acknowledge", "missed:resolve"], (1, DUE + 5 * HOUR)),
        (
            {"acknowledge_met_at": DUE + HOUR},
            ["missed:acknowledge", "escalated:1", "missed:resolve"],
            (2, DUE + 27 * HOUR),
        ),
        ({}, ["missed:acknowledge", "missed:resolve"], (1, DUE + 2 * HOUR)),
        ({"escalate": ()}, ["missed:acknowledge"], None),
        # four o'clock on Friday and two hours: an hour into Monday
        ({"hours": OFFICE}, ["missed:acknowledge"], (1, datetime(2026, 11, 23, 10, 0, tzinfo=UTC))),
    ],
)
def test_the_level_that_goes_off_next(changes, history, expected):
    found = next_level(late(**changes), happened(*history))

    assert (found and (found[0], found[2])) == expected


def stood_still(begin: datetime, end: datetime) -> list[WorkItemEvent]:
    return [WorkItemEvent(type="wait", actor="ana", at=begin), WorkItemEvent(type="resume", actor="ana", at=end)]


@pytest.mark.parametrize(
    ("begin", "end", "later"),
    [
        (DUE + HOUR, DUE + 9 * HOUR, 8 * HOUR),  # an hour is left, and goes on after it
        (DUE - 2 * HOUR, DUE + HOUR, HOUR),  # it stood before it was late: only what follows counts
        (DUE - 2 * HOUR, DUE - HOUR, 0 * HOUR),
        (DUE + 3 * HOUR, DUE + 9 * HOUR, 0 * HOUR),  # the level should have gone off before: it does so now
    ],
)
def test_a_level_waits_longer_by_as_much_as_the_clocks_stood_still(begin, end, later):
    number, _, moment = next_level(late(), [*happened("missed:acknowledge"), *stood_still(begin, end)])

    assert (number, moment) == (1, DUE + 2 * HOUR + later)


def test_open_time_is_what_a_pause_costs():
    # one of two hours was used when it stopped on Friday at five; from Tuesday noon on an hour is left
    history = [*happened("missed:acknowledge"), *stood_still(DUE + HOUR, datetime(2026, 11, 24, 12, 0, tzinfo=UTC))]

    assert next_level(late(hours=OFFICE), history)[2] == datetime(2026, 11, 24, 13, 0, tzinfo=UTC)


def test_an_item_that_was_restored_climbs_its_levels_from_the_first():
    before = happened("missed:acknowledge", "escalated:1", "escalated:2", "restored")

    assert next_level(late(), before) is None
    assert next_level(late(), [*before, *happened("missed:acknowledge")])[0] == 1


@pytest.mark.parametrize(
    ("stop", "stopped_by_met", "stopped_by_word"),
    [("met", True, False), ("acknowledged", False, True), ("resolved", False, False)],
)
def test_each_stop_condition_stops_its_level_and_no_other(stop, stopped_by_met, stopped_by_word):
    ladder = (level("2h", "owner", stop=stop),)
    met = next_level(late(ladder, acknowledge_met_at=DUE + HOUR), happened("missed:acknowledge"))
    word = next_level(late(ladder), happened("missed:acknowledge", "acknowledge_escalation"))
    done = next_level(late(ladder, status="resolved"), happened("missed:acknowledge"))

    assert (met is None, word is None, done) == (stopped_by_met, stopped_by_word, None)


def test_a_stopped_level_is_passed_over_for_one_that_only_the_end_stops():
    ladder = (level("2h", "owner"), level("1d", "directors", stop="resolved"))

    found = next_level(late(ladder, acknowledge_met_at=DUE + HOUR), happened("missed:acknowledge"))

    assert found == (2, ladder[1], DUE + 24 * HOUR)


def who(name: str, **settings: object) -> User:
    return User(name=name, **{"roles": ["supervisor"], **settings})


def away(name: str, substitute: str | None = None) -> User:
    return who(name, absent_from=DUE - HOUR, substitute=substitute)


CIRCLE = "they stand in for each other, and nobody is there"
ADA = who("ada", roles=["admin"])


@pytest.mark.parametrize(
    ("to", "people", "told", "because"),
    [
        ("owner", [who("ana")], ["ana"], None),
        ("owner", [away("ana", "jan"), who("jan")], ["jan"], "ana is away: told jan instead"),
        (
            "owner",
            [who("ana", active=False), ADA],
            ["ada"],
            "ana can no longer sign in, nobody stands in: told ada, an admin, instead",
        ),
        ("owner.manager", [who("ana", manager="kim"), who("kim"), who("eva")], ["kim"], None),
        ("owner.manager", [who("ana"), who("eva")], ["eva"], None),
        (
            "owner.manager",
            [away("eva", "jan"), away("jan", "kim"), who("kim")],
            ["kim"],
            "eva is away, jan is away: told kim instead",
        ),
        ("owner.manager", [ADA], ["ada"], "eva has no account: told ada, an admin, instead"),
        ("owner.manager", [who("sam"), ADA], ["sam"], "eva has no account: told sam of spare instead"),
        (
            "owner.manager",
            [away("eva", "jan"), away("jan", "eva"), ADA, who("bob", roles=["admin"])],
            ["ada", "bob"],
            f"eva is away, jan is away, {CIRCLE}: told ada and bob, the admins, instead",
        ),
        ("owner.manager.manager", [who("eva", manager="max"), who("max")], ["max"], None),
        ("owner.manager.manager", [who("eva"), ADA], ["ada"], "nobody manages eva: told ada, an admin, instead"),
        ("directors", [who("mia"), who("max")], ["mia", "max"], None),
        ("directors", [away("mia", "max"), who("max")], ["max"], "mia is away: told max instead"),
        ("directors", [away("mia"), who("max")], ["max"], "mia is away, nobody stands in"),
        ("nowhere", [ADA], ["ada"], "nowhere is no group of the item's policy: told ada, an admin, instead"),
        ("owner", [], [], "ana has no account, and there is no admin who could be told"),
    ],
)
def test_somebody_is_always_reached_and_the_detour_is_told(to, people, told, because):
    named = {one.name: one for one in people}

    reached = Surroundings("ana", "desk", POLICY, Case("shop", DUE), named, DUE).reach(to)

    assert (list(reached.people), reached.because) == (told, because)


def test_an_item_of_nobody_goes_to_the_policys_fallback():
    policy = POLICY.model_copy(update={"fallback": "directors"})
    people = {one.name: one for one in (who("mia"), ADA)}

    reached = Surroundings(None, "plain", policy, Case("shop", DUE), people, DUE).reach("owner")

    assert (reached.people, reached.because) == (("mia",), "nobody owns the item: told mia of directors instead")


@pytest.fixture
def team(database):
    with database.session() as session:
        person(session, "ana", manager="eva")
        for name in ("eva", "mia", "max"):
            person(session, name)
        person(session, "ada", roles=["admin"])
        return item(session, POLICY, DUE, escalate=LADDER).id


def levels(session, item_id) -> list[int]:
    query = select(WorkItemEvent.data).where(
        col(WorkItemEvent.work_item_id) == item_id, col(WorkItemEvent.type) == "escalated"
    )
    return [data["level"] for data in session.exec(query.order_by(col(WorkItemEvent.sequence)))]


def told(session) -> list[tuple[str, int]]:
    query = select(Notice.person, Notice.level).where(col(Notice.kind) == "escalated")
    return list(session.exec(query.order_by(col(Notice.level), col(Notice.person))))


def test_a_clock_that_jumps_over_three_levels_lets_each_go_off_once_and_in_order(database, team):
    for _ in range(2):
        with database.session() as session:
            tick(session, team, DUE + timedelta(days=30))

    with database.session() as session:
        assert levels(session, team) == [1, 2, 3]
        assert told(session) == [("ana", 1), ("eva", 2), ("max", 3), ("mia", 3)]


def test_a_crash_between_two_levels_skips_and_repeats_none(database, team):
    with database.session() as session:
        tick(session, team, DUE + 3 * HOUR)
    with Session(database.engine) as session:  # ends without a commit, as when the power fails
        tick(session, team, DUE + timedelta(days=30))
        assert levels(session, team) == [1, 2, 3]

    with database.session() as session:
        assert levels(session, team) == [1]
        tick(session, team, DUE + timedelta(days=30))
        assert levels(session, team) == [1, 2, 3]
        assert told(session) == [("ana", 1), ("eva", 2), ("max", 3), ("mia", 3)]


def test_the_same_level_a_second_time_is_nothing(database, team):
    with database.session() as session:
        row = session.get_one(WorkItem, team)
        first = escalate(session, row, 1, LADDER[0], DUE)
        assert first.data == {
            "level": 1,
            "to": "owner",
            "told": ["ana"],
            "notice": "Nobody has taken this up in time",
            "because": None,
        }
        assert escalate(session, row, 1, LADDER[0], DUE + HOUR) is None
        assert levels(session, team) == [1]
        (notice,) = session.exec(select(Notice)).all()
        assert (notice.words, notice.level) == ("Nobody has taken this up in time: Ticket: late", 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Nobody has taken this up in time"),
        ({"contact_due_at": DUE - HOUR}, "The customer was not reached in time"),
        (
            {"acknowledge_met_at": DUE, "contact_due_at": DUE + 9 * HOUR, "resolve_due_at": DUE},
            "This is not resolved in time",
        ),
        ({"acknowledge_met_at": DUE}, "A promise was not kept"),
    ],
)
def test_a_level_without_words_of_its_own_says_which_promise_is_late(database, changes, words):
    with database.session() as session:
        person(session, "ana")
        row = item(session, POLICY, DUE, **changes)
        assert escalate(session, row, 1, LADDER[0], DUE + HOUR).data["notice"] == words


def test_who_was_told_acknowledges_and_nobody_else(database, team):
    word = AcknowledgeEscalation(type="acknowledge_escalation", comment="I call them.")
    with database.session() as session:
        row = session.get_one(WorkItem, team)
        with pytest.raises(Impossible, match="Nothing about this item was escalated"):
            happens(session, row, word, actor="eva", at=DUE)
        ladder = (level("1h", "owner.manager", notice="Look"), level("3h", "directors", stop="acknowledged"))
        row.sla = {**row.sla, "escalate": [json.loads(one.model_dump_json()) for one in ladder]}
        session.add(row)
    with database.session() as session:
        tick(session, team, DUE + 2 * HOUR)
        row = session.get_one(WorkItem, team)
        with pytest.raises(Impossible, match="told to eva: one of them"):
            happens(session, row, word, actor="mia", at=DUE + 2 * HOUR)
        happens(session, row, word, actor="eva", at=DUE + 2 * HOUR)
        tick(session, team, DUE + timedelta(days=30))
    with database.session() as session:
        assert levels(session, team) == [1]
        (notice,) = session.exec(select(Notice).where(col(Notice.kind) == "escalated")).all()
        assert (notice.words, notice.acknowledged_at) == ("Look: Ticket: late", DUE + 2 * HOUR)
        last = session.exec(select(WorkItemEvent).order_by(col(WorkItemEvent.sequence).desc())).first()
        assert (last.type, last.actor, last.data) == ("acknowledge_escalation", "eva", {"comment": "I call them."})


def test_an_owner_who_leaves_hands_their_items_to_the_fallback_and_an_admin_hears_of_it(database, team):
    with database.session() as session:
        person(session, "sam")
        offered = item(session, POLICY, DUE, owner="eva", offered_to="ana", offer_due_at=DUE).id
        unplanned = item(session, POLICY, DUE, group="plain").id
        done = item(session, POLICY, DUE, status="resolved").id
        assert deactivate(session, name="ana", actor="ada", at=DUE) == 2
        assert deactivate(session, name="ana", actor="ada", at=DUE) == 0
    with database.session() as session:
        owners = [session.get_one(WorkItem, one).owner for one in (team, offered, unplanned, done)]
        assert owners == ["sam", "eva", "ada", "ana"]
        assert session.get_one(WorkItem, offered).offered_to is None
        (notice,) = session.exec(select(Notice).where(col(Notice.kind) == "owner_gone")).all()
        assert notice.person == "ada"
        assert notice.words == (
            "ana can no longer sign in: 2 open items have gone to others. Take ana out of the policy's groups."
        )
        with pytest.raises(LastAdmin, match="ada is the only admin"):
            deactivate(session, name="ada", actor="ada", at=DUE)


def test_what_came_to_somebody_while_their_account_was_being_closed_is_passed_on_once(database, team, works):
    with database.session() as session:
        person(session, "sam")
        deactivate(session, name="ana", actor="ada", at=DUE)
        came = item(session, POLICY, DUE).id
        done = item(session, POLICY, DUE, status="resolved").id
    for _ in range(2):
        reconcile(works)
    with database.session() as session:
        assert [session.get_one(WorkItem, one).owner for one in (came, done)] == ["sam", "ana"]
        given = select(WorkItemEvent.actor).where(WorkItemEvent.work_item_id == came, WorkItemEvent.type == "assign")
        assert session.exec(given).all() == ["heed"]
        words = list(session.exec(select(Notice.words).where(col(Notice.kind) == "owner_gone")))
        assert [said.partition(":")[2][:12] for said in words] == [" 1 open item"] * 2
