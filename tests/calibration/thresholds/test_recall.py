"""The threshold that keeps enough of the positives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.stats import binom

from calibration.thresholds.recall import CertifiedRecall, RefusedRecall, certify_recall


@pytest.mark.parametrize(
    ("positives", "recall", "rank"),
    [
        # Wilks (1941): 59 and 93 values make the first and second smallest a 95 %/95 % tolerance limit (Glaeser,
        # NURETH-14, slide 8, as in Dakota's test suite); 124, 153 and the rest by hand from the binomial tail.
        (59, 0.95, 1),
        (92, 0.95, 1),
        (93, 0.95, 2),
        (123, 0.95, 2),
        (124, 0.95, 3),
        (153, 0.95, 4),
        (29, 0.90, 1),
        (46, 0.90, 2),
        (299, 0.99, 1),
    ],
)
def test_the_threshold_is_the_order_statistic_of_wilks(positives, recall, rank):
    outcome = certify_recall(np.arange(1, positives + 1), np.ones(positives), recall=recall, confidence=0.95)

    assert (outcome.threshold, outcome.kept) == (rank, positives + 1 - rank)
    assert outcome.lower_bound >= recall


@pytest.mark.parametrize(("positives", "recall", "need"), [(20, 0.90, 29), (0, 0.95, 59), (298, 0.99, 299)])
def test_too_few_positives_are_refused_with_what_is_needed(positives, recall, need):
    scores = np.arange(positives + 1000)

    outcome = certify_recall(scores, scores < positives, recall=recall, confidence=0.95)

    assert isinstance(outcome, RefusedRecall)
    assert (outcome.have, outcome.need) == (positives, need)


def test_ties_at_the_threshold_are_kept_together():
    outcome = certify_recall(np.repeat([0.2, 0.8], [10, 50]), np.ones(60), recall=0.8, confidence=0.95)

    assert (outcome.threshold, outcome.kept) == (0.2, 60)


@pytest.mark.parametrize("figures", [{"recall": 1.0, "confidence": 0.9}, {"recall": 0.9, "confidence": 0.0}])
def test_a_figure_out_of_range_is_refused(figures):
    with pytest.raises(ValueError, match="must lie strictly between 0 and 1"):
        certify_recall([0.5], [1], **figures)


answers = npst.arrays(np.float64, st.integers(5, 80), elements=st.integers(0, 30).map(float))


@settings(max_examples=50, deadline=None)
@given(answers, st.sampled_from([0.5, 0.7, 0.9]))
def test_no_larger_score_would_do(scores, recall):
    outcome = certify_recall(scores, np.ones(len(scores)), recall=recall, confidence=0.9)

    if isinstance(outcome, CertifiedRecall):
        stricter = int((scores > outcome.threshold).sum())
        assert binom.sf(outcome.kept - 1, len(scores), recall) <= 0.1 + 1e-9
        assert binom.sf(stricter - 1, len(scores), recall) > 0.1 - 1e-9


@settings(max_examples=30, deadline=None)
@given(answers, st.integers(0, 9))
def test_neither_order_nor_negatives_matter(scores, seed):
    generator = np.random.default_rng(seed)
    mixed = np.concatenate([scores, generator.uniform(0, 30, 40)])
    positive = np.arange(len(mixed)) < len(scores)
    order = generator.permutation(len(mixed))

    assert certify_recall(mixed[order], positive[order], recall=0.7, confidence=0.9) == certify_recall(
        scores, np.ones(len(scores)), recall=0.7, confidence=0.9
    )
