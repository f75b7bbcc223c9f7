"""The labelling page: blind cards that are answered, skipped, taken back and compared; its guideline."""

import re

import pytest
from cards import SLOT, TEXTS, ask, close_all, read_texts
from seen import seen
from sqlalchemy import text
from sqlmodel import select

from service.store.lab_tables import HumanLabel, Reveal


@pytest.fixture
def asking(site):
    """`asking("sentiment")` draws cards of texts that are new; afterwards nobody is asked any more."""
    drawn = []

    def drawing(*axes, texts=TEXTS[:2], overlap=0):
        drawn.extend(ask(site, read_texts(site, texts), *axes, overlap=overlap))
        return drawn

    yield drawing
    close_all(site, drawn)


@pytest.fixture
def rea(site):
    return site.visitor("reviewer")


def slots(client):
    """The cards on this person's screen, each once."""
    return list(dict.fromkeys(SLOT.findall(client.get("/review").text)))


def send(site, client, slot, **fields):
    return site.form(client, f"/review/cards/{slot}", "/review", **fields)


def labels(site, slot):
    with site.database.session() as session:
        return list(session.exec(select(HumanLabel).where(HumanLabel.slot_id == slot).order_by(HumanLabel.at)))


def test_a_reviewer_comes_to_the_cards_and_sees_how_many_wait(site, rea, asking):
    assert "Nothing to label for you now" in seen(rea.get("/review"))
    asking("sentiment")
    assert rea.get("/").headers["location"] == "/review"
    page = seen(rea.get("/review"))
    assert "Label 2 waiting" in page
    assert "Sentiment: 0 of 2" in page
    assert "Search" not in page, "a reviewer may not search"


def test_the_page_is_the_same_whatever_the_model_and_colleagues_say(site, rea, asking):
    asking("sentiment", "topic", texts=TEXTS[:1], overlap=1)
    for slot in slots(site.visitor("admin")):
        send(site, site.visitor("admin"), slot, unsure="yes", flag="what a colleague noted")
    before = apart_from_the_time(rea.get("/review").text)
    with site.database.session() as session:
        session.execute(text("""UPDATE label_card SET probabilities = '{"negative": 0.987654}'"""))
    assert apart_from_the_time(rea.get("/review").text) == before
    assert "colleague noted" not in before


def apart_from_the_time(page):
    return re.sub(r"\d\d:\d\d(:[\d.]+)?", "", page)


def test_an_answer_is_saved_and_the_next_card_comes(site, rea, asking):
    asking("sentiment")
    (slot,) = slots(rea)
    answer = send(site, rea, slot, label="negative", flag="names a street")
    assert answer.headers["location"] == "/review?done=saved"
    page = seen(rea.get("/review?done=saved"))
    assert "Sentiment: 1 of 2 ✓ saved" in page
    assert "Your last answer: sentiment: negative" in page
    (label,) = labels(site, slot)
    assert (label.labels, label.flag, label.rater, label.blind) == (["negative"], "names a street", "rea", True)
    assert send(site, rea, slot, label="negative", flag="names a street").status_code == 303
    assert len(labels(site, slot)) == 1
    other = send(site, rea, slot, label="positive")
    assert other.status_code == 409
    assert "Take that back first" in seen(other)
    flags = site.visitor("admin").get("/review/flags")
    assert "rea : names a street Sentiment: negative" in seen(flags)
    assert 'href="/feedback/' in flags.text


def test_what_is_no_answer_is_told_beside_the_card(site, rea, asking):
    asking("sentiment")
    (slot,) = slots(rea)
    for fields, told in (
        ({}, "Nothing is chosen yet"),
        ({"label": "angry"}, "There is no sentiment 'angry'"),
        ({"skip": ""}, "Say why you skip it"),
    ):
        answer = send(site, rea, slot, flag="kept", **fields)
        assert answer.status_code == 422
        assert told in seen(answer)
    assert 'value="kept"' in send(site, rea, slot, flag="kept").text
    assert labels(site, slot) == []


@pytest.mark.parametrize(
    ("fields", "kept", "done"),
    [
        ({"unsure": "yes", "label": "negative"}, ([], True, None), "unsure"),
        ({"skip": "I cannot read this language"}, ([], False, "I cannot read this language"), "skipped"),
        ({"skip": "", "why": "my aunt wrote it"}, ([], False, "my aunt wrote it"), "skipped"),
    ],
    ids=["not sure", "skipped", "skipped for another reason"],
)
def test_a_card_may_be_answered_without_a_label(site, rea, asking, fields, kept, done):
    asking("sentiment")
    (slot,) = slots(rea)
    assert send(site, rea, slot, **fields).headers["location"] == f"/review?done={done}"
    (label,) = labels(site, slot)
    assert (label.labels, label.unsure, label.skip) == kept
    assert slots(rea) != [slot]


def test_the_last_answer_is_taken_back_and_its_card_comes_again(site, rea, asking):
    asking("sentiment")
    (slot,) = slots(rea)
    send(site, rea, slot, label="negative")
    back = site.form(rea, "/review/undo", "/review", card=slot)
    assert back.headers["location"] == "/review?done=undone"
    assert slots(rea) == [slot]
    send(site, rea, slot, label="positive")
    assert [(one.labels, one.undone_at is None) for one in labels(site, slot)] == [
        (["negative"], False),
        (["positive"], True),
    ]
    assert site.form(rea, "/review/undo", "/review", card="x").status_code == 422


