"""The words of an inbox line: the sentence behind a decision, whatever a customer wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pages.glance import LONGEST, Glance, glance, looked_at

TEXT = "I like the colour. The kettle arrived broken! It came in May."
NEGATIVE = frozenset({("sentiment", "negative")})


def span(words: str, text: str = TEXT, axis: str = "sentiment", label: str = "negative", verbatim: int = 0) -> dict:
    start = text.index(words)
    return {
        "verbatim": verbatim,
        "start": start,
        "end": start + len(words),
        "axis": axis,
        "label": label,
        "probability": 0.9,
    }


@pytest.mark.parametrize(
    ("texts", "spans", "wanted", "told"),
    [
        ([], [], NEGATIVE, None),
        (["", "  "], [], NEGATIVE, None),
        ([TEXT], [], NEGATIVE, Glance(TEXT)),
        ([TEXT], [span("broken")], NEGATIVE, Glance("The kettle arrived ", "broken", "!", "negative")),
        ([TEXT], [span("broken")], frozenset(), Glance("The kettle arrived ", "broken", "!", "negative")),
        ([TEXT], [span("broken")], frozenset({("topic", "price")}), Glance(TEXT)),
        (
            [TEXT],
            [span("May", axis="topic", label="price")],
            frozenset({("topic", "price")}),
            Glance("It came in ", "May", ".", ""),
        ),
        (["", TEXT], [span("colour", verbatim=1)], NEGATIVE, Glance("I like the ", "colour", ".", "negative")),
        ([TEXT], [span("colour", verbatim=3)], NEGATIVE, Glance(TEXT)),
    ],
)
def test_the_sentence_that_mattered(texts, spans, wanted, told):
    assert glance(texts, spans, wanted) == told


def test_what_clauses_look_at():
    clauses = ['sentiment.negative >= threshold("negative")', 'topic("product quality") >= 0.5', "scores.nps <= 6"]
    assert looked_at(clauses) == {("sentiment", "negative"), ("topic", "product quality")}


@given(st.lists(st.text(max_size=2_000), max_size=3), st.data())
def test_no_text_makes_it_fail_or_grow(texts, data):
    spans = [
        {
            "verbatim": data.draw(st.integers(0, 3)),
            "start": data.draw(st.integers(0, 2_000)),
            "end": data.draw(st.integers(0, 2_100)),
            "axis": "sentiment",
            "label": "negative",
            "probability": 0.5,
        }
        for _ in range(data.draw(st.integers(0, 3)))
    ]
    told = glance(texts, spans, NEGATIVE)
    assert (told is None) == (not any(text.strip() for text in texts))
    line = told.before + told.marked + told.after if told else ""
    assert len(line) <= LONGEST + 60
    assert "\n" not in line
