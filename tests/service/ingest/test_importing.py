"""Files become feedback piece by piece: nothing lost, nothing twice, whoever stops and whoever goes on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from service import pipeline
from service.ingest import import_job, importing
from service.ingest.file_layout import UnreadableFile
from service.ingest.import_job import begin_upload
from service.ingest.importing import Asked, Overtaken, ask, begin, pieces, unfinished
from service.ingest.intake import Raced
from service.store import jobs
from service.store.database import Database
from service.store.tables import Import
from service.store.vault import Vault

MAPPING = {"external_id": "id", "verbatims.0.text": "text", "scores.nps": "nps"}
Written = Callable[..., tuple[Path, Asked]]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """`written(rows)`: a CSV of so many good rows, of the given lines besides, and how it is read."""

    def write(number: int, *lines: str, history: bool = False) -> tuple[Path, Asked]:
        path = tmp_path / "answers.csv"
        path.write_text("\n".join(["id,text,nps", *(f"r-{n},Late.,3" for n in range(number)), *lines]) + "\n")
        return path, ask(path, "answers.csv", source="survey", mapping=MAPPING, history=history)

    return write


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "PIECE", 10)


def begun(database: Database, asked: Asked) -> Import:
    with database.session() as session:
        return begin(session, asked, by="test")


def uploaded(database: Database, vault: Vault, path: Path, asked: Asked) -> Import:
    with database.session() as session:
        return begin_upload(session, vault, asked, path, by="test")


def now_at(database: Database, row: Import) -> Import:
    with database.session() as session:
        return session.get_one(Import, row.id)


def scalar(database: Database, query: str, **values: Any) -> Any:
    with database.session() as session:
        return session.execute(text(query), values).scalar()


def test_an_import_that_was_left_goes_on_behind_its_last_piece(database, vault, written):
    path, asked = written(35, ",No id.,3", "r-0,Other words.,3", "r-1,Late.,3")
    first = begun(database, asked)
    stopped = list(islice(pieces(database, vault, first, path), 2))[-1].standing
    assert (stopped.rows, stopped.position, stopped.state) == (20, 21, "running")

    with database.session() as session:
        left = unfinished(session, asked)
    assert left is not None
    assert (left.id, left.position) == (first.id, 21)
    ended = list(pieces(database, vault, left, path))[-1].standing
    assert (ended.state, ended.rows, ended.new, ended.duplicate, ended.rejected) == ("done", 38, 35, 1, 2)
    assert [one["row"] for one in ended.errors] == [37, 38]
    assert scalar(database, "SELECT count(*) FROM feedback WHERE import_id = :id", id=first.id) == 35
    with database.session() as session:
        assert unfinished(session, asked) is None


@pytest.mark.parametrize("changed", [{"history": True}, {"source": "other"}, {"digest": "other"}, {"mapping": {}}])
def test_only_the_same_file_read_the_same_way_is_gone_on_with(database, written, changed):
    _, asked = written(3)
    begun(database, asked)
    with database.session() as session:
        assert unfinished(session, replace(asked, **changed)) is None


def test_an_upload_is_nothing_that_a_command_goes_on_with(database, vault, written):
    path, asked = written(3)
    uploaded(database, vault, path, asked)
    with database.session() as session:
        assert unfinished(session, asked) is None


def test_of_two_that_work_on_one_import_the_slower_stops(database, vault, written):
    path, asked = written(35)
    first = begun(database, asked)
    one, other = pieces(database, vault, first, path), pieces(database, vault, first, path)
    next(one)
    with pytest.raises(Overtaken):
        next(other)
    assert list(one)[-1].standing.new == 35


def test_a_race_is_run_again(database, vault, written, monkeypatch):
    path, asked = written(25)
    accept, tries = importing.accept, []

    def raced(*arguments: Any) -> Any:
        tries.append(arguments)
        if len(tries) in {1, 3}:
            accept(*arguments)
            raise Raced
        return accept(*arguments)

    monkeypatch.setattr(importing, "accept", raced)
    ended = list(pieces(database, vault, begun(database, asked), path))[-1].standing
    assert (ended.new, ended.rows, len(tries)) == (25, 25, 5)
    assert scalar(database, "SELECT count(*) FROM feedback_revision") == 25


def test_a_thousand_errors_are_kept_and_all_are_counted(database, vault, written, monkeypatch):
    monkeypatch.setattr(importing, "ERRORS_KEPT", 15)
    path, asked = written(2, *(f"x-{n},Late.,eleven" for n in range(40)))
    told = list(pieces(database, vault, begun(database, asked), path))
    assert (told[-1].standing.rejected, len(told[-1].standing.errors)) == (40, 15)
    assert [one.number for progress in told for one in progress.rejected] == list(range(4, 44))


def test_a_file_that_breaks_off_fails_and_keeps_what_was_read(database, vault, written, monkeypatch):
    path, asked = written(40)
    rows = importing.rows

    def broken(*arguments: Any, **more: Any) -> Any:
        yield from islice(rows(*arguments, **more), 25)
        raise UnreadableFile("The workbook is damaged.")

    monkeypatch.setattr(importing, "rows", broken)
    ended = list(pieces(database, vault, begun(database, asked), path))[-1].standing
    assert (ended.state, ended.reason, ended.new) == ("failed", "The workbook is damaged.", 25)
    assert ended.finished_at is not None


def test_the_job_takes_turns_and_lets_go_of_the_file_at_the_end(database, vault, drain, written, monkeypatch):
    monkeypatch.setattr(import_job, "TURN", -1)
    turns: list[object] = []
    take_turn = import_job.take_turn
    monkeypatch.setattr(import_job, "take_turn", lambda *these: (turns.append(these), take_turn(*these)))
    path, asked = written(35)
    row = uploaded(database, vault, path, asked)
    path.unlink()
    drain()
    ended = now_at(database, row)
    assert (ended.state, ended.new, len(turns)) == ("done", 35, 4)
    assert scalar(database, "SELECT count(*) FROM import_chunk") == 0
    assert scalar(database, "SELECT count(*) FROM feedback WHERE stage = 'routed'") == 35


def test_a_file_of_many_chunks_is_put_together_again(database, vault, drain, written, monkeypatch):
    monkeypatch.setattr("service.ingest.upload.CHUNK", 97)
    path, asked = written(35)
    row = uploaded(database, vault, path, asked)
    assert scalar(database, "SELECT count(*) FROM import_chunk") == -(-path.stat().st_size // 97)
    drain()
    assert now_at(database, row).new == 35


def test_while_many_wait_to_be_read_the_job_waits_too(database, vault, works, written, monkeypatch):
    path, asked = written(35)
    monkeypatch.setattr(import_job, "MOST_WAITING", 34)
    list(pieces(database, vault, begun(database, asked), path))
    row = uploaded(database, vault, path, replace(asked, digest="another"))
    scalar(database, "DELETE FROM procrastinate_jobs RETURNING 1")
    pipeline.import_file(works, str(row.id))
    assert now_at(database, row).rows == 0
    assert scalar(database, "SELECT scheduled_at > now() FROM procrastinate_jobs WHERE task_name = 'import'")


def test_an_upload_whose_job_is_lost_is_deferred_again(database, vault, works, written):
    path, asked = written(5)
    row = uploaded(database, vault, path, asked)
    left = begun(database, replace(asked, digest="of a command"))
    query = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'import'"
    scalar(database, "DELETE FROM procrastinate_jobs RETURNING 1")
    pipeline.reconcile(works)
    assert scalar(database, query) == 0, "it may be about to be deferred"
    with database.session() as session:
        for one in (row, left):
            session.get_one(Import, one.id).updated_at -= timedelta(minutes=1)
    pipeline.reconcile(works)
    pipeline.reconcile(works)
    assert scalar(database, query) == 1
    assert scalar(database, "SELECT args ->> 'upload' FROM procrastinate_jobs") == str(row.id)


def test_the_turn_of_a_lost_worker_is_taken_over(database, vault, works, written, monkeypatch):
    path, asked = written(5)
    row = uploaded(database, vault, path, asked)
    with database.session() as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
    pipeline.recover(works)
    assert scalar(database, "SELECT status FROM procrastinate_jobs WHERE task_name = 'import'") == "todo"
    pipeline.import_file(works, str(row.id))
    assert now_at(database, row).state == "done"
    pipeline.import_file(works, str(row.id))
    assert now_at(database, row).new == 5


def test_a_file_sealed_under_another_key_fails_in_a_sentence(database, vault, works, written):
    path, asked = written(5)
    row = uploaded(database, Vault("the key of another installation, long enough"), path, asked)
    pipeline.import_file(works, str(row.id))
    ended = now_at(database, row)
    assert (ended.state, ended.rows) == ("failed", 0)
    assert ended.reason is not None
    assert "secret key" in ended.reason
    assert scalar(database, "SELECT count(*) FROM import_chunk") == 0


def test_what_is_imported_waits_behind_whatever_is_pushed(database, vault, wiring, written):
    path, asked = written(5)
    list(pieces(database, vault, begun(database, asked), path))
    assert scalar(database, "SELECT priority FROM procrastinate_jobs WHERE task_name = 'classify'") == jobs.LATER


def test_a_preview_stores_nothing_and_tells_records_and_mistakes(database, written):
    path, asked = written(2, "x-1,Late.,eleven")
    seen = importing.preview(path, asked, 10)
    assert [(one.number, one.record is not None) for one in seen] == [(2, True), (3, True), (4, False)]
    assert [(one.row, one.column) for one in seen[2].mistakes] == [(4, "nps")]
    assert scalar(database, "SELECT count(*) FROM import") == 0
