"""The weekly loop draws, watches and tells; cut off or run twice, it does nothing twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from judged import answered, arrive
from sqlmodel import Session, select

from models.taxonomies.taxonomy import default_taxonomy
from service.lab.runs.run import compute
from service.lab.watch.trail import monday_of
from service.lab.watch.weekly import DUE, defer_lost, promised_gates, weekly
from service.route.versions import ensure_default
from service.store import jobs
from service.store.lab_tables import CalibrationRun, Certificate, GateHold, LabelSample, WeeklyReport
from service.store.tables import Notice, User, now

TOPICS = default_taxonomy()
WEEK = timedelta(weeks=1)
MONDAY = datetime.combine(monday_of(now()), DUE) - 4 * WEEK


@pytest.fixture
def session(database):
    """An installation whose policy promises something about negative answers, and two reviewers."""
    with Session(database.engine, expire_on_commit=False) as opened:
        ensure_default(opened, TOPICS.labels)
        people = {"ana": ["supervisor"], "rea": ["reviewer"], "rob": ["reviewer"]}
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


def test_week_after_week_a_first_promise_is_judged_then_watched_and_withdrawn(session):
    arrive(session, 100, 150)
    weekly(session, TOPICS, MONDAY)
    weekly(session, TOPICS, MONDAY + WEEK)
    (first,) = samples(session)  # still being labelled: there is no second
    answered(session, first)
    weekly(session, TOPICS, MONDAY + 2 * WEEK)
    (run,) = session.exec(select(CalibrationRun)).all()
    assert (run.created_by, run.label, run.precision) == ("heed", "negative", 0.9)
    compute(session, run.id, MONDAY + 2 * WEEK)
    (certificate,) = session.exec(select(Certificate)).all()
    assert certificate.state == "live"
    arrive(session, 100, 150)
    weekly(session, TOPICS, MONDAY + 3 * WEEK)
    answered(session, samples(session)[-1], lambda _: False)
    told = weekly(session, TOPICS, MONDAY + 4 * WEEK)
    assert session.exec(select(GateHold.cause)).all() == ["alarm"]
    assert told.sentences[0] == "Negative answers: the promise does not stand any more, people decide."
    assert told.sentences[1].startswith("Negative answers went wrong most often")
    assert "a fresh sample for negative answers, since its promise has to be proved anew" in told.sentences[-1]
    assert len(told.sentences) <= 5
    assert ("ana", "alarm") in [(one.person, one.kind) for one in session.exec(select(Notice))]


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
