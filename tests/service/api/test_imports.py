"""Files through the API: looked at when they come, stored by a worker, every row accounted for."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import text

CSV = """id,text,nps,site
a-1,Parcel came two weeks late and broken.,3,Lodz
a-2,Great service!,10,Lodz
a-3,Nobody answered my call.,eleven,Lodz
a-1,Parcel came two weeks late and broken.,3,Lodz
a-2,Terrible service!,1,Lodz
,No id at all.,5,Lodz
"""
MAPPING = {"external_id": "id", "verbatims.0.text": "text", "scores.nps": "nps", "context.site": "site"}


DELIVERING = """
name: delivering
rules:
  - name: unhappy
    when: scores.nps <= 6
    then: {create: follow_up, sla: soon, deliver: [helpdesk]}
slas: {soon: {acknowledge: 4h, resolve: 2d}}
"""


@pytest.fixture(scope="module", autouse=True)
def _delivering(house) -> None:
    version = house.client().post("/v1/policies", content=DELIVERING).json()["version"]
    answer = house.client().post(f"/v1/policies/{version}/activate", json={"comment": "test"})
    assert answer.status_code == 200


def post(client, content: bytes | str, name: str = "answers.csv", **fields: Any):
    sent = {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
    data = content.encode() if isinstance(content, str) else content
    return client.post("/v1/imports", files={"file": (name, data)}, data=sent)


def imported(house, content: bytes | str, name: str = "answers.csv", role: str = "admin", **fields: Any) -> Any:
    client = house.client(role)
    answer = post(client, content, name, **fields)
    assert answer.status_code == 202, answer.text
    house.drain()
    return client.get(f"/v1/imports/{answer.json()['id']}").json()


def counts(told: Any) -> dict[str, int]:
    names = ("rows", "new", "duplicate", "revision", "stale", "rejected")
    return {name: told[name] for name in names if told[name]}


def follow_up(story: Any) -> Any:
    (item,) = (one for one in story["work_items"] if one["kind"] == "follow_up")
    return item


def test_every_row_is_new_a_duplicate_or_rejected_with_its_place(house):
    source = house.unique()
    told = imported(house, CSV, source=source, mapping=MAPPING)

    assert (told["state"], told["reason"], told["source"], told["file_name"]) == ("done", None, source, "answers.csv")
    assert counts(told) == {"rows": 6, "new": 2, "duplicate": 1, "rejected": 3}
    assert [(one["row"], one["column"]) for one in told["errors"]] == [(4, "nps"), (6, "id"), (7, "id")]
    assert told["errors"][1]["detail"].startswith("Revision 1 of 'a-2' is stored, or stands earlier in this file")
    assert all(one["detail"].endswith(".") for one in told["errors"])
    assert (told["mapping"], told["created_by"], told["history"]) == (MAPPING, "admin", False)
    assert told["finished_at"] >= told["created_at"]
    listed = house.client().get("/v1/feedback", params={"source": source}).json()["items"]
    assert {(one["external_id"], one["state"]) for one in listed} == {("a-1", "routed"), ("a-2", "routed")}


def test_what_was_imported_tells_its_story(house):
    source = house.unique()
    imported(house, CSV, source=source, mapping=MAPPING)
    listed = house.client().get("/v1/feedback", params={"source": source}).json()["items"]
    (unhappy,) = (one for one in listed if one["external_id"] == "a-1")
    story = house.client().get(f"/v1/feedback/{unhappy['id']}").json()

    assert story["feedback"]["scores"] == {"nps": 3}
    assert story["feedback"]["context"] == {"site": "Lodz"}
    assert story["decision"]["mode"] == "live"
    assert follow_up(story)["due_at"] is not None


def test_the_same_file_again_is_all_duplicates_and_higher_revisions_are_taken(house):
    source = house.unique()
    first = "external_id,revision,text\nr-1,1,Late.\nr-2,5,Late.\n"
    assert counts(imported(house, first, source=source)) == {"rows": 2, "new": 2}
    assert counts(imported(house, first, source=source)) == {"rows": 2, "duplicate": 2}
    later = "external_id,revision,text\nr-1,2,Late and broken.\nr-2,4,Later.\n"
    assert counts(imported(house, later, source=source)) == {"rows": 2, "revision": 1, "stale": 1}


def workbook(rows: list[list[object]]) -> bytes:
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            sheet.write(number, place, value)
    book.close()
    return made.getvalue()


WORDS = {"external_id": "id", "verbatims.0.text": "text"}
SHORT = {**WORDS, "scores.nps": "nps"}
NDJSON = (
    '{"external_id": "n-1", "scores": {"nps": 3}, "verbatims": [{"text": "Late."}]}\n'
    '{"external_id": "n-2", "scores": {"nps": 11}}\n'
    "no json\n"
)


@pytest.mark.parametrize(
    ("content", "name", "mapping", "expected", "places"),
    [
        (workbook([["id", "nps", "text"], ["x-1", 3, "Late."], ["x-2", "many", "Late."]]), "a.xlsx", SHORT,
         {"rows": 2, "new": 1, "rejected": 1}, [(3, "nps")]),
        (NDJSON, "a.ndjson", {name: name for name in SHORT},
         {"rows": 3, "new": 1, "rejected": 2}, [(2, "scores.nps"), (3, None)]),
        ("id;text\nx-1;Zu spät.\n".encode("cp1252"), "a.csv", WORDS, {"rows": 1, "new": 1}, []),
        ("id\ttext\nx-1\tLate.\n".encode("utf-16"), "a.txt", WORDS, {"rows": 1, "new": 1}, []),
        ("id,text\nx-1," + "x" * 100_001 + "\nx-2,Late.\n", "a.csv", WORDS,
         {"rows": 2, "new": 1, "rejected": 1}, [(2, "text")]),
    ],
    ids=["xlsx", "ndjson", "semicolons", "tabs", "huge cell"],
)  # fmt: skip
def test_formats_and_encodings_are_recognised(house, content, name, mapping, expected, places):
    told = imported(house, content, name, source=house.unique(), mapping=mapping)
    assert (told["state"], counts(told)) == ("done", expected)
    assert [(one["row"], one["column"]) for one in told["errors"]] == places


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"mapping": {**MAPPING, "scores.nps": "npx"}}, "/mapping/scores.nps"),
        ({"mapping": {**MAPPING, "scores.npx": "nps"}}, "/mapping/scores.npx"),
        ({"mapping": {"external_id": "id"}}, "/mapping"),
        ({"mapping": "no json"}, "/mapping"),
        ({"mapping": ["external_id"]}, "/mapping"),
        ({"mapping": {"external_id": 3}}, "/mapping"),
        ({"mapping": '{"external_id": "id", "external_id": "id"}'}, "/mapping"),
        ({"source": "no source"}, "/source"),
        ({"history": "perhaps"}, "/history"),
        ({"colour": "blue"}, "/colour"),
    ],
)
def test_a_form_that_is_wrong_says_where(house, fields, pointer):
    before = house.count("import")
    answer = post(house.client(), CSV, **{"source": "s", **fields})
    assert answer.status_code == 422
    assert pointer in [one["pointer"] for one in answer.json()["errors"]]
    assert house.count("import") == before


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.csv"),
        (b"id,text\n", "header.csv"),
        (b"%PDF-1.7 ...", "a.csv"),
        (b"PK\x03\x04 no workbook", "a.xlsx"),
        (bytes(range(256)) * 20, "noise.csv"),
    ],
    ids=["empty", "only a header", "pdf", "broken workbook", "noise"],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(house, content, name):
    answer = post(house.client(), content, name, source="s")
    assert answer.status_code == 422
    assert all(one["pointer"].startswith(("/file", "/mapping")) for one in answer.json()["errors"])
    assert answer.json()["errors"][0]["detail"].endswith(".")


BOUNDARY = "multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("text/csv", CSV.encode(), 415),
        ("multipart/form-data", b"--x\r\n", 400),
        (BOUNDARY, b"nonsense", 400),
        (BOUNDARY, b"", 400),
        (BOUNDARY, b'--x\r\nContent-Disposition: form-data; name="source"\r\n\r\ns\r\n--x--\r\n', 422),
        (BOUNDARY, b"--x\r\nContent-Disposition: form-data\r\n\r\ns\r\n--x--\r\n", 400),
        (BOUNDARY, b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nid,te', 400),
        (f"{BOUNDARY}; charset=hex", b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\ns\r\n--x--\r\n', 422),
        (BOUNDARY, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 20 + b"--x--\r\n", 400),
    ],
)
def test_a_body_that_is_no_form_is_a_problem(house, kind, body, status):
    answer = house.client().post("/v1/imports", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\data\\answers.csv", "answers.csv"), ("a\u202eb.csv", "ab.csv")],
)
def test_a_file_name_is_no_path_and_holds_no_controls(house, name, kept):
    assert imported(house, "id,text\nx,Late.\n", name, source=house.unique())["file_name"] == kept


def test_history_starts_no_clock_and_sends_nothing_whatever_happens_later(house):
    source = house.unique()
    client = house.client()
    before = house.count("delivery")
    imported(house, CSV, source=house.unique(), mapping=MAPPING)
    delivered = house.count("delivery")
    assert delivered == before + 1, "of today, one is sent"
    imported(house, CSV, source=source, mapping=MAPPING, history="true")
    listed = client.get("/v1/feedback", params={"source": source}).json()["items"]
    (unhappy,) = (one for one in listed if one["external_id"] == "a-1")
    story = client.get(f"/v1/feedback/{unhappy['id']}").json()
    item = follow_up(story)

    assert (story["decision"]["mode"], item["due_at"], item["deliveries"]) == ("history", None, [])
    assert item["targets"] == {"acknowledge": None, "contact": None, "resolve": None}
    for event in (
        {"type": "acknowledge"},
        {"type": "wait", "until": "2020-01-01T00:00:00Z"},
        {"type": "resume"},
        {"type": "contact_attempt", "channel": "phone", "outcome": "reached"},
        {"type": "resolve", "outcome": "done", "root_cause": "packaging"},
        {"type": "reopen", "comment": "Again."},
    ):
        client.post(f"/v1/work-items/{item['id']}/events", json=event)
    house.drain()
    after = client.get(f"/v1/work-items/{item['id']}").json()
    assert (after["due_at"], after["deliveries"]) == (None, [])
    assert len(after["events"]) > 4
    assert house.count("delivery") == delivered


def test_a_later_push_of_a_historic_record_is_of_today(house):
    source = house.unique()
    imported(house, "id,text\nh-1,Fine.\n", source=source, history="true")
    pushed = {"source": source, "external_id": "h-1", "revision": 2, "scores": {"nps": 1}}
    (told,) = house.client().post("/v1/feedback", json=pushed).json()["results"]
    house.drain()
    story = house.client().get(f"/v1/feedback/{told['id']}").json()
    assert (story["decision"]["mode"], follow_up(story)["due_at"] is not None) == ("live", True)


def test_a_bound_key_imports_and_sees_its_own_source_only(house):
    own, other = house.unique(), house.unique()
    client = house.client("source", own)
    begun = post(client, "id,text\nx,Late.\n", source=own).json()["id"]
    refused = post(client, "id,text\nx,Late.\n", source=other)
    foreign = post(house.client(), "id,text\nx,Late.\n", source=other).json()["id"]

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (403, "/source")
    assert client.get(f"/v1/imports/{begun}").status_code == 200
    assert client.get(f"/v1/imports/{foreign}").status_code == 404
    assert [one["id"] for one in client.get("/v1/imports").json()["items"]] == [begun]
    assert house.client("auditor").get(f"/v1/imports/{foreign}").status_code == 200
    assert post(house.client("supervisor"), CSV, source="s").status_code == 403
    assert post(house.stranger, CSV, source="s").status_code == 401
    house.drain()


def test_imports_are_listed_newest_first_page_by_page(house):
    source = house.unique()
    client = house.client("source", source)
    made = [post(client, f"id,text\nx-{n},Late.\n", source=source).json()["id"] for n in range(3)]
    first = client.get("/v1/imports", params={"limit": 2}).json()
    second = client.get("/v1/imports", params={"limit": 2, "cursor": first["next"]}).json()
    assert [one["id"] for one in first["items"] + second["items"]] == made[::-1]
    assert second["next"] is None
    house.drain()


def test_a_file_is_sealed_while_it_waits_and_gone_when_it_is_done(house):
    words = "Parcel came two weeks late and broken."
    answer = post(house.client(), CSV, source=house.unique(), mapping=MAPPING)
    with house.database.session() as session:
        query = text("SELECT string_agg(data, '' ORDER BY number) FROM import_chunk WHERE import_id = :id")
        sealed = session.execute(query, {"id": answer.json()["id"]}).scalar_one()
    assert len(sealed) >= len(CSV)
    assert words.encode() not in sealed
    house.drain()
    assert house.count("import_chunk") == 0


def test_a_spreadsheet_of_this_session_leaves_no_file_behind(house, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    imported(house, workbook([["id", "text"], *([f"x-{n}", "Late."] for n in range(50))]), "a.xlsx", source="tmp")
    assert list(tmp_path.iterdir()) == []
