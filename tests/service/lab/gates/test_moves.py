"""What passes by itself is changed by people with names and reasons, and loosened by two of them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from proofs import proof
from sqlmodel import Session, select

from service.lab.gates import moves
from service.lab.gates.changes import GateNotNow, InvalidChange, OwnChange, UnknownGate
from service.lab.gates.in_force import Scope, in_use
from service.store.lab_tables import Certificate, GateChange, GateHold
from service.store.tables import AuditEvent, now

NEGATIVE = ("sentiment", "negative")


@pytest.fixture
def session(database):
    with Session(database.engine, expire_on_commit=False) as opened:
        yield opened


@pytest.fixture
def issue(session):
    def issued(in_use=None, by="ana", **changes):
        made = proof(session, by=by, **changes)
        return moves.issue(session, made, in_use=in_use, by=by, reason="The labels prove it.", at=now())

    return issued


def states(session, *rows):
    for row in rows:
        session.refresh(row)
    return [row.state for row in rows]


def newest(session) -> GateChange:
    return session.exec(select(GateChange).order_by(GateChange.at.desc())).first()


def moved(session, threshold, source=None, by="ana", reason="Too many slip through."):
    return moves.move(session, Scope(*NEGATIVE, source), threshold=threshold, by=by, reason=reason, at=now())


def held(session, source=None, language=None, cause="person", certificate=None, by="ana"):
    scope, reason = Scope(*NEGATIVE, source, language), "The survey changed."
    change = moves.hold(session, scope, cause=cause, about=certificate, by=by, reason=reason, at=now())
    return change and session.get(GateHold, change.hold_id)


def lifted(session, source=None, language=None, by="ana"):
    return moves.lift(session, Scope(*NEGATIVE, source, language), by=by, reason="It is as before.", at=now())


@pytest.mark.parametrize(
    ("before", "stands", "n"), [(None, 0.7, 90), (0.65, 0.7, 90), (0.75, 0.8, 80), (0.8, 0.8, 80), (0.97, 0.9, 70)]
)
def test_a_first_certificate_takes_effect_where_nothing_loosens_by_itself(session, issue, before, stands, n):
    made = issue(before)
    assert (made.state, made.threshold, made.n, made.correct) == ("live", stands, n, n - 1)
    change = newest(session)
    assert (change.action, change.before, change.after, change.state) == ("issue", before, stands, "done")
    assert (change.by, change.reason, change.certificate_id) == ("ana", "The labels prove it.", made.id)


def test_a_stricter_certificate_takes_the_place_of_the_older_one(session, issue):
    older, newer = issue(0.8), issue(0.9)
    assert states(session, older, newer) == ["superseded", "live"]
    assert older.ended_at is not None
    assert in_use(session, Scope(*NEGATIVE, "shop")) == 0.9


@pytest.mark.parametrize(
    ("decide", "expected"), [("approve", ["superseded", "live"]), ("decline", ["live", "declined"])]
)
def test_a_looser_certificate_waits_for_a_second_person(session, issue, decide, expected):
    older, newer = issue(0.9), issue(0.7)
    assert states(session, older, newer) == ["live", "waiting"]
    change = newest(session)
    assert (change.loosens, change.state) == (True, "waiting")
    for same in ("ana", "Ana", "\N{FULLWIDTH LATIN SMALL LETTER A}na"):  # a key of hers beside her account
        with pytest.raises(OwnChange, match="somebody else"):
            getattr(moves, decide)(session, change.id, same, "I am sure.", now())
    getattr(moves, decide)(session, change.id, "ben", "I looked at it.", now())
    assert states(session, older, newer) == expected
    assert (change.decided_by, change.comment) == ("ben", "I looked at it.")
    with pytest.raises(GateNotNow, match="does not wait"):
        moves.approve(session, change.id, "eva", "So do I.", now())


def test_what_ran_out_loosens_nothing(session, issue):
    issue(0.9).expires_at = now()
    assert issue(0.7).state == "live"


def test_whoever_ran_the_labels_is_no_second_person(session, issue):
    issue(0.9)
    made = proof(session, by="ben")
    moves.issue(session, made, in_use=0.7, by="heed", reason="The weekly run.", at=now())
    change = newest(session)
    with pytest.raises(OwnChange, match="ran the labels"):
        moves.approve(session, change.id, "ben", "Mine.", now())


def test_a_newer_certificate_overtakes_one_that_waits(session, issue):
    older, waiting = issue(0.9), issue(0.7)
    asked = newest(session)
    newer = issue(0.9)
    assert states(session, older, waiting, newer, asked) == ["superseded", "superseded", "live", "declined"]


def test_whoever_agrees_to_a_certificate_sees_from_where_it_loosens(session, issue):
    issue(0.8)
    issue(0.7)
    asked = newest(session)
    moved(session, 0.9, by="eva")
    session.refresh(asked)
    assert (asked.state, asked.before, asked.after) == ("waiting", 0.9, 0.7)


def test_a_certificate_that_ran_out_while_it_waited_never_comes_into_force(session, issue):
    issue(0.9)
    waiting = issue(0.7)
    with pytest.raises(GateNotNow, match="has run out"):
        moves.approve(session, newest(session).id, "ben", "Late.", waiting.expires_at)


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({}, False),
        ({"languages": ["en", "de"]}, False),
        ({"sources": ["shop", "hotel"]}, True),  # the older one says more about the shop
        ({"languages": ["de"]}, True),
    ],
)
def test_a_certificate_replaces_only_what_it_leaves_nothing_to_do(session, issue, changes, stays):
    older, newer = issue(0.8), issue(0.8, **changes)
    assert states(session, older, newer) == ["live" if stays else "superseded", "live"]


def test_a_position_moves_up_at_once_and_down_with_a_second_person(session, issue):
    made = issue(0.8)
    up = moved(session, 0.9)
    assert (up.state, up.loosens, up.before, up.after) == ("done", False, 0.8, 0.9)
    assert (made.threshold, made.n, made.correct) == (0.9, 70, 69)
    down = moved(session, 0.7)
    assert (down.state, down.loosens, made.threshold) == ("waiting", True, 0.9)
    with pytest.raises(GateNotNow, match="ana asked for waits already"):
        moved(session, 0.8, by="ben")
    moves.approve(session, down.id, "ben", "Agreed.", now())
    session.refresh(made)
    assert (made.threshold, made.n) == (0.7, 90)


def test_what_was_agreed_to_is_what_was_asked_for(session, issue):
    issue(0.8)
    down = moved(session, 0.7)
    moved(session, 0.9, by="eva")
    with pytest.raises(GateNotNow, match="moved, replaced or has run out"):
        moves.approve(session, down.id, "ben", "Agreed.", now())
    assert moves.decline(session, down.id, "ben", "It was moved.", now()).state == "declined"


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"threshold": 0.75}, InvalidChange, "Nothing was proved at 75 %: it may stand at 70 %, 80 % or 90 %"),
        ({"threshold": 0.5}, InvalidChange, "Nothing was proved at 50 %"),
        ({"threshold": 0.8}, GateNotNow, "stands at 80 % already"),
        ({"threshold": 0.9, "reason": "  "}, InvalidChange, "Say why"),
        ({"threshold": 0.9, "source": "hotel"}, GateNotNow, "No certificate in force"),
    ],
)
def test_nothing_else_can_be_moved(session, issue, asked, error, words):
    made = issue(0.8)
    with pytest.raises(error, match=words):
        moved(session, **asked)
    assert made.threshold == 0.8


def test_of_several_certificates_the_source_names_one(session, issue):
    shop, hotel = issue(0.8), issue(0.8, sources=["hotel"], calibrators={"hotel": "identity@1"})
    with pytest.raises(InvalidChange, match="name the source"):
        moved(session, 0.9)
    moved(session, 0.9, source="hotel")
    assert (shop.threshold, hotel.threshold) == (0.8, 0.9)


def test_a_hold_needs_one_person_and_lifting_it_two(session, issue):
    issue(0.8)
    hold = held(session, "shop", "en")
    assert held(session, "shop", "en") is None
    assert held(session, "shop", "de") is not None
    assert (newest(session).action, newest(session).before, newest(session).after) == ("hold", 0.8, None)
    with pytest.raises(GateNotNow, match="exactly this"):
        lifted(session, "shop")
    asked = lifted(session, "shop", "en")
    assert (asked.state, asked.loosens, asked.after, hold.lifted_at) == ("waiting", True, 0.8, None)
    with pytest.raises(OwnChange):
        moves.approve(session, asked.id, "ana", "Fine.", now())
    moves.approve(session, asked.id, "ben", "Fine.", now())
    session.refresh(hold)
    assert hold.lifted_at is not None
    assert held(session, "shop", "en") is not None  # it may be held anew


@pytest.mark.parametrize("later", [1, -9], ids=["after", "by a week that began before"])
def test_lifting_leaves_what_was_raised_since(session, later):
    held(session)
    asked = lifted(session)
    raised = moves.hold(
        session,
        Scope(*NEGATIVE),
        cause="alarm",
        by="heed",
        reason="Too many errors.",
        at=asked.at + timedelta(minutes=later),
    )
    moves.approve(session, asked.id, "ben", "Fine.", now())
    assert [one.id for one in session.exec(select(GateHold).where(GateHold.lifted_at.is_(None)))] == [raised.hold_id]


def test_a_new_certificate_answers_the_alarm_but_no_person(session, issue):
    older = issue(0.8)
    alarm = held(session, cause="alarm", certificate=older, by="heed")
    person = held(session, "shop")
    newer = issue(0.9)
    assert states(session, older, newer) == ["live", "waiting"]  # it lifts a hold
    moves.approve(session, newest(session).id, "ben", "The errors are gone.", now())
    session.refresh(alarm)
    session.refresh(person)
    assert (alarm.lifted_at is None, person.lifted_at is None) == (False, True)
    assert states(session, older, newer) == ["superseded", "live"]


def test_every_change_is_in_the_audit_chain(session, issue):
    issue(0.8)
    asked = moved(session, 0.7)
    moves.approve(session, asked.id, "ben", "Agreed.", now())
    told = session.exec(select(AuditEvent).where(AuditEvent.action.startswith("gate.")).order_by(AuditEvent.sequence))
    assert [(one.actor, one.action) for one in told] == [
        ("ana", "gate.issue"),
        ("ana", "gate.move"),
        ("ben", "gate.approved"),
    ]


def test_there_is_no_change_of_a_made_up_id(session, issue):
    with pytest.raises(UnknownGate):
        moves.approve(session, issue(0.8).id, "ben", "Agreed.", now())


def test_of_people_who_decide_at_once_one_does(database, session, issue):
    issue(0.8)
    asked = moved(session, 0.7)
    session.commit()

    def decided(name):
        with database.session() as own:
            try:
                (moves.approve if name == "ben" else moves.decline)(own, asked.id, name, "At once.", now())
            except GateNotNow:
                return 0
            return 1

    with ThreadPoolExecutor(2) as people:
        assert sum(people.map(decided, ("ben", "eva"))) == 1
    with ThreadPoolExecutor(4) as people, database.session() as look:
        rows = list(people.map(partial(_held_alone, database), range(4)))
        assert sorted(rows) == [False, False, False, True]
        assert len(look.exec(select(GateHold)).all()) == 1
        assert look.exec(select(Certificate)).one().threshold in {0.7, 0.8}


def _held_alone(database, _number):
    with database.session() as own:
        return held(own) is not None
