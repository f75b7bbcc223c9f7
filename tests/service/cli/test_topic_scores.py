"""The figures of `heed taxonomy evaluate`, held against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, precision_score, recall_score

from calibration.result import Estimate
from service.cli.topic_scores import score

SHAPE = (8, 3)
CELLS = arrays(bool, SHAPE)


@settings(max_examples=12)
@given(CELLS, arrays(float, SHAPE, elements=st.floats(0, 1)))
def test_figures_are_those_of_scikit_learn(truth, p):
    scores = score("abc", [0.5, 0.2, 0.8], p, truth, np.ones(SHAPE, bool), draws=5)
    said = p >= np.array([0.5, 0.2, 0.8])
    if isinstance(scores.micro_f1, Estimate):
        assert scores.micro_f1.value == pytest.approx(f1_score(truth, said, average="micro", zero_division=0))
    else:
        assert (truth | said).any(axis=1).sum() <= 2  # most draws hold no topic
    for k, one in enumerate(scores.topics):
        if said[:, k].any():
            assert one.precision.value == pytest.approx(precision_score(truth[:, k], said[:, k]))
        if truth[:, k].any():
            assert one.recall.value == pytest.approx(recall_score(truth[:, k], said[:, k]))
            assert one.f1 == pytest.approx(f1_score(truth[:, k], said[:, k]))
    there = np.flatnonzero(truth.any(axis=0))
    each = [f1_score(truth[:, k], said[:, k], zero_division=0) for k in there]
    if isinstance(scores.macro_f1, Estimate):
        assert scores.macro_f1.value == pytest.approx(np.mean(each))
    else:
        assert not each


def test_what_nobody_can_tell_counts_nowhere():
    truth = np.array([[True, False], [False, False]])
    p = np.array([[0.9, 0.9], [0.1, 0.1]])
    known = np.array([[True, False], [True, True]])
    scores = score("ab", [0.5, 0.5], p, truth, known)
    assert (scores.micro_f1.value, scores.topics[1].found, scores.first_right.value) == (1.0, 0, 1.0)
