"""Disputes: what people answered differently, side by side without names, and the decision with its reason."""

from uuid import uuid4

import pytest
from cards import SLOT, TEXTS, ask, close_all, read_texts
from seen import seen
from sqlmodel import select

from service.lab.labels.hearing import Word, opinions
from service.store.lab_tables import Guideline, HumanLabel


@pytest.fixture(scope="module")
def people(site):
    """Reviewers and nothing else, by name."""
    names = ("rea", "rob", "ria", "roy")
    for name in names[1:]:
        site.person(name, "reviewer")
    return {name: site.signed_in(name) for name in names}


@pytest.fixture
def disputed(site, people):
    """The address of a card that three people answered in three ways, and its sample's end afterwards."""
    drawn = ask(site, read_texts(site, TEXTS[:1]), "sentiment", overlap=1)
    for name, label in (("rea", "negative"), ("rob", "positive"), ("ria", "neutral")):
        (slot,) = dict.fromkeys(SLOT.findall(people[name].get("/review").text))
        note = "half and half" if name == "rob" else ""
        answer = site.form(people[name], f"/review/cards/{slot}", "/review", label=label, flag=note)
        assert answer.status_code == 303, answer.text
    (address,) = addresses(people["roy"])
    yield address
    close_all(site, drawn)


def addresses(client):
    page = client.get("/review/disputes").text
    return [part.partition('"')[0] for part in page.split('class="open said-short" href="')[1:]]


def sentence(site, axis="sentiment"):
    with site.database.session() as session:
        return str(session.exec(select(Guideline.id).where(Guideline.axis == axis, Guideline.number == 1)).one())


def test_answers_stand_side_by_side_without_names(people, disputed):
    page = people["roy"].get(disputed)
    told = seen(page)
    assert [told.index(f"{who} {label}") for who, label in (("A", "negative"), ("B", "positive"), ("C", "neutral"))]
    assert "Their note: half and half" in told
    assert "The lamp flickers" in told
    assert not [name for name in ("rea", "rob", "ria") if f">{name}<" in page.text]


@pytest.mark.parametrize(
    ("again", "told"),
    [
        ("negative", [("A", ("negative",)), ("B", ("positive",))]),
        ("neutral", [("A", ("negative",)), ("A", ("neutral",)), ("B", ("positive",))]),
    ],
    ids=["the same again", "something else"],
)
def test_who_was_asked_twice_is_one_person(again, told):
    said = [word("rea", "negative"), word("rob", "positive"), word("rea", again), word("ria", skip="no time")]
    assert [(one.who, one.labels) for one in opinions(said)] == told


def word(rater, *labels, skip=None):
    return Word(uuid4(), uuid4(), "first", rater, labels, False, skip, None, blind=True, adjudicated=False)


def test_whoever_answered_the_card_does_not_decide_it(site, people, disputed):
    assert addresses(people["rea"]) == []
    assert people["rea"].get(disputed).status_code == 404
    sent = {"label": "negative", "reason": "It is.", "guideline": sentence(site)}
    assert site.form(people["rea"], disputed, "/review", **sent).status_code == 404
    assert addresses(site.visitor("admin")) == [disputed]
    auditor = site.visitor("auditor").get(disputed)
    assert "Decide" not in seen(auditor).replace("Decided", "")


def test_a_decision_has_a_reason_and_a_sentence_and_changes_no_answer(site, people, disputed):
    roy = people["roy"]
    roy.get(disputed)
    whole = {"label": "negative", "reason": "The lamp flickers.", "guideline": sentence(site)}
    for missing, told in (
        ("label", "Choose what is right"),
        ("reason", "Say why"),
        ("guideline", "Choose the sentence that decides it"),
    ):
        answer = site.form(
            roy, disputed, disputed, **{**whole, missing: ""} if missing != "label" else {**whole, missing: []}
        )
        assert answer.status_code == 422
        assert told in seen(answer)
    assert site.form(roy, disputed, disputed, **whole).headers["location"] == "/review/disputes?done=decided"
    assert "Nothing to decide" in seen(roy.get("/review/disputes"))
    assert site.form(roy, disputed, "/review", **whole).status_code == 404
    with site.database.session() as session:
        card = disputed.rpartition("/")[2]
        kept = list(session.exec(select(HumanLabel).where(HumanLabel.card_id == card).order_by(HumanLabel.at)))
    assert [(one.rater, one.labels, one.adjudicated, one.undone_at) for one in kept] == [
        ("rea", ["negative"], False, None),
        ("rob", ["positive"], False, None),
        ("ria", ["neutral"], False, None),
        ("roy", ["negative"], True, None),
    ]
    assert kept[-1].reason == "The lamp flickers."


def test_a_decision_may_write_the_sentence_that_was_missing(site, people, disputed):
    roy = people["roy"]
    sent = {"label": "negative", "reason": "Nobody wrote that down.", "guideline": "new"}
    empty = site.form(roy, disputed, disputed, **sent, sentence="")
    assert empty.status_code == 422
    assert "this one has 0" in seen(empty)
    assert "Nobody wrote that down." in empty.text
    assert site.form(roy, disputed, disputed, **sent, sentence="No answer to a letter is negative.").status_code == 303
    assert "No answer to a letter is negative." in seen(roy.get("/review/guidelines"))
    with site.database.session() as session:
        named = select(Guideline.sentence).join(HumanLabel).where(HumanLabel.reason == "Nobody wrote that down.")
        assert session.exec(named).one() == "No answer to a letter is negative."
