"""`/imports`: a file is sent once, looked at, mended, begun or thrown away; then how far it has come."""

import csv
import io
import re
from html import unescape
from uuid import uuid4

import pytest
import xlsxwriter
from builders import record
from sqlalchemy import text

from service.ingest import rehearsal
from service.pipeline import clean

ANSWERS = """id,written,points,shop,mail
r-1,"The parcel came late, and it was broken when I opened it.",3,Lodz,a@example.com
r-2,"=HYPERLINK(""http://evil.example"")",9,Rome,
r-3,Everything was fine and the people were friendly.,77,Rome,
"""
MAPPED = {
    "column-0": "external_id",
    "column-1": "verbatims.0.text",
    "column-2": "scores.nps",
    "column-3": "context.shop",
}


def read(answer) -> str:
    body = answer.text[answer.text.index("<main") :]
    body = re.sub(r"</?(?:bdi|strong|span)[^>]*>", "", body)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def told_wrong(answer) -> str:
    return " ".join(unescape(one) for one in re.findall(r'class="error">([^<]*)<', answer.text))


@pytest.fixture(scope="module")
def sender(site):
    return site.visitor("source")


@pytest.fixture(autouse=True)
def nothing_waits_afterwards(site):
    """One person may keep a few files only."""
    yield
    waiting = "SELECT id FROM import WHERE state = 'waiting'"
    with site.database.session() as session:
        session.execute(text(f"DELETE FROM import_chunk WHERE import_id IN ({waiting})"))  # noqa: S608 (our own words)
        session.execute(text("DELETE FROM import WHERE state = 'waiting'"))


@pytest.fixture
def send(site, sender):
    def sent(content: str | bytes = ANSWERS, name: str = "answers.csv", source: str = "shops", by=sender, **fields):
        data = content.encode() if isinstance(content, str) else content
        return site.form(by, "/imports", "/imports", files={"file": (name, data)}, source=source, **fields)

    return sent


@pytest.fixture
def kept(send):
    """A file that waits; the address of its page."""
    answer = send()
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def stored(site, source: str) -> list[tuple[str, dict]]:
    with site.database.session() as session:
        found = text(
            "SELECT external_id, body FROM feedback f JOIN feedback_revision r ON r.feedback_id = f.id"
            " WHERE source = :source ORDER BY external_id"
        )
        return [tuple(row) for row in session.execute(found, {"source": source})]


def chunks(site) -> int:
    with site.database.session() as session:
        return session.execute(text("SELECT count(*) FROM import_chunk")).scalar_one()


def test_the_first_rows_are_shown_as_they_were_understood(site, sender, kept):
    page = sender.get(kept)
    told = read(page)
    assert "waits for your word" in told
    assert "Nothing is taken in yet." in told
    assert "Lodz" in told
    assert "Import 3 rows" in told
    assert stored(site, "shops") == []


def test_a_mapping_is_tried_before_anything_is_taken_in(site, sender, kept):
    answer = site.form(sender, f"{kept}/try", kept, **MAPPED)
    told = read(sender.get(answer.headers["location"]))
    assert "Row what they wrote NPS, 0 to 10 the answer's own id kept beside it, as 'shop'" in told
    assert "2 The parcel came late, and it was broken when I opened it. 3 r-1 Lodz" in told
    assert "1 of the first 3 rows." in told
    assert "Row 4, column points: At most 10 is allowed here." in told
    assert stored(site, "shops") == []


def test_begun_it_is_taken_in_by_a_worker_and_its_errors_are_a_table(site, sender, send):
    place = send(source="begun").headers["location"]
    answer = site.form(sender, f"{place}/start", place, **MAPPED)
    assert answer.headers["location"] == f"{place}?done=started"
    under_way = sender.get(place)
    assert 'data-refresh="#import 2"' in under_way.text
    assert "0 rows of about 3 are in" in read(under_way)
    site.drain()
    told = read(sender.get(place))
    assert "done, some refused" in told
    assert "New 2 Known already, and the same 0 Newer than what was known 0 Older than what was known 0" in told
    assert "4 points At most 10 is allowed here." in told
    assert [name for name, _ in stored(site, "begun")] == ["r-1", "r-2"]
    sheet = sender.get(f"{place}/errors.csv")
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(sheet.content.decode("utf-8-sig")))) == [
        ["row", "column", "what is wrong"],
        ["4", "points", "At most 10 is allowed here."],
    ]
    assert chunks(site) == 0 or place not in told


def test_a_formula_in_the_table_of_errors_is_text(site, sender, send):
    place = send("id,=cmd()\nr-1,77\n", source="formula").headers["location"]
    site.form(sender, f"{place}/start", place, **{"column-0": "external_id", "column-1": "scores.nps"})
    site.drain()
    sheet = sender.get(f"{place}/errors.csv").content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(sheet)))[1][1] == "'=cmd()"


def test_of_the_past_it_starts_no_clocks(site, sender, send):
    place = send(source="past", history="yes").headers["location"]
    assert re.search(r'name="history"[^>]* checked', sender.get(place).text)
    site.form(sender, f"{place}/start", place, history="yes", **MAPPED)
    with site.database.session() as session:
        assert session.execute(text("SELECT history FROM import WHERE source = 'past'")).scalar_one()


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({"column-0": "external_id"}, "Choose a column for what people wrote, or for a score"),
        ({"column-1": "scores.nps", "column-2": "scores.nps"}, "Both 'written' and 'points' are chosen for NPS"),
        ({"column-1": "verbatims.0.text", "column-2": "wages"}, "There is no such field"),
    ],
)
def test_a_mapping_that_cannot_work_begins_nothing(site, sender, kept, mapping, told):
    answer = site.form(sender, f"{kept}/start", kept, **mapping)
    assert answer.status_code == 422
    assert told in read(answer)
    assert "waits for your word" in read(sender.get(kept))
    for column, field in mapping.items():
        if "Both" not in told:
            selected = rf'name="{column}">(?:(?!</select>).)*value="{re.escape(field)}" selected'
            assert re.search(selected, answer.text, re.DOTALL)


