"""Drawing samples: who may be drawn, with which chance, and that the stored row draws the same cards again."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from processes import wait_for
from read_records import CLASSIFIER, DIGEST, read_records
from sqlalchemy import text
from sqlmodel import select

from calibration.sampling.design import AtLine
from models.taxonomies.taxonomy import default_taxonomy
from service.lab.labels import pool as pools
from service.lab.labels.choices import choices
from service.lab.labels.evidence import newest_binding
from service.lab.labels.order import asked_of_two
from service.lab.labels.pool import Wish, spread
from service.lab.labels.samples import DrawingNow, InvalidSample, Wanted, await_draw, close, draw, drawn_from, read_pool
from service.store.lab_tables import LabelCard, LabelSlot
from service.store.tables import now

TOPICS = default_taxonomy()
NEGATIVE = Wanted("sentiment", "negative", 10, "audit", seed=7)
RISING = [number / 100 for number in range(100)]


@pytest.fixture
def session(database):
    with database.session() as opened:
        yield opened


def texts(many, words="The parcel came"):
    return [f"{words} {number} days late." for number in range(many)]


def drawn(session, wanted=NEGATIVE):
    sample = draw(session, wanted, TOPICS, by="ada", at=now())
    cards = session.exec(select(LabelCard).where(LabelCard.sample_id == sample.id)).all()
    return sample, {card.feedback_id: card for card in cards}


def test_the_stored_row_draws_the_same_cards_from_the_same_pool(session):
    read_records(session, texts(100), negative=RISING)
    sample, cards = drawn(session)
    session.execute(text("TRUNCATE label_sample, label_card, label_slot CASCADE"))
    wish = Wish("sentiment", newest_binding(session), sample.source, sample.since)
    pool = read_pool(session, NEGATIVE, wish, choices("sentiment", TOPICS))
    order = random.Random(3).sample(range(100), 100)  # noqa: S311 (an order, no secret)
    shuffled = replace(pool, ids=[pool.ids[row] for row in order], scores=pool.scores[order])
    document = dict(sample.design_document)
    assert document.pop("kind") == "AtLine"
    again = drawn_from(shuffled, AtLine(**document), sample.seed)
    assert (again.pool_digest, again.design_id) == (sample.pool_digest, sample.design)
    assert set(again.ids) == {str(one) for one in cards}
    chances = dict(zip(again.ids, again.inclusion_probability, strict=True))
    assert chances == {str(one): card.inclusion_probability for one, card in cards.items()}


def test_with_a_label_most_cards_lie_where_a_threshold_may_stand(session):
    ids = read_records(session, texts(100), negative=RISING)
    sample, cards = drawn(session, replace(NEGATIVE, size=40))
    assert (sample.size, sample.pool_size, sample.axis, sample.label) == (40, 100, "sentiment", "negative")
    above = {card.probabilities["negative"] >= 0.3: card.inclusion_probability for card in cards.values()}
    assert sum(card.probabilities["negative"] >= 0.3 for card in cards.values()) > 30
    assert above[False] == pytest.approx(0.12)
    assert 70 * above[True] + 30 * above[False] == pytest.approx(40)
    for one, card in cards.items():
        assert card.probabilities["negative"] == RISING[ids.index(one)]
        assert (card.calibrator, card.source, card.language) == ("identity@1", "shop", "en")
    assert sum(sample.reference["negative"]["counts"]) == 100
    assert (sample.classifier, sample.model_digest) == (CLASSIFIER, DIGEST)


def test_without_a_label_everything_has_the_same_chance(session):
    read_records(session, texts(50))
    sample, cards = drawn(session, Wanted("topic", None, 20, "audit", seed=1))
    assert {card.inclusion_probability for card in cards.values()} == {0.4}
    assert set(sample.reference) == set(TOPICS.labels)
    assert all(set(card.probabilities) == set(TOPICS.labels) for card in cards.values())


def test_equal_texts_are_one_and_a_second_draw_repeats_none(session):
    first, *_ = read_records(session, ["Late again!", " late  AGAIN!", "ｌate\tagain!", "Broken lid."])
    sample, cards = drawn(session)
    assert (sample.pool_size, len(cards)) == (2, 2)
    assert first in cards
    read_records(session, ["LATE AGAIN!", "Lost lid."])
    second, others = drawn(session)
    assert (second.pool_size, len(others)) == (1, 1)
    said = r"6 records are there, .+; 6 say something and were read by .+ every such text is a card"
    with pytest.raises(InvalidSample, match=said):
        drawn(session)
    assert drawn(session, replace(NEGATIVE, axis="urgency", label=None))[0].size == 3


def test_of_two_draws_at_once_the_second_is_told_to_come_again(session, database):
    read_records(session, texts(3))
    session.commit()
    drawn(session)
    with database.session() as other, pytest.raises(DrawingNow, match="in a minute"):
        drawn(other)


def test_who_has_nobody_to_ask_waits_for_the_other_draw(session, database):
    read_records(session, texts(3))
    session.commit()
    drawn(session)

    def patient():
        with database.session() as other:
            await_draw(other)
            return draw(other, replace(NEGATIVE, axis="urgency", label=None), TOPICS, by="ada", at=now()).size

    waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with ThreadPoolExecutor(1) as pool, database.session() as third:
        second = pool.submit(patient)
        wait_for(lambda: third.execute(waits).scalar_one() == 1, 20, "the second draw to wait")
        session.commit()
        assert second.result() == 3


def test_a_done_sample_stays_done_when_it_is_closed(session):
    read_records(session, texts(1))
    sample, _ = drawn(session)
    sample.state, sample.closed_at = "done", (ended := now())
    session.flush()
    close(session, sample, now() + timedelta(days=1), by="ada")
    session.expire(sample)
    assert (sample.state, sample.closed_at) == ("done", ended)


def test_what_cannot_be_drawn(session):
    read_records(session, ["Newest and fine."])
    read_records(session, ["Read by the model before."], model_digest="digest-0")
    read_records(session, ["Read by another."], classifier="other@1")
    read_records(session, ["Stood in for."], degraded=True)
    (withdrawn,) = read_records(session, ["Withdrawn."])
    (silent,) = read_records(session, ["Hm."])
    (edited,) = read_records(session, ["Revised since."])
    session.execute(text("UPDATE feedback SET withdrawn_at = now() WHERE id = :id"), {"id": withdrawn})
    session.execute(text("UPDATE feedback SET revision = 2 WHERE id = :id"), {"id": edited})
    abstained = text("""UPDATE classification SET document = document || '{"abstain": {"reason": "short"}}'
        WHERE feedback_id = :id""")
    session.execute(abstained, {"id": silent})
    read_records(session, ["Newest too."])
    sample, _ = drawn(session)
    assert sample.pool_size == 2


def test_of_one_source_and_from_a_moment_on(session):
    read_records(session, texts(3), source="shop")
    web = read_records(session, texts(2, "The page loads"), source="web")
    session.execute(
        text("UPDATE feedback SET received_at = received_at - interval '9 days' WHERE id = :id"), {"id": web[0]}
    )
    sample, cards = drawn(session, replace(NEGATIVE, source="web", since=now() - timedelta(days=2)))
    assert (sample.pool_size, set(cards)) == (1, {web[1]})


def test_a_targeted_draw_takes_what_the_model_is_least_sure_of_and_nothing_audited(session):
    ids = read_records(session, texts(100), negative=RISING)
    _, audited = drawn(session)
    sample, cards = drawn(session, Wanted("sentiment", "negative", 5, "targeted", seed=7))
    nearest = sorted((one for one in ids if one not in audited), key=lambda one: abs(RISING[ids.index(one)] - 0.5))
    assert set(cards) <= set(nearest[:6])
    assert {card.inclusion_probability for card in cards.values()} == {None}
    assert {(card.places, card.repeats) for card in cards.values()} == {(1, False)}
    assert sample.design.startswith("targeted-")


@pytest.mark.parametrize(("size", "overlap", "twice"), [(10, None, 10), (60, None, 36), (60, 0.5, 30), (60, 0.0, 0)])
def test_some_cards_are_asked_of_two(session, size, overlap, twice):
    read_records(session, texts(60))
    _, cards = drawn(session, Wanted("sentiment", None, size, "audit", seed=1, overlap=overlap))
    assert Counter(card.places for card in cards.values())[2] == twice
    assert sum(card.repeats for card in cards.values()) == round(size * 0.05)
    slots = session.exec(select(LabelSlot)).all()
    assert len(slots) == size + twice
    assert len({slot.lot for slot in slots}) == size


@given(st.integers(1, 10_000), st.none() | st.floats(0, 1))
def test_never_more_are_asked_of_two_than_there_are(size, overlap):
    assert 0 <= asked_of_two(size, overlap) <= size


@given(st.lists(st.floats(0, 1)))
def test_every_score_lies_in_one_bin(scores):
    found = spread(np.array(scores, dtype=np.float64))
    assert sum(found["counts"]) == len(scores)
    assert len(found["counts"]) == len(found["cuts"]) + 1


def test_a_pool_is_the_same_read_in_pieces(session, monkeypatch):
    read_records(session, texts(25), negative=RISING[:25])
    wish = Wish("sentiment", newest_binding(session), None, None)
    whole = pools.audit_pool(session, wish, "negative")
    monkeypatch.setattr(pools, "PIECE", 10)
    pieces = pools.audit_pool(session, wish, "negative")
    assert (pieces.ids, pieces.scores.tolist()) == (whole.ids, whole.scores.tolist())
    assert len(whole.ids) == 25


WRONG = [
    ({"axis": "mood"}, "axis", "There is no axis 'mood'"),
    ({"label": "angry"}, "label", "There is no sentiment 'angry'"),
    ({"pool": "all"}, "pool", "choose audit or targeted"),
    ({"size": 0}, "size", "1 to 10,000"),
    ({"overlap": 1.5}, "overlap", "0 to 1"),
    ({"source": "nobody"}, "source", "There is no source 'nobody'"),
]


@pytest.mark.parametrize(("changes", "field", "words"), WRONG)
def test_what_cannot_be_asked_says_which_wish_has_to_change(session, changes, field, words):
    read_records(session, texts(1))
    with pytest.raises(InvalidSample, match=words) as refused:
        drawn(session, replace(NEGATIVE, **changes))
    assert refused.value.field == field


def test_an_empty_pool_says_what_would_fill_it(session):
    with pytest.raises(InvalidSample, match="send feedback with texts first"):
        drawn(session)
    read_records(session, texts(2), taxonomy="older@1")
    with pytest.raises(InvalidSample, match="The topics have changed"):
        drawn(session, Wanted("topic", None, 10, "audit"))
    with pytest.raises(InvalidSample, match="Or choose an earlier `since`"):
        drawn(session, replace(NEGATIVE, since=now() + timedelta(days=1)))
