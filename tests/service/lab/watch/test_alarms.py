"""A promise that fresh labels find broken is withdrawn once, and those in charge are told what to do."""

from datetime import timedelta

import pytest
from judged import answered, arrive, drawn
from proofs import certificate
from sqlmodel import Session, select

from models.taxonomies.taxonomy import default_taxonomy
from service.lab.gates.states import gate_states
from service.lab.labels.evidence import newest_binding
from service.lab.watch.alarms import raise_alarms
from service.lab.watch.lights import lights
from service.lab.watch.trail import trail
from service.lab.watch.what_changed import drifted, tell_voided
from service.store.lab_tables import Certificate, GateChange, GateHold
from service.store.tables import Notice, User, now

WEEK = timedelta(weeks=1)


@pytest.fixture
def session(database):
    with Session(database.engine, expire_on_commit=False) as opened:
        opened.add_all([User(name="ana", roles=["supervisor"]), User(name="rea", roles=["reviewer"])])
        arrive(opened, 90, 30)
        opened.flush()
        yield opened


def promised(session, **changes) -> Certificate:
    """A certificate of a month ago for the way records are read now."""
    read = newest_binding(session)
    bound = {
        "classifier": read.classifier,
        "model_digest": read.model_digest,
        "taxonomy": read.taxonomy,
        "preparation": read.preparation,
        "issued_at": now() - 4 * WEEK,
    }
    return certificate(session, by="ada", **{**bound, "threshold": 0.7, **changes})


def told(session) -> list[tuple[str, str]]:
    return [(one.person, one.kind) for one in session.exec(select(Notice))]


def test_a_broken_promise_is_withdrawn_once_and_told_with_what_to_do(session):
    row = promised(session)
    answered(session, drawn(session, 60), lambda _: False)
    (alarm,) = raise_alarms(session, now())
    assert (alarm.axis, alarm.label, alarm.source, alarm.language) == ("sentiment", "negative", None, None)
    (hold,) = session.exec(select(GateHold)).all()
    assert (hold.cause, hold.certificate_id, hold.source) == ("alarm", row.id, None)
    weeks = trail(session, row, now()).weeks
    assert (len(weeks), sum(week.n for week in weeks)) == (5, weeks[-1].n)
    n = weeks[-1].n
    assert f"{n} of {n} checked answers" in hold.reason
    assert alarm.sentence.startswith("Negative answers: the promise is withdrawn.")
    assert "start a run" in alarm.sentence
    assert told(session) == [("ana", "alarm")]
    assert raise_alarms(session, now()) == ()
    assert len(session.exec(select(GateHold)).all()) == 1


def test_only_the_source_whose_texts_went_wrong_is_held_and_after_a_lift_the_watch_begins_anew(session):
    arrive(session, 25, source="app")
    row = promised(session, sources=["shop", "app"], calibrators={"shop": "identity@1", "app": "identity@1"})
    answered(session, drawn(session, 25, source="app"), lambda _: False)
    arrive(session, 300)
    answered(session, drawn(session, 390, source="shop"), raters=("rea",))
    (alarm,) = raise_alarms(session, now())
    assert (alarm.source, alarm.language) == ("app", "en")
    (hold,) = session.exec(select(GateHold)).all()
    hold.lifted_at = now()
    session.add(hold)
    session.commit()
    assert raise_alarms(session, now()) == ()
    assert trail(session, row, now()).watch is None


def test_a_kept_promise_raises_nothing_and_a_dispute_waits(session):
    row = promised(session)
    answered(session, drawn(session, 60), differ=range(4))
    assert raise_alarms(session, now()) == ()
    found = trail(session, row, now())
    assert (found.watch.everywhere.level, found.weeks[-1].wrong) == ("quiet", 0)
    last = found.weeks[-1]
    assert last.waiting > 0
    assert found.watch.everywhere.alarm.broken.n == last.n + last.waiting  # as right, until somebody decides
    assert told(session) == []


def test_a_threshold_that_is_moved_drops_no_mistake_and_a_whole_year_is_watched(session):
    row = promised(session, threshold=0.8, issued_at=now() - 52 * WEEK + timedelta(hours=1))
    answered(session, drawn(session, 60), lambda _: False)
    before = trail(session, row, now())
    row.threshold = 0.9
    session.add(GateChange(**MOVED, certificate_id=row.id, at=now() + timedelta(minutes=1)))
    session.flush()
    after = trail(session, row, now() + timedelta(minutes=2))
    assert after.weeks == before.weeks
    assert len(after.weeks) in (52, 53)
    row.expires_at = now() + timedelta(minutes=3)
    session.flush()
    assert trail(session, row, now() + 9 * WEEK) == after
    (alarm,) = raise_alarms(session, now())
    assert alarm.certificate == row.id


MOVED = {
    "axis": "sentiment",
    "label": "negative",
    "action": "move",
    "before": 0.8,
    "after": 0.9,
    "loosens": False,
    "reason": "Too many mistakes of late.",
    "by": "ada",
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_digest": "another"}, "the model changed"),
        ({"taxonomy": f"{default_taxonomy().name}@0"}, "the list of topics changed"),
        ({"preparation": "raw@1"}, "the way texts are prepared changed"),
        ({"calibrators": {"shop": "shop@3"}}, "the calibration of shop changed"),
    ],
)
def test_a_certificate_that_says_nothing_of_what_is_read_now_is_told_once(session, changes, words):
    promised(session, **changes)
    for _ in range(2):
        (found,) = tell_voided(session, now())
        assert words in found.sentence
    assert told(session) == [("ana", "voided")]


def test_a_calibrator_of_an_axis_that_none_corrects_voids_nothing(session):
    promised(session, axis="topic", label="delivery and shipping", calibrators={"shop": "shop@3"})
    assert tell_voided(session, now()) == ()


def test_before_anything_was_read_lights_and_gates_say_the_same(database):
    with Session(database.engine) as empty:
        certificate(empty, by="ada")
        (light,), (state, *_) = lights(empty, now()), gate_states(empty, now())
        assert (light.state.value, state.cells[0].state, state.cells[0].reason) == ("watch", "uncertified", None)


def test_scores_that_move_only_ask_for_labels(session):
    spread = {"cuts": [0.2, 0.4, 0.6, 0.8], "counts": [900, 900, 900, 900, 900]}
    promised(session, reference=spread)
    (found,) = drifted(session, now() + timedelta(minutes=1))
    assert (found.axis, found.label, found.size) == ("sentiment", "negative", 60)
    assert "proves no mistake" in found.sentence
    assert raise_alarms(session, now()) == ()
