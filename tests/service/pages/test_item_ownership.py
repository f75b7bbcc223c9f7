"""A work item between people: handed off, escalated, past the groups, joined by more answers."""

import re
from datetime import timedelta
from itertools import count

import pytest
from builders import record
from seen import seen
from sqlmodel import col, select

from service.store.tables import WorkItem, now
from service.work import timers

POLICY = """
name: between
bypass:
  - {name: key-accounts, when: customer.account_value >= 100000, to: ada, quota: 100, reason: ada looks after them}
rules:
  - name: low
    when: scores.nps <= 6
    then: {create: follow_up, sla: quick, assign: desk, join: 7d}
slas:
  quick: {acknowledge: 1h, escalate: [{after: 10m, to: owner, notice: Please take this up, stop: acknowledged}]}
groups:
  desk: {people: [ana]}
"""
SAID = "The parcel came late again and nobody answers the phone."
numbers = count(1)


@pytest.fixture(scope="module", autouse=True)
def policy(site):
    site.use(POLICY)


def item(site, customer=None, **changes):
    """Let a customer write; the path of the item that stands for it."""
    number = next(numbers)
    customer = {"id": f"o-{number}"} | (customer or {})
    site.push(
        [
            record(
                f"o-{number}",
                "The parcel came late again and nobody answers the phone.",
                scores={"nps": 3},
                customer=customer,
                **changes,
            )
        ]
    )
    site.drain()
    with site.database.session() as session:
        found = session.exec(select(WorkItem.id).where(col(WorkItem.customer) == customer["id"])).one()
    return f"/work-items/{found}"


def send(site, role, path, type, **fields):
    client = site.visitor(role)
    version = re.search(r'name="version" value="(\d+)"', client.get(path).text)[1]
    filled = {f"{type}-{name}": value for name, value in fields.items()}
    return site.form(client, path, "/settings", type=type, version=version, **filled)


def test_an_item_is_handed_off_and_is_theirs_once_they_accept(site):
    path = item(site)
    unknown = send(site, "supervisor", path, "hand_off", owner="adda")
    assert (unknown.status_code, "Do you mean ada?" in seen(unknown)) == (422, True)
    assert send(site, "supervisor", path, "hand_off", owner="ada").status_code == 303
    offered = site.visitor("supervisor").get(path)
    assert "Owner: ana ; offered to ada until" in seen(offered)
    assert "Take the offer back" in seen(offered)
    theirs = site.visitor("admin").get(path)
    assert "Next: accept it, or decline" in seen(theirs)
    assert re.findall(r'<button class="main"[^>]*>([^<]*)<', theirs.text) == ["Accept it"]
    assert send(site, "admin", path, "accept").status_code == 303
    assert "ada accepted it from ana" in seen(site.visitor("admin").get(path))


def test_an_answer_to_somebody_elses_offer_is_refused_in_the_words_of_the_page(site):
    path = item(site)
    send(site, "supervisor", path, "hand_off", owner="pia")
    for answer, told in (
        ("accept", "It is offered to pia, who alone can accept it. To have it at once, take it over."),
        ("decline", "It is offered to pia: they can decline it, and its owner can take the offer back."),
        ("hand_off", "It is offered to pia already: take that offer back first, or assign it at once."),
    ):
        page = send(site, "admin", path, answer, owner="otto", comment="x")
        assert (page.status_code, told in seen(page)) == (409, True)
    send(site, "supervisor", path, "decline", comment="I keep it")
    page = send(site, "admin", path, "accept")
    assert "There is no offer any more: it was answered, taken back, or has run out." in seen(page)


def test_who_declines_says_why_and_the_item_stays(site):
    path = item(site)
    send(site, "supervisor", path, "hand_off", owner="ada")
    assert "Say why." in seen(send(site, "admin", path, "decline"))
    assert send(site, "admin", path, "decline", comment="I am on leave").status_code == 303
    told = seen(site.visitor("supervisor").get(path))
    assert "Owner: ana" in told
    assert "offered to ada until" not in told
    assert re.search("ada could not take it , .* I am on leave", told)


def test_an_escalation_is_told_with_who_sees_to_it(site):
    path = item(site)
    with site.database.session() as session:
        timers.tick(session, path.rpartition("/")[2], now() + timedelta(hours=2))
        session.commit()
    page = site.visitor("supervisor").get(path)
    assert re.search(
        r"Level 1 .* told ana \( its owner \) : Please take this up .* nobody has said that they see to it", seen(page)
    )
    assert "the promise to acknowledge it was missed" in seen(page)
    assert "Next: see to it" in seen(page)
    assert "Next: acknowledge it" in seen(site.visitor("admin").get(path))  # who was told nothing has nothing to see to
    assert send(site, "supervisor", path, "acknowledge_escalation").status_code == 303
    told = seen(site.visitor("supervisor").get(path))
    assert re.search("seen to by ana", told)
    assert "Next: acknowledge it" in told


def test_what_went_past_the_groups_says_why_and_is_reviewed_once(site):
    path = item(site, {"account_value": 250000})
    page = site.visitor("supervisor").get(path)
    assert "It came straight to ada by the bypass key-accounts , because: ada looks after them" in seen(page)
    listed = site.visitor("supervisor").get("/bypasses").text
    assert f'href="{path}"' in listed
    assert "Answer yes or no." in seen(send(site, "supervisor", path, "review_bypass"))
    assert send(site, "supervisor", path, "review_bypass", fitting="no", comment="a small matter").status_code == 303
    told = seen(site.visitor("supervisor").get(path))
    assert "found not right by ana" in told
    assert f'href="{path}"' not in site.visitor("supervisor").get("/bypasses").text
    assert f'href="{path}"' in site.visitor("supervisor").get("/bypasses?show=all").text
    assert send(site, "supervisor", path, "review_bypass", fitting="yes").status_code == 409


def test_more_answers_that_say_the_same_are_counted_and_linked(site):
    path = item(site, {"id": "again"})
    for _ in range(2):
        assert item(site, {"id": "again"}) == path
    told = seen(site.visitor("supervisor").get(path))
    assert "2 more answers said the same" in told
    assert "heed added another answer that says the same, now 3 answers" in told
