"""Searching: an id leads straight there, a customer or words to the records that hold them."""

import re
from html import unescape

import pytest
from sqlalchemy import text

from service.pages import found

POLICY = """
name: search
rules:
  - name: low
    when: scores.nps <= 6
    then: {create: follow_up, deliver: [helpdesk]}
  - name: high
    when: scores.nps >= 9
    then: {create: backlog_item}
"""


def said(answer):
    """A page's text as a person reads it."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def hits(answer):
    return re.findall(r'<a class="open" href="/feedback/([^"]+)"', answer.text)


@pytest.fixture(scope="module")
def ids(site):
    site.use(POLICY)
    records = [
        {
            "source": "shop",
            "external_id": "r 1",
            "scores": {"nps": 3},
            "verbatims": [{"text": "The zebra kettle is late."}],
        },
        {"source": "app", "external_id": "r 1", "scores": {"nps": 10}, "customer": {"id": "c 7/ü"}},
        {"source": "app", "external_id": "r 2", "scores": {"nps": 7}, "verbatims": [{"text": "A zebra, a kettle."}]},
    ]
    pushed = site.push(records)
    site.drain()
    return pushed


@pytest.fixture
def ask(site):
    def asked(query, role="supervisor"):
        return site.visitor(role).get("/search", params={"q": query})

    return asked


def test_an_id_leads_straight_there(site, ids, ask):
    low, high = (site.api().get(f"/v1/feedback/{one}").json() for one in ids[:2])
    follow_up, idea = low["work_items"][0]["id"], high["work_items"][0]["id"]
    delivery = low["deliveries"][0]["id"]
    for query, role, place in (
        (ids[0], "supervisor", f"/feedback/{ids[0]}"),
        (f" {ids[0].upper()} ", "product", f"/feedback/{ids[0]}"),
        (low["decision"]["id"], "auditor", f"/feedback/{ids[0]}#decision"),
        (follow_up, "supervisor", f"/work-items/{follow_up}"),
        (follow_up, "product", f"/feedback/{ids[0]}"),  # the nearest that they may open
        (delivery, "admin", f"/work-items/{follow_up}"),
        (idea, "product", f"/backlog/{idea}"),
        (idea, "source", f"/feedback/{ids[1]}"),
    ):
        answer = ask(query, role)
        assert (answer.status_code, answer.headers.get("location")) == (303, place), (query, role)


def test_an_import_is_found_by_whoever_may_open_it(site, ids, ask):
    site.api().post("/v1/imports", data={"source": "files"}, files={"file": ("a.csv", b"id,nps\n1,7\n")})
    (begun,) = site.api().get("/v1/imports").json()["items"]
    for role, place in (("source", f"/imports/{begun['id']}"), ("auditor", f"/imports/{begun['id']}")):
        assert ask(begun["id"], role).headers["location"] == place
    for role in ("supervisor", "product"):
        assert ask(begun["id"], role).status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("r 1", {0, 1}),
        ("r 2", {2}),
        ("c 7/ü", {1}),
        ("zebra", {0, 2}),
        ("ZEBRA late", {0}),
        ('"zebra kettle"', {0}),
        ("zebra or late", {0, 2}),
        ("-zebra", {0, 2}),  # never everything without a word
        ("giraffe", set()),
        ("r", set()),
        ("%", set()),
        ("' & | ! :* \\", set()),
    ],
)
def test_what_is_found(ids, ask, query, expected):
    answer = ask(query)
    assert answer.status_code == 200
    assert {ids.index(one) for one in hits(answer)} == expected


def test_a_line_says_where_it_comes_from_and_what_it_made(ids, ask):
    told = said(ask("zebra late"))
    assert "With these words 1 record The zebra kettle is late. shop , r 1 · made: follow-up ✓ decided" in told


def test_the_words_of_an_older_revision_are_not_found(site, ids, ask):
    record = {"source": "shop", "external_id": "changed", "scores": {"nps": 7}}
    (changed,) = site.push([{**record, "verbatims": [{"text": "okapi"}]}])
    assert hits(ask("okapi")) == [changed]
    site.push([{**record, "revision": 2, "verbatims": [{"text": "gnu"}]}])
    assert hits(ask("okapi")) == []
    assert hits(ask("gnu")) == [changed]


def test_common_words_are_looked_for_in_the_newest_records(site, ids, ask, monkeypatch):
    monkeypatch.setattr(found, "_COMMON", 1)
    monkeypatch.setattr(found, "_NEWEST", 100)
    answer = ask("zebra")
    assert {ids.index(one) for one in hits(answer)} == {0, 2}
    assert "Very many records hold these words" in said(answer)


def test_words_that_take_too_long_are_told(site, ids, ask, monkeypatch):
    monkeypatch.setattr(found, "_MATCHES", text("SELECT 0 FROM pg_sleep(1) WHERE :asked <> '' AND :common > 0"))
    monkeypatch.setattr(found, "_SECONDS", 0.01)
    answer = ask("zebra")
    assert answer.status_code == 200
    assert "took too long to look for" in said(answer)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "What are you looking for?"),
        ("giraffe", "with the same capitals"),
        ("giraffe", "an e-mail address cannot be searched for"),
        ("0199a0f0-1c00-7000-8000-00000000ffff", "Nothing has this id."),
    ],
)
def test_what_finds_nothing_says_what_can_be_searched(ids, ask, query, told):
    assert told in said(ask(query))


def test_more_than_a_page_shows_the_newest(site, ids, ask):
    pushed = site.push(
        [
            {"source": "many", "external_id": f"m{number}", "scores": {"nps": 7}, "customer": {"id": "busy"}}
            for number in range(60)
        ]
    )
    answer = ask("busy")
    assert len(hits(answer)) == 50
    assert set(hits(answer)) <= set(pushed)
    assert "the newest 50" in said(answer)


@pytest.mark.parametrize(
    ("role", "status"),
    [("supervisor", 200), ("product", 200), ("source", 200), ("auditor", 200), ("admin", 200), ("reviewer", 403)],
)
def test_who_may_search(ids, ask, role, status):
    assert ask("zebra", role).status_code == status
