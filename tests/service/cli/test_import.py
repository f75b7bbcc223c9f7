"""`heed import` as a shell sees it: what it understood, what it stored, what it says and how it ends."""

import csv
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import text

from service.cli.main import main
from service.ingest import importing
from service.store.database import Database, connect
from service.store.migrate import migrate

CSV = """id,Comment,nps,colour
a-1,Parcel came two weeks late and broken.,3,red
a-2,Great service!,10,=1+1
a-3,Nobody answered my call.,eleven,-3
a-1,Parcel came two weeks late and broken.,3,red
"""
BOTH = ("--map", "external_id=Comment", "--map", "verbatims.0.text=Comment")
NPS = ("--map", "scores.nps=nps", "--map", "external_id=id")


@dataclass
class Command:
    """Runs `heed import FILE` in this process."""

    file: Path
    database: Database
    environment: dict[str, str]
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str, code: int = 0) -> tuple[str, str]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["heed", "import", str(self.file), *words])
            patch.setattr("service.telemetry.configure", lambda _level: None)  # the tests' own logging stays
            with pytest.raises(SystemExit) as ended:
                main()
        said = self.capture.readouterr()
        assert ended.value.code == code, said
        return said.out, said.err

    def json(self, *words: str, code: int = 0) -> Any:
        out, err = self(*words, "--json", code=code)
        assert err == ""
        return json.loads(out)

    def count(self, table: str, source: str) -> int:
        with self.database.session() as session:
            found = session.execute(text(f"SELECT count(*) FROM {table} WHERE source = :source"), {"source": source})  # noqa: S608 (our own tables)
            return int(found.scalar_one())


@pytest.fixture(scope="module")
def reached(server_url: str) -> Iterator[tuple[str, Database]]:
    name = f"heed_cli_import_{os.getpid()}"
    server = connect(server_url, pool=1)
    alone = server.engine.execution_options(isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = server.engine.url.set(database=name).render_as_string(hide_password=False)
    database = connect(url, pool=1)
    migrate(database)
    yield url, database
    database.engine.dispose()
    with alone.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.engine.dispose()


@pytest.fixture
def run(
    reached: tuple[str, Database],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    url, database = reached
    home = tmp_path_factory.getbasetemp() / "import-home"
    file = tmp_path / "answers.csv"
    file.write_text(CSV)
    environment = {"HEED_HOME": str(home), "HEED_DATABASE_URL": url, "COLUMNS": "200"}
    return Command(file, database, environment, capsys)


def test_it_says_what_it_understood_and_what_became_of_every_row(run):
    out, err = run("--source", "said", *NPS, code=3)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert err == ""
    assert lines[0].startswith("answers.csv: csv")
    assert "external_id <- id a-1" in lines
    assert "verbatims.0.text <- Comment Parcel came two weeks late and broken." in lines
    assert "scores.nps <- nps 3" in lines
    assert "4 rows: 2 new, 1 duplicate, 1 rejected." in lines
    assert any(line.startswith("4 nps ") for line in lines)
    assert run.count("feedback", "said") == 2


def test_json_is_the_answer_of_the_api_and_nothing_else(run):
    told = run.json("--source", "json", *NPS, code=3)
    assert (told["state"], told["rows"], told["new"], told["rejected"], told["file_name"]) == (
        "done", 4, 2, 1, "answers.csv",
    )  # fmt: skip
    assert [(one["row"], one["column"]) for one in told["errors"]] == [(4, "nps")]
    run.file.write_text("id,text\nb-1,Late.\n")
    assert run.json("--source", "json")["rejected"] == 0


def test_each_map_changes_one_guess_and_an_empty_one_drops_it(run):
    told = run.json("--source", "map", "--map", "context.colour=", *BOTH)
    assert "context.colour" not in told["mapping"]
    assert told["mapping"]["external_id"] == "Comment"
    assert (told["new"], told["duplicate"]) == (3, 1)


def test_a_map_takes_its_column_from_the_guess(run):
    run.file.write_text("code,colour,text\nk-1,red,Late.\nk-2,red,Late.\n")
    mapping = run.json("--source", "taken", "--dry-run", "--map", "external_id=code")["mapping"]
    assert mapping == {"external_id": "code", "context.colour": "colour", "verbatims.0.text": "text"}


@pytest.mark.parametrize(
    ("content", "said", "unsaid"),
    [
        ("id,date,text\nb-1,2026-11-20,Late.\n", [], ["No column is used"]),
        ("text\nLate.\n", ["No column is used as the answer's own id.", "as the time when they answered"], ["'text'"]),
        ("id,date,text\nb-1,11/02/2026,Late.\n", ["'date' is named as a time: --map submitted_at=date"], ["own id"]),
        ("id,sent at,text\nb-1,soon,Late.\n", ["--map 'submitted_at=sent at' uses it"], ["own id"]),
    ],
)
def test_it_warns_where_no_column_is_the_id_or_the_time(run, content, said, unsaid):
    run.file.write_text(content)
    out, _ = run("--source", "warned", "--dry-run")
    assert all(words in out for words in said)
    assert not any(words in out for words in unsaid)


def test_examples_of_a_workbook_are_shown_as_they_are_stored(run):
    run.file = run.file.with_suffix(".xlsx")
    with xlsxwriter.Workbook(run.file) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate([("id", "comment"), (1000, "Late."), (1001, "Broken.")]):
            sheet.write_row(number, 0, cells)
    out, _ = run("--source", "book", "--dry-run")
    assert "external_id <- id 1000" in [" ".join(line.split()) for line in out.splitlines()]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--map", "scores.nps=npx"), "scores.nps"),
        (("--map", "scores.npx=nps"), "scores.npx"),
        (("--map", "verbatims.0.text="), "No score and no verbatim is mapped"),
        (("--map", "external_id"), "--map external_id has no '='"),
        (("--source", "no source"), "No source can be called 'no source'"),
    ],
)
def test_wrong_use_ends_with_2_and_says_what_to_do(run, words, said):
    before = run.count("import", "wrong")
    out, err = run("--source", "wrong", *words, code=2)
    assert out == ""
    assert said in err
    assert run.count("import", "wrong") == before


