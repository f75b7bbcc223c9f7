from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.document import combine, describe, document
from models.keywords import KeywordClassifier
from models.prediction import DocumentClassification, Reading, Span, Verbatim
from models.taxonomies.taxonomy import Taxonomy, Topic, default_taxonomy

TOPICS = Taxonomy("t", 1, (Topic("a", threshold=0.5), Topic("b", threshold=0.8), Topic("c", threshold=0.5)))


def reading(negative=0.2, positive=0.2, high=0.1, length=10, **changes) -> Reading:
    plain = Reading(
        sentiment={"negative": negative, "neutral": 1 - negative - positive, "positive": positive},
        topics={"a": 0.1, "b": 0.1, "c": 0.1},
        types={"suggestion": 0.1, "complaint": 0.1, "praise": 0.1, "question": 0.1},
        urgency={"low": 0.5, "normal": 0.5 - high, "high": high},
        language="en",
        language_probability=0.9,
        length=length,
    )
    return replace(plain, **changes)


def test_sentiment_is_the_mean_weighed_by_length():
    whole = combine([reading(negative=0.8, positive=0.1, length=30), reading(negative=0.0, positive=0.5, length=10)])
    assert whole.sentiment["negative"] == pytest.approx(0.6)
    assert sum(whole.sentiment.values()) == pytest.approx(1)
    assert whole.length == 40


def test_topics_and_types_are_the_maximum_and_urgency_that_of_the_most_urgent():
    one = reading(topics={"a": 0.9, "b": 0.2, "c": 0.1}, high=0.4)
    two = reading(topics={"a": 0.3, "b": 0.7, "c": 0.1}, high=0.2, types={**reading().types, "praise": 0.8})
    whole = combine([two, one])
    assert whole.topics == {"a": 0.9, "b": 0.7, "c": 0.1}
    assert whole.types["praise"] == 0.8
    assert whole.urgency == one.urgency


def test_a_verbatim_that_abstains_does_not_count_beside_one_that_speaks():
    foreign = reading(negative=0.9, positive=0.0, high=0.3, length=500, abstain="language", language="fr")
    whole = combine([foreign, reading()])
    assert whole.abstain is None
    assert whole.language == "en"
    assert whole.sentiment == pytest.approx(reading().sentiment)
    assert whole.urgency == reading().urgency


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["short"], "short"),
        (["empty", "empty"], "empty"),
        (["empty", "short"], "short"),
        (["short", "language", "empty"], "language"),
        (["short", None], None),
    ],
)
def test_a_record_abstains_only_if_every_written_verbatim_does(reasons, expected):
    lengths = {"language": 80, "short": 4, "empty": 200, None: 1}
    assert combine([reading(abstain=r, length=lengths[r]) for r in reasons]).abstain == expected


@pytest.mark.parametrize(
    ("readings", "mixed"),
    [
        ([reading(), reading(mixed=True)], True),
        ([reading(negative=0.8, positive=0.1), reading(negative=0.1, positive=0.8)], True),
        ([reading(negative=0.8, positive=0.1), reading(negative=0.3, positive=0.4)], False),
    ],
)
def test_mixed(readings, mixed):
    assert combine(readings).mixed is mixed


def test_flags_and_spans_of_the_parts_reach_the_whole():
    span = Span(0, 3, "topic", "a", 0.9)
    whole = combine([reading(truncated=True), reading(degraded=True, spans=(span,)), reading(spans=(span,))])
    assert whole.truncated
    assert whole.degraded
    assert [part.verbatim for part in whole.spans] == [1, 2]


def test_a_record_without_verbatims_has_no_reading():
    with pytest.raises(ValueError, match="without verbatims"):
        combine([])


@given(st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5), st.integers(0, 10**6)), min_size=1, max_size=8))
def test_the_whole_is_never_beyond_its_parts(parts):
    readings = [reading(negative=negative, positive=positive, length=length) for negative, positive, length in parts]
    whole = combine(readings).sentiment
    assert sum(whole.values()) == pytest.approx(1)
    for label, value in whole.items():
        values = [part.sentiment[label] for part in readings]
        assert min(values) - 1e-9 <= value <= max(values) + 1e-9


def test_topics_at_or_above_their_threshold_highest_first():
    shown = describe(reading(topics={"a": 0.5, "b": 0.79, "c": 0.6}), "keywords@1", TOPICS)
    assert [(topic.label, topic.threshold) for topic in shown.topics] == [("c", 0.5), ("a", 0.5)]


def test_the_shape_of_the_contract():
    verbatims = [Verbatim("Parcel came two weeks late and broken."), Verbatim("The courier was kind.")]
    classifier, taxonomy = KeywordClassifier(), default_taxonomy()
    whole = document(classifier.read(verbatims, taxonomy), classifier.name, taxonomy)
    shown = whole.model_dump(mode="json")
    assert list(shown) == [
        "classifier",
        "sentiment",
        "topics",
        "type",
        "urgency",
        "language",
        "mixed",
        "truncated",
        "degraded",
        "abstain",
        "spans",
        "verbatims",
    ]
    assert shown["classifier"] == "keywords@1"
    assert shown["topics"][0]["label"] == "delivery"
    assert [span["verbatim"] for span in shown["verbatims"][1]["spans"]] == [1] * len(shown["verbatims"][1]["spans"])
    assert {span["verbatim"] for span in shown["spans"]} == {0, 1}
    assert DocumentClassification.model_validate_json(whole.model_dump_json()) == whole


def test_abstention_carries_its_reason():
    shown = describe(reading(abstain="short"), "keywords@1", TOPICS)
    assert shown.model_dump()["abstain"] == {"reason": "short"}
