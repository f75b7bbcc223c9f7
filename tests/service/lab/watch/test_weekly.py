"""The weekly loop draws, watches and tells; cut off or run twice, it does nothing twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import time_machine
from judged import answered, arrive, sure
from sqlmodel import Session, select, update

from models.taxonomies.taxonomy import default_taxonomy
from service.lab.gates.moves import approve
from service.lab.runs.run import compute
from service.lab.watch.trail import monday_of
from service.lab.watch.weekly import DUE, defer_lost, promised_gates, weekly
from service.lab.watch.what_changed import tell_awaited
from service.route.versions import ensure_default
from service.store import jobs
from service.store.lab_tables import CalibrationRun, Certificate, GateChange, GateHold, LabelSample, WeeklyReport
from service.store.tables import Notice, User, now

TOPICS = default_taxonomy()
WEEK = timedelta(weeks=1)
MONDAY = datetime.combine(monday_of(now()), DUE) - 4 * WEEK


@pytest.fixture
def session(database):
    """An installation whose policy promises something about negative answers, and two reviewers."""
    with Session(database.engine, expire_on_commit=False) as opened:
        ensure_default(opened, TOPICS.labels)
        people = {"ada": ["admin"], "ana": ["supervisor"], "rea": ["reviewer"], "rob": ["reviewer"]}
        opened.add_all([User(name=name, roles=roles) for name, roles in people.items()])
        opened.commit()
        yield opened


def samples(session) -> list[LabelSample]:
    return list(session.exec(select(LabelSample).order_by(LabelSample.created_at)))


def test_a_week_draws_a_sample_tells_the_reviewers_and_says_what_changed(session):
    arrive(session, 50, 50)
    report = weekly(session, TOPICS, MONDAY)
    (sample,) = samples(session)
    assert (sample.axis, sample.label, sample.size, sample.purpose) == ("sentiment", "negative", 60, "weekly")
    assert sorted(one.person for one in session.exec(select(Notice))) == ["rea", "rob"]
    assert report.week == MONDAY.date()
    assert report.sentences == [
        "Negative answers: nothing is promised yet.",
        "No answer was judged by two people in the last week.",
        "To label: 60 for negative answers.",
    ]


def test_two_workers_and_a_second_try_do_nothing_twice(session, database):
    arrive(session, 50, 50)
    session.commit()

    def once() -> list[str]:
        with Session(database.engine, expire_on_commit=False) as own:
            return weekly(own, TOPICS, MONDAY).sentences

    with ThreadPoolExecutor(2) as pool:
        first, second = [task.result() for task in [pool.submit(once) for _ in range(2)]]
    assert first == second == once()
    assert len(samples(session)) == 1
    assert len(session.exec(select(WeeklyReport)).all()) == 1
    assert len(session.exec(select(Notice)).all()) == 2


def test_a_week_with_too_little_to_judge_says_so(session):
    arrive(session, 4)
    assert weekly(session, TOPICS, MONDAY).sentences[-1] == (
        "No sample was drawn for negative answers: only 4 texts came in that nobody has judged."
    )
    assert samples(session) == []


def week(session, number: int, right=None) -> list[str]:
    """A week at its moment: done, what it asks to be judged is judged, its sample answered, and more comes in."""
    at = MONDAY + number * WEEK
    with time_machine.travel(at, tick=True):
        told = weekly(session, TOPICS, at).sentences
        for run in session.exec(select(CalibrationRun).where(CalibrationRun.state == "running")).all():
            compute(session, run.id, at)
        tell_awaited(session, at)
        session.commit()
    with time_machine.travel(at + timedelta(days=2), tick=True):
        for sample in session.exec(select(LabelSample).where(LabelSample.state == "open")).all():
            if right is not None:
                answered(session, sample, right)
        arrive(session, 100, 50)
        session.commit()
    session.expire_all()
    assert len(told) <= 5
    return told


def drawn(session) -> list[tuple[int, str, str]]:
    """By sample: the week in which it was drawn, for what, and its state."""
    return [((one.created_at - MONDAY).days // 7, one.purpose, one.state) for one in samples(session)]


def certificates(session) -> list[str]:
    return [one.state for one in session.exec(select(Certificate).order_by(Certificate.issued_at))]


def certified(session) -> None:
    """Two weeks after which a promise stands."""
    with time_machine.travel(MONDAY - WEEK, tick=True):
        arrive(session, 100, 150)
        session.commit()
    week(session, 0, sure)
    assert week(session, 1)[0] == "Negative answers: nothing is promised yet."
    assert certificates(session) == ["live"]


def test_week_after_week_a_first_promise_is_judged_watched_withdrawn_and_proved_anew(session):
    certified(session)
    assert week(session, 2)[-1] == "To label: 60 for negative answers."
    week(session, 3, lambda _: False)  # nobody came to it last week: that sample is closed, and there is the next
    assert drawn(session)[1:] == [(2, "weekly", "closed"), (3, "weekly", "done")]
    told = week(session, 4, sure)
    assert session.exec(select(GateHold.cause)).all() == ["alarm"]
    assert told[0] == "Negative answers: the promise does not stand any more, people decide."
    assert told[1].startswith("Negative answers: ")
    assert told[-1] == "To label: 60 for negative answers, to prove the promise anew."
    assert "the answers that were labelled are judged first" in week(session, 5)[-1]
    assert drawn(session)[-1] == (4, "renewal", "done")
    assert certificates(session) == ["live", "waiting"]  # what lifts an alarm waits for a second person
    assert week(session, 6)[-1] == (
        "No sample was drawn for negative answers: its new certificate waits for a second person to agree to it."
    )
    kinds = [(one.person, one.kind) for one in session.exec(select(Notice))]
    assert [kinds.count(one) for one in (("ana", "alarm"), ("ada", "to_agree"), ("rea", "to_label"))] == [1, 1, 4]
    change = session.exec(select(GateChange).where(GateChange.state == "waiting")).one()
    approve(session, change.id, "ada", None, MONDAY + 6 * WEEK)
    told = week(session, 7)
    assert (told[0], told[-1]) == ("Negative answers: the promise holds.", "To label: 60 for negative answers.")


def test_what_ran_out_or_is_void_is_proved_anew_by_itself(session):
    certified(session)
    (one,) = session.exec(select(Certificate)).all()
    one.expires_at = MONDAY + 2 * WEEK - timedelta(days=1)
    session.add(one)
    told = week(session, 2, sure)
    assert told[0].startswith("Negative answers: the promise ran out on ")
    assert told[-1] == "To label: 60 for negative answers, to prove the promise anew."
    week(session, 3)
    assert len(certificates(session)) == 2
    session.execute(update(Certificate).values(state="live", model_digest="another", expires_at=MONDAY + 30 * WEEK))
    told = week(session, 4, lambda _: False)
    assert told[0] == "Negative answers: the promise is void, people decide."
    assert drawn(session)[-1][:2] == (4, "renewal")


def test_nobody_who_could_label_is_told(session):
    session.execute(update(User).where(User.name == "rob").values(roles=["reviewer", "supervisor"]))
    arrive(session, 50)
    assert weekly(session, TOPICS, MONDAY).sentences[1] == (
        "Only rea is a reviewer and nothing else: before two such people label, nothing can be promised."
    )


@pytest.mark.parametrize(("last", "lost"), [(WEEK, 1), (None, 0), (timedelta(0), 0)])
def test_a_week_that_nobody_did_is_done_later_where_there_was_one_before(session, last, lost):
    if last is not None:
        session.add(WeeklyReport(week=monday_of(now()) - last, sentences=[]))
    session.commit()
    due = now() >= datetime.combine(monday_of(now()), DUE)
    assert defer_lost(session) == (lost if due else 0)
    assert jobs.waiting(session).get("calibrations", 0) == (lost if due else 0)


def test_only_policies_that_decide_and_promise_are_watched(session):
    (gate,) = promised_gates(session)
    assert (gate.axis, gate.label, gate.promise.precision) == ("sentiment", "negative", 0.9)