def test_a_dry_run_stores_nothing_and_needs_no_database(run):
    run.environment["HEED_DATABASE_URL"] = "postgresql://heed@127.0.0.1:1/heed"
    out, err = run("--source", "dry", "--dry-run", *NPS, code=3)
    assert err == ""
    assert "external_id" in out
    assert '"nps":3' in out
    assert "Of the first 4 rows 1 would be rejected. Nothing was stored." in out
    told = run.json("--source", "dry", "--dry-run", *NPS, code=3)
    assert [one["external_id"] for one in told["records"]] == ["a-1", "a-2", "a-1"]
    assert [(one["row"], one["column"]) for one in told["errors"]] == [(4, "nps")]


def test_rejected_rows_are_written_with_formulas_neutralised(run, tmp_path):
    run.file.write_text("id,text,nps\n=cmd|'/c calc'!A1,Late.,eleven\n-3,Late.,12\nx,Late.,3\n")
    rejects = tmp_path / "rejected.csv"
    run("--source", "rejects", "--errors", str(rejects), *NPS, code=3)
    with rejects.open(newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["row", "errors", "id", "text", "nps"]
    assert [(row[0], *row[2:]) for row in rows] == [
        ("2", "'=cmd|'/c calc'!A1", "Late.", "eleven"),
        ("3", "-3", "Late.", "12"),
    ]
    assert all(row[1].startswith("nps: ") for row in rows)


def test_rejected_rows_that_cannot_be_written_leave_nothing_begun(run, tmp_path):
    _, err = run("--source", "unwritten", "--errors", str(tmp_path / "nowhere" / "rejected.csv"), *NPS, code=1)
    assert err.endswith("rejected.csv cannot be written: No such file or directory.\n")
    assert run.count("import", "unwritten") == 0


def test_rejected_rows_of_another_import_are_replaced(run, tmp_path):
    rejects = tmp_path / "rejected.csv"
    rejects.write_text("of before\n" * 9)
    run("--source", "replaced", "--errors", str(rejects), *NPS, code=3)
    with rejects.open(newline="") as stream:
        assert [row[0] for row in csv.reader(stream)] == ["row", "4"]


def test_an_import_that_stood_at_its_beginning_goes_on_without_a_word(run, monkeypatch):
    def interrupted(*_arguments: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(importing, "_store", interrupted)
        run("--source", "beginning", *NPS, code=1)
    out, _ = run("--source", "beginning", *NPS, code=3)
    assert "going on" not in out
    assert run.count("import", "beginning") == 1


def test_a_row_read_through_another_mapping_is_told_what_to_do(run):
    run.file.write_text("id,text,colour\nb-1,Late.,red\n")
    run("--source", "remapped")
    out, _ = run("--source", "remapped", "--map", "context.colour=", code=3)
    assert "or read it with the same mapping as before." in " ".join(out.split())


def test_an_interrupted_import_says_where_it_goes_on(run, monkeypatch):
    monkeypatch.setattr(importing, "PIECE", 2)
    store, stored = importing._store, []

    def interrupted(*arguments: Any) -> Any:
        if len(stored) == 1:
            raise KeyboardInterrupt
        stored.append(arguments)
        return store(*arguments)

    monkeypatch.setattr(importing, "_store", interrupted)
    _, err = run("--source", "again", *NPS, code=1)
    assert err == "Interrupted after row 3: the same command goes on from there.\n"
    monkeypatch.setattr(importing, "_store", store)
    out, _ = run("--source", "again", *NPS, code=3)
    assert "This file was begun before: going on after row 3." in out
    assert "4 rows: 2 new, 1 duplicate, 1 rejected." in out
    assert run.count("import", "again") == 1


def test_history_is_kept_as_such(run):
    run("--source", "past", "--history", *NPS, code=3)
    with run.database.session() as session:
        query = text("SELECT DISTINCT history FROM feedback WHERE source = 'past'")
        assert session.execute(query).scalars().all() == [True]


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"id,text\n"], ids=["empty", "pdf", "only a header"])
def test_a_file_that_cannot_be_read_is_a_sentence(run, content):
    run.file.write_bytes(content)
    out, err = run("--source", "bad", code=1)
    assert out == ""
    assert err.startswith("The file ")
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_is_wrong_use(run):
    run.file.unlink()
    _, err = run("--source", "s", code=2)
    assert "does not exist" in " ".join(err.split())
