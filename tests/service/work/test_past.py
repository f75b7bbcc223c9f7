"""What rules on the past and on the words get to see."""

import json

from builders import record
from sqlalchemy import text

POLICY = """
name: past
rules:
  - {name: again, when: 'count_recent("ticket", days=30) >= 2', then: {create: follow_up}}
  - {name: lawyer, when: 'matches(text, "(?i)lawyer")', then: {create: quality_case}}
  - {name: low, when: scores.nps <= 6, then: {create: ticket}}
"""


def use(admin, document):
    version = admin.post("/v1/policies", content=document).raise_for_status().json()["version"]
    admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()


def test_a_policy_sees_the_words_and_the_past_it_looks_at(admin, drain, database):
    def kinds(name, words=None, customer="c-1", revision=1):
        sent = record(name, words, revision=revision, scores={"nps": 3}, customer={"id": customer})
        (result,) = admin.post("/v1/feedback", json=sent).raise_for_status().json()["results"]
        drain()
        story = admin.get(f"/v1/feedback/{result['id']}").json()
        return story["decision"]["case"], {item["kind"] for item in story["work_items"] if item["status"] == "open"}

    case, _ = kinds("r-0")
    assert not {"text", "past"} & case.keys()  # the default policy looks at neither
    with database.session() as session:
        session.execute(text("UPDATE work_item SET kind = 'review', status = 'resolved'"))

    use(admin, POLICY)
    case, made = kinds("r-1", "My Lawyer will write.")
    assert (case["past"], case["text"]) == ({"ticket": []}, ["My Lawyer will write."])
    assert made == {"quality_case", "ticket"}
    case, made = kinds("r-2")
    assert (len(case["past"]["ticket"]), made) == (1, {"ticket"})
    case, made = kinds("r-2", revision=2)  # its own item is no past
    assert (len(case["past"]["ticket"]), made) == (1, {"ticket"})
    assert kinds("r-3", customer="c-2")[1] == {"ticket"}
    case, made = kinds("r-4")
    assert made == {"ticket", "follow_up"}
    assert case["past"]["ticket"] == sorted(case["past"]["ticket"], reverse=True)
    with database.session() as session:
        stored = session.execute(text("SELECT receipt FROM decision ORDER BY decided_at DESC LIMIT 1")).scalar_one()
        assert json.loads(stored)["case"] == case
        session.execute(text("UPDATE work_item SET status = 'retracted' WHERE kind = 'ticket'"))
    assert kinds("r-5")[1] == {"ticket"}
