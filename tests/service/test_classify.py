"""The step from words to beliefs, over the real database."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from builders import record
from sqlalchemy import text
from sqlmodel import Session, select

from models.prediction import Verbatim
from service.classify import Answered, Reader, classify
from service.store.tables import Classification, Feedback

LATE = "The delivery came two weeks late, terrible."


def answered(*texts: str) -> Answered:
    return Answered(uuid4(), 1, tuple(Verbatim(one) for one in texts))


def test_each_record_gets_its_own_words_back(reader: Reader):
    records = [
        answered(LATE),
        answered(),
        answered("Great staff!", LATE),
        answered(" ", "\t"),
        answered("Great staff!"),
    ]
    late, none, both, blank, great = reader.understand(records)
    assert none is None
    assert blank.whole.abstain == "empty"
    assert late.document.sentiment.label == "negative"
    assert great.document.sentiment.label == "positive"
    assert (len(late.readings), len(both.readings)) == (1, 2)
    assert both.document.verbatims[0].sentiment == great.document.verbatims[0].sentiment
    assert both.document.verbatims[1].sentiment == late.document.verbatims[0].sentiment


def test_a_batch_of_nothing_is_nothing(reader: Reader):
    assert reader.understand([]) == []
    assert reader.read([]) == []


def test_a_classifier_is_loaded_once_however_many_ask():
    reader = Reader("keywords")
    with ThreadPoolExecutor(8) as pool:
        assert len({id(one) for one in pool.map(lambda _: reader.classifier, range(8))}) == 1


@pytest.fixture
def ids(admin, database) -> list[UUID]:
    batch = [record(f"r-{number}", LATE if number % 2 else None, scores={"nps": 3}) for number in range(6)]
    admin.post("/v1/feedback", json=batch).raise_for_status()
    with Session(database.engine) as session:
        return list(session.exec(select(Feedback.id).order_by(Feedback.id)))


def run(database, reader: Reader, ids: list[UUID]) -> None:
    with Session(database.engine, expire_on_commit=False) as session:
        classify(session, reader, ids)


def count(database, statement: str) -> int:
    with database.session() as session:
        return session.execute(text(statement)).scalar_one()


def test_one_row_per_record_with_words_and_one_job_for_all(database, reader, ids):
    run(database, reader, ids)
    with Session(database.engine) as session:
        rows = session.exec(select(Classification)).all()
        assert {one.stage for one in session.exec(select(Feedback))} == {"classified"}
    assert len(rows) == 3
    for row in rows:
        assert (row.classifier, row.calibrator, row.degraded) == ("keywords@1", "identity@1", False)
        assert set(row.topics) == {topic.name for topic in reader.taxonomy.topics}  # those below their threshold too
        assert row.document["sentiment"]["label"] == "negative"
    assert count(database, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'decide'") == 1


def test_the_next_step_begins_with_a_clean_slate_of_attempts(database, reader, ids):
    with database.session() as session:
        session.execute(text("UPDATE feedback SET attempts = 2"))
    run(database, reader, ids)
    assert count(database, "SELECT sum(attempts) FROM feedback") == 0


def test_again_changes_nothing(database, reader, ids):
    for _ in range(2):
        run(database, reader, ids)
    assert count(database, "SELECT count(*) FROM classification") == 3
    assert count(database, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'decide'") == 1


def test_two_runs_at_once_do_the_work_once(database, reader, ids):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda order: run(database, reader, order), [ids, ids[::-1], ids, ids[::-1]]))
    assert count(database, "SELECT count(*) FROM classification") == 3
    assert count(database, "SELECT count(*) FROM feedback WHERE stage = 'classified'") == 6


def test_a_record_that_is_gone_or_moved_on_is_left_alone(database, reader, ids):
    with database.session() as session:
        session.execute(text("UPDATE feedback SET stage = 'quarantined' WHERE id = :id"), {"id": ids[1]})
    run(database, reader, [*ids, uuid4()])
    assert count(database, "SELECT count(*) FROM feedback WHERE stage = 'quarantined'") == 1
    assert count(database, "SELECT count(*) FROM classification") == 2
