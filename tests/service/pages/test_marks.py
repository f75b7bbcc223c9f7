"""A customer's words with spans: nothing is lost, nothing gets out, whatever the text and the spans."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from models.prediction import Span
from service.deliver.plain_text import visible
from service.pages.marks import SHOWN, legend, marked, quote_of

UNSEEN = re.compile(r'<span class="unseen">[^<]*</span>')
TEXTS = st.text(st.sampled_from("ab <>&\"'\r\n\u202e\u200d\U0001f600\u0301")) | st.text()
SPANS = st.lists(
    st.builds(
        Span,
        start=st.integers(-5, 40),
        end=st.integers(-5, 40),
        axis=st.sampled_from(["sentiment", "topic", "type", "urgency"]),
        label=st.sampled_from(["negative", "positive", "delivery", "high", '<b title="x">']),
        probability=st.floats(0, 1),
    ),
    max_size=12,
)


class Tags(HTMLParser):
    """The tags of a page, and how deep marks are."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.names: set[str] = set()
        self.depth = self.deepest = 0

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.names.add(tag)
        self.depth += tag == "mark"
        self.deepest = max(self.deepest, self.depth)

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "mark"


def shown(markup: Markup) -> str:
    """What the eye sees of it."""
    return unescape(re.sub(r"<[^>]*>", "", UNSEEN.sub("", markup)))


def pieces(markup: Markup) -> list[tuple[str, str]]:
    """Each marked piece: its looks and what the eye sees of it."""
    found = re.findall(r'<mark class="([^"]*)" title="[^"]*">(.*?)</mark>', markup, re.DOTALL)
    return [(looks, unescape(UNSEEN.sub("", inner))) for looks, inner in found]


def span(start, end, axis="topic", label="delivery", probability=0.95):
    return Span(start, end, axis, label, probability)


@given(TEXTS, SPANS)
def test_the_eye_sees_the_whole_text_and_nothing_else(text, spans):
    markup = marked(text, spans)
    assert shown(markup) == unescape(Markup.escape(visible(text)))
    tags = Tags()
    tags.feed(markup)
    assert tags.names <= {"bdi", "mark", "span"}
    assert tags.deepest <= 1


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("late and broken", [span(0, 4)], [("topic", "late")]),
        ("late and broken", [span(0, 4), span(0, 4, "sentiment", "negative")], [("negative topic", "late")]),
        (
            "late and broken",
            [span(0, 8), span(5, 15, "sentiment", "negative")],
            [("topic", "late "), ("negative topic", "and"), ("negative", " broken")],
        ),
        ("late", [span(2, 2), span(3, 1), span(9, 12)], []),
        ("late", [span(-3, 99, "urgency", "high")], [("urgency", "late")]),
        ("a\U0001f600b", [span(1, 2)], [("topic", "\U0001f600")]),  # offsets are code points
        ("\u202elate", [span(1, 5)], [("topic", "late")]),  # of the original text, whatever is made visible
        ("a\r\nb", [span(2, 4)], [("topic", "\nb")]),
        ("fine", [span(0, 4, "sentiment", "unheard of")], [("neutral", "fine")]),
    ],
)
def test_pieces(text, spans, expected):
    assert pieces(marked(text, spans)) == expected


def test_the_ear_hears_what_the_eye_sees():
    markup = marked("late", [span(0, 4, "sentiment", "negative", 0.93), span(0, 4, "type", "complaint", 0.6)])
    assert '<span class="unseen"> (a complaint, not very sure; sounds negative, very sure) </span>' in markup
    assert 'title="a complaint, not very sure; sounds negative, very sure"' in markup


def test_many_beliefs_about_one_word_are_counted():
    markup = marked("late", [span(0, 4, label=f"topic {number}") for number in range(9)])
    assert "about topic 3, very sure; 5 more)" in markup


def test_a_long_text_is_folded_and_its_marks_stay_where_they_were():
    text = "word " * 1_000 + "late"
    quote = quote_of("Why?", text, [span(0, 4), span(5_000, 5_004)])
    assert shown(quote.opening) + shown(quote.rest) == text
    assert len(shown(quote.opening)) <= SHOWN
    assert quote.left == len(text) - len(shown(quote.opening))
    assert pieces(quote.opening) == [("topic", "word")]
    assert pieces(quote.rest) == [("topic", "late")]
    assert quote_of(None, "a" * 100_000, []).left == 100_000 - SHOWN


def test_a_span_over_the_fold_is_marked_on_both_sides():
    quote = quote_of(None, "a" * 5_000, [span(0, 5_000)])
    assert pieces(quote.opening) == [("topic", "a" * SHOWN)]
    assert pieces(quote.rest) == [("topic", "a" * (5_000 - SHOWN))]


def test_a_short_text_is_not_folded():
    assert quote_of(None, "a" * SHOWN, []).rest is None


def test_the_legend_names_each_belief_once():
    spans = [span(0, 4), span(5, 6, probability=0.5), span(0, 2, "sentiment", "negative"), span(1, 2, "type", "praise")]
    assert [(one.look, one.words) for one in legend(spans)] == [
        ("negative", "sounds negative"),
        ("topic", "about delivery"),
        ("type", "praise"),
    ]
