"""The inbox: what a supervisor sees, narrows, acknowledges and gives away, with and without JavaScript."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from itertools import count

import httpx
import pytest
from builders import record
from sqlalchemy import text
from sqlmodel import select

from service.pages import assignees, inbox_filters
from service.store.tables import WorkItem, now

POLICY = """
name: inbox
review: triage
thresholds:
  negative: {axis: sentiment, label: negative, uncertified: 0.6}
rules:
  - name: low
    when: scores.nps <= 6
    then: {create: follow_up, mandatory: true, sla: quick, assign: desk, priority: high}
  - name: negative-text
    when: sentiment.negative >= threshold("negative")
    then: {create: ticket, sla: slow}
  - name: idea
    when: type.suggestion >= 0.6
    then: {create: backlog_item}
slas:
  quick: {acknowledge: 4h, resolve: 2d}
  slow: {resolve: 5d}
groups:
  desk: {people: [ana]}
  triage: {people: [sam]}
  spare: {people: [jan]}
"""
ANGRY = "I like the colour. The kettle is terrible and broken, I am very disappointed. It came in May."
numbers = count(1)


@pytest.fixture(scope="module", autouse=True)
def policy(site):
    site.use(POLICY)


@pytest.fixture
def wrote(site) -> Callable[..., list[WorkItem]]:
    """Let a customer write; the items that came of it. What was there before is put away."""
    with site.database.session() as session:
        session.execute(text("UPDATE work_item SET status = 'resolved', due_at = NULL"))

    def write(*answers: tuple[str | None, int], source: str = "store-survey", **changes: object) -> list[WorkItem]:
        ids = site.push(
            [record(f"i-{next(numbers)}", said, source=source, scores={"nps": nps}, **changes) for said, nps in answers]
        )
        site.drain()
        with site.database.session() as session:
            found = session.execute(
                text("SELECT work_item_id FROM work_item_evidence WHERE feedback_id = ANY(CAST(:ids AS uuid[]))"),
                {"ids": ids},
            ).scalars()
            return [session.get_one(WorkItem, one) for one in found]

    return write


def ana(site) -> httpx.Client:
    return site.visitor("supervisor")


def seen(answer: httpx.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def lines(answer: httpx.Response) -> list[str]:
    """The lines of the list as they are read."""
    found = re.search(r'<ul class="rows inbox">(.*?)</ul>', answer.text, re.DOTALL)
    if found is None:
        return []
    return [" ".join(unescape(re.sub(r"<[^>]+>", "", one)).split()) for one in found[1].split("<li>")[1:]]


def move(site, item: WorkItem, **values: object) -> None:
    with site.database.session() as session:
        row = session.get_one(WorkItem, item.id)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


def test_a_line_says_what_was_said_why_it_is_here_when_it_is_due_and_whose_it_is(site, wrote):
    wrote((ANGRY, 3))
    first, second = lines(ana(site).get("/inbox"))
    assert "Follow-up" in first
    assert "! high" in first
    assert "must be done" in first
    assert "I like the colour." in first  # a rule on scores: the words that sound negative
    assert "NPS is 3 (6 or less)" in first
    assert "due in 3 h 59 m to acknowledge" in first
    assert first.count("ana") == 1
    assert "Ticket" in second
    assert "sounds negative" in second
    assert "nobody yet" in second


def test_the_words_that_mattered_are_marked_in_their_sentence(site, wrote):
    wrote((ANGRY, 9))
    answer = ana(site).get("/inbox")
    (quote,) = re.findall(r'<a class="open said-short"[^>]*>(.*?)</a>', answer.text)
    assert re.sub(r"<[^>]+>", "", quote) == "The kettle is terrible and broken, I am very disappointed."
    marked = re.search(r'<mark class="negative">(.*?)</mark>', answer.text)
    assert marked
    assert marked[1] in ANGRY


def test_what_is_due_first_stands_first_and_what_has_no_due_time_last(site, wrote):
    late, soon, never = (wrote((None, nps))[0] for nps in (1, 2, 3))
    move(site, late, due_at=now() - timedelta(hours=2), acknowledge_due_at=now() - timedelta(hours=2))
    move(site, never, due_at=None, acknowledge_met_at=now(), resolve_met_at=now())
    told = lines(ana(site).get("/inbox"))
    assert ["NPS is 1" in told[0], "NPS is 2" in told[1], "NPS is 3" in told[2]] == [True] * 3
    assert "✗ missed by 2 h" in told[0]
    assert "due in" in told[1]
    assert "no due time" in told[2]
    due = now() + timedelta(minutes=5)
    move(site, soon, acknowledge_due_at=due, due_at=due, created_at=due - timedelta(hours=4))
    assert "! at risk, due in" in lines(ana(site).get("/inbox"))[1]
    assert "3 open, 1 missed" in seen(ana(site).get("/inbox"))
    (at_risk,) = lines(ana(site).get("/inbox?due=at_risk"))
    assert "NPS is 2" in at_risk
    move(site, late, status="waiting", paused_at=now() - timedelta(hours=3))  # its clock stood before it was due
    assert "3 open, none missed" in seen(ana(site).get("/inbox"))


def test_ideas_and_what_is_done_are_not_in_the_inbox(site, wrote):
    (item,) = wrote((None, 2))
    wrote(("It would be great if you could add a dark mode to the app. Please add an export button.", 9))
    assert len(lines(ana(site).get("/inbox"))) == 1
    move(site, item, status="resolved", due_at=None)
    answer = ana(site).get("/inbox")
    assert lines(answer) == []
    assert "All done" in seen(answer)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", 3),
        ("kind=ticket", 1),
        ("kind=review", 0),
        ("status=open", 3),
        ("status=waiting", 0),
        ("owner=me", 2),
        ("owner=nobody", 1),
        ("owner=ana", 2),
        ("owner=zoe", 0),
        ("priority=high", 2),
        ("priority=low", 0),
        ("source=store-survey", 2),
        ("source=app-store", 1),
        ("source=none", 0),
        ("due=missed", 0),
        ("q=TERRIBLE", 2),
        ("q=nps 2", 1),
        ("q=100%_", 0),
        ("kind=ticket&q=kettle&source=store-survey&owner=nobody", 1),
        ("kind=&status=&owner=&priority=&source=&due=&q=", 3),
    ],
)
def test_the_address_narrows_the_list(site, wrote, asked, found):
    wrote((ANGRY, 3))
    wrote((None, 2), source="app-store")
    answer = ana(site).get(f"/inbox?{asked}")
    assert answer.status_code == 200
    assert len(lines(answer)) == found
    assert ("Nothing fits" in seen(answer)) == (not found)


def test_the_head_counts_what_is_mine_and_says_when_the_list_is_narrowed(site, wrote):
    wrote((None, 3), (None, 2))
    move(site, *wrote((None, 1)), owner="zoe")
    whole = ana(site).get("/inbox")
    assert '<a href="/inbox?owner=me">2 yours</a>' in whole.text
    assert "2 yours ; 3 open" in seen(whole)
    assert "not all" not in seen(whole)
    assert "Narrowed to 2 items: these are not all." in seen(ana(site).get("/inbox?owner=me"))
    assert "not all" not in seen(ana(site).get("/inbox?kind=follow_up"))  # which keeps everything


def test_filters_that_are_set_are_shown_and_can_be_taken_away(site, wrote):
    wrote((ANGRY, 3))
    answer = ana(site).get("/inbox?kind=ticket&q=kettle")
    assert "Kind: Ticket" in seen(answer)
    assert "Words: kettle" in seen(answer)
    assert 'href="/inbox?q=kettle"' in answer.text
    assert 'href="/inbox?kind=ticket"' in answer.text


@pytest.mark.parametrize(
    "asked",
    ["kind=sheep", "due=never", "after=xyz", "after=WzEsMl0", f"q={'a' * 201}", "status=resolved"],
)
def test_an_address_that_means_nothing_is_told_as_a_page(site, asked):
    answer = ana(site).get(f"/inbox?{asked}")
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")


def test_every_item_is_on_exactly_one_page(site, wrote, monkeypatch):
    monkeypatch.setattr(inbox_filters, "PAGE", 2)
    wrote(*[(None, nps) for nps in (0, 1, 2, 3, 4)])
    items = wrote((None, 5), (None, 6))
    for item in items:
        move(site, item, due_at=None)
    for asked in ("/inbox", "/inbox?q=nps", "/inbox?source=store-survey"):
        told, address = [], asked
        while address:
            answer = ana(site).get(address)
            told += lines(answer)
            following = re.search(r'<a href="([^"]*)" rel="next">', answer.text)
            address = unescape(following[1]) if following else ""
        assert len(told) == 7
        assert sorted(re.search(r"NPS is (\d)", line)[1] for line in told) == list("0123456")


def test_words_are_looked_for_so_far_at_a_time_and_then_further(site, wrote, monkeypatch):
    monkeypatch.setattr(inbox_filters, "REACH", 2)
    wrote((None, 0), (None, 1), (None, 2))
    wrote((ANGRY, 9))
    answer = ana(site).get("/inbox?q=kettle")
    assert lines(answer) == []
    assert "Search further" in seen(answer)
    further = re.search(r'<a href="([^"]*)" rel="next">Search further', answer.text)
    answer = ana(site).get(unescape(further[1]))
    assert len(lines(answer)) == 1


def test_one_press_acknowledges(site, wrote):
    item, other = (wrote((None, nps))[0] for nps in (1, 2))
    answer = site.form(ana(site), "/inbox?kind=follow_up", one=str(item.id))
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox?kind=follow_up&done=acknowledge&many=1")
    after = ana(site).get(answer.headers["location"])
    assert "1 item acknowledged." in seen(after)
    assert sum("in progress" in line for line in lines(after)) == 1
    with site.database.session() as session:
        assert [session.get_one(WorkItem, one.id).status for one in (item, other)] == ["acknowledged", "open"]


def test_many_are_given_away_at_once(site, wrote):
    items = wrote((None, 1), (None, 2), (None, 3))
    answer = site.form(ana(site), "/inbox", what="assign", owner="jan", item=[str(one.id) for one in items[:2]])
    assert answer.status_code == 303
    assert "2 items assigned to jan." in seen(ana(site).get(answer.headers["location"]))
    assert len(lines(ana(site).get("/inbox?owner=jan"))) == 2
    assert '<option value="jan">' in ana(site).get("/inbox").text


def test_an_address_cannot_put_a_name_into_our_words(site):
    answer = ana(site).get("/inbox?done=assign&many=2&to=somebody+else")
    assert "2 items assigned." in seen(answer)
    assert "somebody else" not in seen(answer)


def test_work_can_be_given_to_groups_accounts_and_those_who_have_some(site, wrote):
    kept, done = wrote((None, 1), (None, 2))
    move(site, kept, owner="olga")
    move(site, done, owner="gone", status="resolved", due_at=None)
    with site.database.session() as session:
        known = assignees.people(session)
    assert {"jan", "sam", "ana", "ada", "olga"} <= set(known)
    assert "gone" not in known


def test_what_could_not_be_done_is_told_by_name(site, wrote):
    items = wrote((None, 1), (None, 2))
    move(site, items[0], status="resolved")
    chosen = [*(str(one.id) for one in items), "0199a0f0-0000-7000-8000-000000000000"]
    answer = site.form(ana(site), "/inbox", what="acknowledge", item=chosen)
    assert answer.status_code == 409
    assert "1 acknowledged; 2 could not be." in seen(answer)
    assert f"{items[0].title} : it is done already" in seen(answer)
    assert "An item : it is not there any more" in seen(answer)
    with site.database.session() as session:
        assert session.get_one(WorkItem, items[1].id).status == "acknowledged"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"what": "acknowledge"}, "Tick at least one item first."),
        ({"what": "assign", "item": "{}", "owner": " "}, "Say who is to have them"),
        ({"what": "assign", "item": "{}", "owner": "x" * 129}, "Say who is to have them"),
        ({"what": "assign", "item": "{}", "owner": "Jann"}, "There is no Jann here. Do you mean jan?"),
        ({"what": "assign", "item": "{}", "owner": "xyzzy"}, "There is no xyzzy here."),
        ({"what": "burn", "item": "{}"}, "Choose what to do"),
        ({"what": "acknowledge", "item": "7"}, "open the inbox again"),
    ],
)
def test_a_form_that_lacks_something_says_so_and_changes_nothing(site, wrote, fields, words):
    (item,) = wrote((None, 1))
    filled = {name: value.format(item.id) for name, value in fields.items()}
    answer = site.form(ana(site), "/inbox", **filled)
    assert answer.status_code == 422
    assert words in seen(answer)
    assert len(lines(ana(site).get("/inbox?status=open&owner=ana"))) == 1


def test_an_auditor_reads_and_cannot_write(site, wrote):
    (item,) = wrote((None, 1))
    answer = site.visitor("auditor").get("/inbox")
    assert len(lines(answer)) == 1
    assert "Acknowledge" not in seen(answer).partition("Keyboard shortcuts")[0]
    assert site.form(site.visitor("auditor"), "/inbox", one=str(item.id)).status_code == 403


@pytest.mark.parametrize("role", ["product", "source", "reviewer"])
def test_it_is_closed_to_others(site, role):
    assert site.visitor(role).get("/inbox").status_code == 403
    assert site.visitor(role).get("/inbox.csv").status_code == 403


def test_a_customer_s_words_stay_words(site, wrote):
    wrote(("<script>alert(1)</script> terrible \u202e broken, awful", 2))
    answer = ana(site).get("/inbox")
    assert "<script>alert" not in answer.text
    assert "\u202e" not in answer.text


def test_the_list_is_saved_for_a_spreadsheet_without_formulas(site, wrote):
    wrote((None, 1), (None, 2))
    (item, *_) = wrote((None, 3))
    move(site, item, title='=HYPERLINK("http://evil")', owner="@bob")
    answer = ana(site).get("/inbox.csv?status=open")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 3
    (row,) = [one for one in rows if one["Id"] == str(item.id)]
    assert row["What"] == '\'=HYPERLINK("http://evil")'
    assert row["Owner"] == "'@bob"
    assert (row["Kind"], row["Must be done"]) == ("Follow-up", "yes")


def test_the_list_walks_its_index(site, wrote):
    """The order of the inbox is the order of the index: no sort, however many items are open."""
    wrote((None, 1))
    query = inbox_filters._in_order([]).limit(51)
    with site.database.session() as session:
        session.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"))
        bare = str(query.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
        plan = "\n".join(session.execute(text(f"EXPLAIN {bare}")).scalars())
        assert session.exec(select(WorkItem).limit(1)).one()
    assert "work_item_inbox" in plan
    assert "Sort" not in plan
