"""The backlog's pages: in which order, what narrows them, one idea with the words behind it, and a safe file."""

import csv
import re
from html import unescape
from io import StringIO

import pytest

POLICY = """
name: ideas
rules:
  - name: asks
    when: scores.nps >= 9
    then: {create: backlog_item, tags: [kettles]}
"""
IDEAS = {
    "Whistle please.": {"id": "c-1", "account_value": 50_000},
    "A bigger one.": {"id": "c-2", "account_value": 900_000},
    "A red one.": {},
}


def said(answer):
    """A page's text as a person reads it."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def asked(answer):
    """What is asked for, line by line."""
    return [unescape(re.sub(r"<[^>]+>", "", one)) for one in re.findall(r'<a class="open"[^>]*>(.*?)</a>', answer.text)]


def record(number, text, source="shop", **fields):
    verbatims = [{"question": "What next?", "text": text}]
    return {"source": source, "external_id": f"idea-{number}", "scores": {"nps": 9}, "verbatims": verbatims, **fields}


@pytest.fixture(scope="module")
def ideas(site):
    site.use(POLICY)
    ids = [site.push([record(place, text, customer=one)])[0] for place, (text, one) in enumerate(IDEAS.items())]
    site.drain()
    return dict(zip(IDEAS, ids, strict=True))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["A bigger one.", "Whistle please.", "A red one."]),
        ("?order=newest", ["A red one.", "A bigger one.", "Whistle please."]),
        ("?order=value", ["A bigger one.", "Whistle please.", "A red one."]),
        ("?tag=kettles&source=shop&words=bigger+one&status=open", ["A bigger one."]),
        ("?words=one+-red", ["A bigger one."]),
        ("?tag=pans", []),
        ("?source=nowhere", []),
        ("?status=resolved", []),
    ],
)
def test_order_and_filters(site, ideas, query, expected):
    found = asked(site.visitor("product").get(f"/backlog{query}"))
    assert [one for one in found if one in IDEAS] == expected


def test_each_line_says_what_stands_behind_it(site, ideas):
    text = said(site.visitor("product").get("/backlog?words=bigger"))
    assert "4.0 score A bigger one. kettles 1 voice, accounts worth 900,000" in text


def test_nothing_fits_and_nothing_there_are_told_apart(site, ideas):
    assert "Nothing here fits" in said(site.visitor("product").get("/backlog?tag=pans"))


@pytest.mark.parametrize("order", ["score", "newest", "value"])
def test_the_pages_of_the_list_show_every_idea_once(site, ideas, order):
    bulk = [record(f"{order}-{number}", f"Bulk {order} {number}.", source=f"bulk-{order}") for number in range(60)]
    site.push(bulk)
    site.drain()
    visitor = site.visitor("product")
    found, address = [], f"/backlog?order={order}&source=bulk-{order}"
    while address:
        answer = visitor.get(address)
        found += asked(answer)
        following = re.search(r'<a href="([^"]+)" rel="next">', answer.text)
        address = unescape(following[1]) if following else None
    assert sorted(found) == sorted(one["verbatims"][0]["text"] for one in bulk)


@pytest.mark.parametrize("query", ["order=best", "after=x", "after=nan", "order=newest&after=3~4", "status=done"])
def test_an_address_that_is_no_list_is_explained(site, query):
    answer = site.visitor("product").get(f"/backlog?{query}")
    assert answer.status_code == 422
    assert "<h1>" in answer.text


def item_of(site, feedback_id):
    return site.api().get(f"/v1/feedback/{feedback_id}").json()["work_items"][0]["id"]


def test_one_idea_shows_the_words_and_explains_its_score(site, ideas):
    page = site.visitor("product").get(f"/backlog/{item_of(site, ideas['Whistle please.'])}")
    text = said(page)
    assert page.status_code == 200
    assert "Whistle please." in text
    assert "1 customer asks for this; their account is worth 50,000, so each voice counts 2.7 times" in text
    assert "1 × (1 + log₁₀(1 + 50,000 ÷ 1,000)) = 2.71" in text
    assert f'href="/feedback/{ideas["Whistle please."]}"' in page.text
    assert "This routing is wrong" not in text  # product teams read; supervisors say so


def test_a_supervisor_says_that_an_idea_is_none(site, ideas):
    path = f"/backlog/{item_of(site, ideas['Whistle please.'])}"
    visitor = site.visitor("supervisor")
    refused = site.form(visitor, path, path, **{"type": "wrong_routing", "wrong_routing-right": "a joke"})
    assert (refused.status_code, "Say why." in said(refused), 'value="a joke"' in refused.text) == (422, True, True)
    assert site.form(visitor, path, path, type="resolve").status_code == 422
    filled = {"wrong_routing-about": "urgency:low", "wrong_routing-comment": "Nobody asks for anything."}
    assert 'value="urgency:' in refused.text
    told = site.form(visitor, path, path, type="wrong_routing", **filled)
    assert (told.status_code, told.headers["location"]) == (303, f"{path}?done=wrong_routing")
    assert "Recorded among the corrections." in said(visitor.get(told.headers["location"]))
    assert "urgency low is wrong" in said(visitor.get("/corrections"))


@pytest.mark.parametrize(
    ("role", "status"),
    [("supervisor", 200), ("product", 200), ("auditor", 200), ("admin", 200), ("source", 403), ("reviewer", 403)],
)
@pytest.mark.parametrize("path", ["/backlog", "/backlog.csv"])
def test_who_may_look(site, role, status, path):
    assert site.visitor(role).get(path).status_code == status


def test_an_idea_that_is_none(site):
    answer = site.visitor("product").get("/backlog/0199a0f0-1c00-7000-8000-000000000003")
    assert answer.status_code == 404
    assert "no such idea" in said(answer)


def test_the_file_holds_the_list_and_no_formula(site, ideas):
    site.push([record("formula", '=HYPERLINK("http://evil.example","x")')])
    site.drain()
    answer = site.visitor("product").get("/backlog.csv?order=newest")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0]["Idea"] == '\'=HYPERLINK("http://evil.example","x")'
    kept = {row["Idea"]: row for row in rows}
    assert (kept["A bigger one."]["Score"], kept["A bigger one."]["Voices"]) == ("3.95", "1")
    times = [row[column] for row in rows for column in ("Newest voice", "Made")]
    assert all(re.fullmatch(r"[-0-9]{10}T[:0-9]{8}Z", time) for time in times)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "@", "+"))]


def test_the_file_says_what_the_page_s_line_says(site, ideas):
    long = "I have had it for years now. " * 9 + "It would be great if you could add a longer cord to it. Thanks."
    site.push([record("long", long)])
    site.drain()
    visitor = site.visitor("product")
    rows = csv.DictReader(StringIO(visitor.get("/backlog.csv?words=cord").text.removeprefix("\ufeff")))
    (shown,) = asked(visitor.get("/backlog?words=cord"))
    assert "longer cord" in shown
    assert [row["Idea"] for row in rows] == [shown]


def test_hostile_words_stay_words(site, ideas):
    hostile = "<script>alert(1)</script></bdi> \u202e" + "Z\u0301\u0302" * 50
    (feedback_id,) = site.push([record("hostile", hostile)])
    site.drain()
    for path in ("/backlog?order=newest", f"/backlog/{item_of(site, feedback_id)}"):
        page = site.visitor("product").get(path).text
        assert "<script>alert" not in page
        assert "\u202e" not in page
        assert "⟦RLO⟧" in page