def test_what_others_said_is_shown_afterwards_and_ends_the_undo(site, rea, asking):
    asking("sentiment", texts=TEXTS[:1], overlap=1)
    (slot,) = slots(rea)
    early = site.form(rea, f"/review/cards/{slot}/reveal", "/review")
    assert early.status_code == 409
    rob = site.signed_in(site.person("rob", "reviewer"))
    (his,) = slots(rob)
    send(site, rob, his, label="positive")
    send(site, rea, slot, label="negative")
    shown = site.form(rea, f"/review/cards/{slot}/reveal", "/review")
    assert shown.status_code == 200
    page = seen(shown)
    assert "You sentiment: negative The model" in page
    assert "Colleague A positive" in page
    with site.database.session() as session:
        assert [one.rater for one in session.exec(select(Reveal).where(Reveal.slot_id == slot))] == ["rea"]
    refused = site.form(rea, "/review/undo", "/review", card=slot)
    assert refused.status_code == 409
    assert "your label stays as it is" in seen(refused)


def test_all_axes_of_a_text_are_on_one_screen_and_saved_one_by_one(site, rea, asking):
    asking("sentiment", "topic", "type", texts=TEXTS[:1])
    page = rea.get("/review")
    assert page.text.count("<blockquote") == 1
    assert "Sentiment: 0 of 1; Topics: 0 of 1; Kind of message: 0 of 1" in seen(page)
    assert 'data-press="w"' in page.text, "the eleventh topic has a key, too"
    sentiment, topics, kind = slots(rea)
    for chosen, told in (([], "Nothing is chosen yet"), (["", "price"], "You chose both a label and 'none of these'")):
        answer = send(site, rea, topics, label=chosen)
        assert answer.status_code == 422
        assert told in seen(answer)
    assert labels(site, topics) == []
    send(site, rea, topics, label=["delivery", "price"])
    send(site, rea, kind, label="")
    assert [(one.labels, one.unsure) for one in labels(site, kind)] == [([], False)]
    assert slots(rea) == [sentiment]
    assert "Show what the model" not in rea.get("/review").text, "it would tell about the text that is still open"
    send(site, rea, sentiment, label="neutral")
    assert sorted(labels(site, topics)[0].labels) == ["delivery", "price"]
    assert "Nothing to label" in seen(rea.get("/review"))
    assert "Show what the model" in rea.get("/review").text


def test_an_answer_that_comes_late_counts_and_is_told_so(site, rea, asking):
    asking("sentiment", texts=TEXTS[:1])
    (slot,) = slots(rea)
    with site.database.session() as session:
        session.execute(
            text("UPDATE label_slot SET lease_until = now() - interval '1 minute' WHERE id = :id"), {"id": slot}
        )
    late = site.signed_in(site.person("ria", "reviewer"))
    assert slots(late) == [slot]
    answer = send(site, rea, slot, label="negative")
    assert answer.headers["location"] == "/review?done=late"
    assert "Your time for that card was over" in seen(rea.get(answer.headers["location"]))
    assert send(site, late, slot, label="negative").headers["location"] == "/review?done=saved"


def test_who_sees_the_model_elsewhere_is_told_that_their_labels_train(site, asking):
    asking("sentiment", texts=TEXTS[:1])
    sam = site.signed_in(site.person("sam", "supervisor", "reviewer"))
    assert "count for training only" in seen(sam.get("/review"))
    (slot,) = slots(sam)
    send(site, sam, slot, label="neutral")
    assert [one.blind for one in labels(site, slot)] == [False]
    assert sam.get("/").headers["location"] == "/inbox"


def test_an_auditor_looks_and_holds_no_card(site, asking):
    asking("sentiment", texts=TEXTS[:1])
    page = site.visitor("auditor").get("/review")
    assert "you do not label" in seen(page)
    assert SLOT.findall(page.text) == []


def test_the_guideline_is_numbered_and_an_admin_adds_and_ends_sentences(site, rea):
    ada = site.visitor("admin")
    page = rea.get("/review/guidelines")
    assert 'id="sentiment-1"' in page.text
    assert "Add a sentence" not in seen(page)
    added = site.form(ada, "/review/guidelines", about="topic:delivery", sentence="  A parcel is delivery. ")
    place = added.headers["location"]
    assert place.startswith("/review/guidelines?done=added#topic-")
    number = place.rpartition("-")[2]
    again = site.form(ada, "/review/guidelines", about="topic:delivery", sentence="A parcel is delivery.")
    assert again.status_code == 422
    assert f"there already, as number {number}" in seen(again)
    page = ada.get("/review/guidelines").text
    ending = page.partition(f'id="topic-{number}"')[2].partition('action="')[2].partition('"')[0]
    assert site.form(ada, ending).headers["location"] == f"/review/guidelines?done=ended#topic-{number}"
    assert "delivery A parcel is delivery. held from" in seen(rea.get("/review/guidelines"))
    assert (
        site.form(ada, "/review/guidelines", about="topic:delivery", sentence="A parcel is delivery.").status_code
        == 303
    )


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"about": "topic", "sentence": " "}, "this one has 0"),
        ({"about": "topic", "sentence": "x" * 401}, "this one has 401"),
        ({"about": "mood", "sentence": "Fine."}, "Choose what the sentence speaks of."),
        ({"about": "topic:weather", "sentence": "Fine."}, "There is no topic 'weather'"),
    ],
)
def test_a_sentence_that_cannot_be_kept_is_told_why(site, fields, told):
    answer = site.form(site.visitor("admin"), "/review/guidelines", **fields)
    assert answer.status_code == 422
    assert told in seen(answer)
