"""Several topics, one error rate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.promise import Promise
from calibration.thresholds.precision import Certified, Refused, certify_precision
from calibration.thresholds.topics import TopicLabels, certify_topics

NINETY = Promise(precision=0.90, confidence=0.95)


def all_right(topic, n, score=0.9):
    return TopicLabels(topic, np.full(n, score), np.ones(n))


@pytest.mark.parametrize(
    ("topics", "labels"),
    [(1, 29), (2, 36), (5, 44), (10, 51), (20, 57)],  # ceil(ln(0.05 / k) / ln 0.9); 51 as in the project's notes
)
def test_sharing_raises_the_labels_needed(topics, labels):
    assert NINETY.shared_among(topics).labels_needed() == labels

    outcome = certify_topics([all_right(str(number), labels) for number in range(topics)], NINETY)

    assert all(isinstance(one.outcome, Certified) for one in outcome.outcomes)
    assert outcome.shared.labels_needed() == labels


def test_the_share_is_bonferronis():
    # Dunn (1961): k statements at 1 - alpha / k hold together at 1 - alpha.
    shared = NINETY.shared_among(4)

    assert shared.confidence == pytest.approx(0.9875)
    assert shared.precision == 0.9


@pytest.mark.parametrize(("call", "message"), [("shared_among", "promises"), ("labels_needed", "errors")])
def test_a_count_below_its_least_is_refused(call, message):
    with pytest.raises(ValueError, match=f"{message} must be"):
        getattr(NINETY, call)(-1)


def test_a_topic_that_cannot_be_certified_blocks_no_other():
    outcome = certify_topics([all_right("billing", 80), all_right("refunds", 35), all_right("none", 0)], NINETY)

    assert [type(one.outcome) for one in outcome.outcomes] == [Certified, Refused, Refused]
    assert outcome.worst.topic == "none"


def test_the_worst_certified_topic_is_the_one_with_the_lowest_bound():
    assert certify_topics([all_right("a", 200), all_right("b", 100)], NINETY).worst.topic == "b"


@pytest.mark.parametrize("names", [[], ["a", "a"]])
def test_topics_are_named_once_each(names):
    with pytest.raises(ValueError, match="each named once"):
        certify_topics([all_right(name, 50) for name in names], NINETY)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 120), min_size=1, max_size=4), st.integers(0, 9))
def test_each_topic_is_what_it_would_be_alone_at_its_share_in_any_order(sizes, seed):
    generator = np.random.default_rng(seed)
    topics = [TopicLabels(str(place), generator.random(n), generator.random(n) < 0.97) for place, n in enumerate(sizes)]
    forward = certify_topics(topics, NINETY, grid=[0.3, 0.6])
    backward = certify_topics(topics[::-1], NINETY, grid=[0.3, 0.6])

    assert forward.outcomes == backward.outcomes[::-1]
    for labels, one in zip(topics, forward.outcomes, strict=True):
        assert one.outcome == certify_precision(labels.scores, labels.right, forward.shared, grid=[0.3, 0.6])
