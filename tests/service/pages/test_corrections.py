"""'This routing is wrong': said on an item's page, kept in its history, listed and saved for a spreadsheet."""

import csv
import io
import re
from itertools import count

import pytest
from builders import record
from seen import seen

POLICY = """
name: corrections
rules:
  - {name: angry, when: scores.nps <= 6, then: {create: ticket}}
"""
numbers = count(1)


@pytest.fixture(scope="module", autouse=True)
def policy(site):
    site.use(POLICY)


def item(site, text: str = "The parcel came late again, terrible.") -> str:
    """Let a customer write; the path of the item that stands for it."""
    (feedback_id,) = site.push([record(f"c-{next(numbers)}", text, scores={"nps": 3})])
    site.drain()
    (made,) = site.api().get(f"/v1/feedback/{feedback_id}").json()["work_items"]
    return f"/work-items/{made['id']}"


def send(site, path: str, **fields):
    client = site.visitor("supervisor")
    version = re.search(r'name="version" value="(\d+)"', client.get(path).text)[1]
    filled = {f"wrong_routing-{name}": value for name, value in fields.items()}
    return site.form(client, path, "/settings", type="wrong_routing", version=version, **filled)


def test_before_anybody_has_corrected_anything_the_page_says_where_it_is_done(site):
    page = site.visitor("supervisor").get("/corrections")
    assert "Nobody has corrected anything yet." in seen(page)
    assert "They never certify anything." in seen(page)


def test_it_is_said_on_the_page_and_stands_in_the_history_and_among_the_corrections(site):
    path = item(site)
    shown = site.visitor("supervisor").get(path)
    assert "This routing is wrong" in seen(shown)
    assert re.findall(r'<option value="(sentiment:\w+|urgency:\w+)"', shown.text) == [
        "sentiment:negative",
        "urgency:normal",
    ]
    told = send(site, path, about="sentiment:negative", right="positive", comment="=It is irony")
    assert (told.status_code, told.headers["location"]) == (303, f"{path}?done=wrong_routing")
    after = site.visitor("supervisor").get(told.headers["location"])
    assert "Recorded among the corrections." in seen(after)
    assert "said that this routing is wrong: sentiment negative, it should be positive" in seen(after)

    page = site.visitor("auditor").get("/corrections")
    assert "sentiment negative is wrong, it should be positive" in seen(page)
    assert "=It is irony" in seen(page)
    assert f'href="{path}"' in page.text
    file = site.visitor("auditor").get("/corrections.csv")
    assert file.headers["content-disposition"] == 'attachment; filename="corrections.csv"'
    rows = csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff")))
    (row,) = [row for row in rows if path.endswith(row["Item"])]
    assert (row["About"], row["It should be"], row["Rule"]) == ("sentiment:negative", "positive", "angry")
    assert row["Why"] == "'=It is irony"  # no formula
    assert row["The customer's words"] == "The parcel came late again, terrible."


@pytest.mark.parametrize("status", ["resolved", "retracted"])
def test_what_is_done_or_withdrawn_can_be_called_wrong_too(site, status):
    path = item(site)
    if status == "resolved":
        site.api("supervisor").post(f"/v1{path}/events", json={"type": "resolve"}).raise_for_status()
    else:
        story = site.api("admin").get(f"/v1{path}").json()["feedback_ids"][0]
        site.api("admin").delete(f"/v1/feedback/{story}").raise_for_status()
    assert send(site, path, comment="Nobody had to act.").status_code == 303
    assert "said that this routing is wrong" in seen(site.visitor("supervisor").get(path))


def test_without_a_word_of_why_it_is_refused_and_what_was_typed_stays(site):
    path = item(site)
    refused = send(site, path, about="urgency:normal", right="high")
    assert (refused.status_code, "Say why." in seen(refused)) == (422, True)
    assert 'value="urgency:normal" selected' in refused.text
    assert 'value="high"' in refused.text
