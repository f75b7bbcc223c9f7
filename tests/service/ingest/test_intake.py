"""What is stored of an answer, where it can be read, and which job it leaves behind."""

import json

import pytest
from builders import record
from sqlalchemy import text
from sqlmodel import select

from service.ingest.intake import MICRO_BATCH, accept
from service.ingest.plain import PlainSource
from service.ingest.source import Inbound, Received
from service.store.tables import Feedback, FeedbackRevision
from service.store.vault import Sealed, Unreadable, Vault

SECRET = "Ada Lovelace of Lodz never got her kettle"


def inbound(raw: bytes) -> list[Received]:
    return PlainSource().parse(Inbound("POST", {}, {}, raw))


def stored(database, vault, raw: bytes) -> list[FeedbackRevision]:
    with database.session() as session:
        accept(session, [inbound(raw)], vault)
    with database.session() as session:
        return list(session.exec(select(FeedbackRevision).order_by(FeedbackRevision.id)))


def test_the_original_is_sealed_byte_for_byte(database, vault):
    raw = json.dumps(record(text=SECRET), indent=3).encode() + b"\n\n"
    (row,) = stored(database, vault, raw)
    place = f"original {row.feedback_id} 1"
    assert vault.open(Sealed(row.original, row.key_id), place) == raw
    assert (row.original_expires_at - row.received_at).days == 90


def test_of_a_list_each_original_is_its_own(database, vault):
    sent = [record("a", SECRET), record("b", "Ünïcödé 😀")]
    opened = [
        json.loads(vault.open(Sealed(row.original, row.key_id), f"original {row.feedback_id} 1"))
        for row in stored(database, vault, json.dumps(sent).encode())
    ]
    assert opened == sent


def test_no_other_key_and_no_other_place_opens_it(database, vault):
    (row,) = stored(database, vault, json.dumps(record(text=SECRET)).encode())
    place = f"original {row.feedback_id} 1"
    with pytest.raises(Unreadable):
        Vault("another installation's own master secret").open(Sealed(row.original, row.key_id), place)
    with pytest.raises(Unreadable):
        vault.open(Sealed(row.original, row.key_id), place.replace(" 1", " 2"))
    with pytest.raises(Unreadable):
        vault.open(Sealed(row.original[:-1] + bytes([row.original[-1] ^ 1]), row.key_id), place)


def test_the_words_stand_in_the_working_copy_and_nowhere_else(database, vault):
    stored(database, vault, json.dumps(record(text=SECRET, external_id="words")).encode())
    found = set()
    with database.session() as session:
        columns = session.execute(
            text("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
        ).all()
        for table, column in columns:
            query = f'SELECT count(*) FROM "{table}" WHERE position(:words IN CAST("{column}" AS text)) > 0'  # noqa: S608 (names from the catalogue)
            hexed = query.replace(":words", "encode(CAST(:words AS bytea), 'hex')")
            if session.execute(text(query), {"words": SECRET}).scalar_one():
                found.add((table, column))
            if session.execute(text(hexed), {"words": SECRET.encode()}).scalar_one():
                found.add((table, column))
    assert found == {("feedback_revision", "body")}


def test_a_new_record_leaves_a_job_in_its_own_transaction(database, vault):
    sent = [record(str(n)) for n in range(MICRO_BATCH + 1)]
    with database.session() as session:
        (outcome,) = accept(session, [inbound(json.dumps(sent).encode())], vault)
        with database.session() as other:
            assert other.exec(select(Feedback)).all() == []
            assert other.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 0
    with database.session() as session:
        jobs = session.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id")).all()
    assert [name for name, _ in jobs] == ["classify", "classify"]
    ids = [one for _, args in jobs for one in args["ids"]]
    assert ids == [str(settled.id) for settled in outcome]
    assert [len(args["ids"]) for _, args in jobs] == [MICRO_BATCH, 1]


def test_duplicates_and_stale_revisions_leave_no_job(database, vault):
    first, stale = record(revision=2), record(revision=1)
    stored(database, vault, json.dumps(first).encode())
    with database.session() as session:
        session.execute(text("TRUNCATE procrastinate_jobs CASCADE"))
    stored(database, vault, json.dumps([first, stale]).encode())
    with database.session() as session:
        assert session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 0


def test_a_transaction_that_does_not_commit_leaves_nothing(database, vault):
    with database.session() as session:
        accept(session, [inbound(json.dumps(record()).encode())], vault)
        session.rollback()
    with database.session() as session:
        for table in ("feedback", "feedback_revision", "source", "procrastinate_jobs"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0  # noqa: S608 (our own names)


def test_a_revision_starts_the_road_anew(database, vault):
    stored(database, vault, json.dumps(record()).encode())
    with database.session() as session:
        row = session.exec(select(Feedback)).one()
        row.stage, row.attempts, row.reason = "quarantined", 3, "it failed"
        session.add(row)
    stored(database, vault, json.dumps(record(text="Now it works.", revision=2)).encode())
    with database.session() as session:
        row = session.exec(select(Feedback)).one()
        assert (row.stage, row.attempts, row.reason, row.revision) == ("received", 0, None, 2)