def test_thrown_away_nothing_is_left(site, sender, kept):
    before = chunks(site)
    assert site.form(sender, f"{kept}/throw-away", kept).headers["location"] == "/imports?done=thrown_away"
    assert sender.get(kept).status_code == 404
    assert chunks(site) == before - 1


def test_what_has_begun_cannot_be_begun_or_thrown_away_again(site, sender, send):
    place = send(source="twice").headers["location"]
    site.form(sender, f"{place}/start", place, **MAPPED)
    again = site.form(sender, f"{place}/start", place, **MAPPED)
    assert again.headers["location"] == f"{place}?done=begun"
    assert site.form(sender, f"{place}/throw-away", place).status_code == 409
    with site.database.session() as session:
        jobs = text(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'import' AND args ->> 'upload' = :upload"
        )
        assert session.execute(jobs, {"upload": place.rpartition("/")[2]}).scalar_one() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"content": b""}, "file"),
        ({"content": b"\x00\x01\x02\x03" * 50, "name": "x.xlsx"}, "file"),
        ({"source": "two words"}, "source"),
        ({"source": ""}, "source"),
        ({"source": "x" * 65}, "source"),
    ],
)
def test_what_cannot_be_sent_is_told_beside_its_field(send, changes, field):
    answer = send(**changes)
    assert answer.status_code == 422
    assert re.search(rf'id="h-{field}" class="error">[^<]{{10,}}<', answer.text), told_wrong(answer)


def test_without_a_file_it_says_so(site, sender):
    answer = site.form(sender, "/imports", "/imports", source="shops")
    assert told_wrong(answer) == "Choose a file: CSV, Excel (.xlsx) or NDJSON."


def test_a_workbook_is_looked_at_too(sender, send):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Answers")
        for number, cells in enumerate([("id", "nps", "comment"), (1000, 3, "Too late, and broken as well.")]):
            sheet.write_row(number, 0, cells)
    told = read(sender.get(send(content.getvalue(), "answers.xlsx").headers["location"]))
    assert "Too late, and broken as well." in told
    assert "Import 1 row" in told
    assert "1000" in told
    assert "1000.0" not in told


@pytest.mark.parametrize(("answered", "warned"), [("2026-11-20", False), ("11/02/2026", True)])
def test_it_warns_where_no_column_is_the_time(sender, send, answered, warned):
    place = send(f"id,date,comment\nr-1,{answered},Too late.\n").headers["location"]
    assert ("No column is used as the time when they answered" in read(sender.get(place))) == warned


def test_what_waits_is_for_who_sent_it_and_whoever_may_read_everything(site, kept):
    other = site.signed_in(site.person(f"other-{uuid4().hex[:8]}", "source"))
    assert other.get(kept).status_code == 404
    assert kept not in other.get("/imports").text
    for path in ("try", "start", "throw-away"):
        assert site.form(other, f"{kept}/{path}", "/imports").status_code == 404
    assert site.visitor("admin").get(kept).status_code == 200
    auditor = site.visitor("auditor")
    assert "Throw the file away" not in auditor.get(kept).text
    assert site.form(auditor, f"{kept}/start", kept).status_code == 403


def test_what_waits_is_no_import_to_a_program(site, kept):
    answer = site.api("source").get(f"/v1/imports/{kept.rpartition('/')[2]}")
    assert answer.status_code == 404


def test_a_file_nobody_came_back_to_is_forgotten(site, sender, kept):
    clean(site.works)
    assert sender.get(kept).status_code == 200
    with site.database.session() as session:
        session.execute(text("UPDATE import SET created_at = now() - interval '2 days' WHERE state = 'waiting'"))
    clean(site.works)
    assert sender.get(kept).status_code == 404
    with site.database.session() as session:
        left = text("SELECT count(*) FROM import WHERE state = :waiting")
        assert session.execute(left, {"waiting": rehearsal.WAITING}).scalar_one() == 0


def test_the_list_can_be_of_one_source(site, sender, send):
    send(source="one-of-them", name="only-this.csv")
    send(source="another", name="not-this.csv")
    told = read(sender.get("/imports?source=one-of-them"))
    assert "only-this.csv" in told
    assert "not-this.csv" not in told


def test_a_file_name_is_shown_inert(sender, send):
    page = sender.get(send(name="<img src=x onerror=alert(1)>\u202egpj.csv").headers["location"])
    assert "<img" not in page.text
    assert "\u202e" not in page.text


def test_sources_that_are_known_are_offered(site, sender):
    site.push([record("known", source="known-source")])
    assert '<option value="known-source">' in sender.get("/imports").text


@pytest.mark.parametrize("role", ["supervisor", "product", "reviewer"])
def test_it_is_open_to_whoever_may_import(site, role):
    assert site.visitor(role).get("/imports").status_code == 403


def test_a_sixth_file_that_waits_is_refused_with_the_remedy(site, sender, send):
    for _ in range(rehearsal.MOST_FILES + 1):
        answer = send()
    assert answer.status_code == 422
    assert "5 files of yours wait already: start them or throw them away first." in unescape(answer.text)
