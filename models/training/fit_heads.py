"""Temperature, biases and blends, fitted on what the int8 graph says of texts nobody learned from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from models.encoder.weights import Blend, Softened

Floats = NDArray[np.float32]
_RIDGE = 0.05  # on the biases: what few texts say of a class's share is not taken at its word
_FEWEST = 20  # texts with and without a label, below which nothing is fitted
PLAIN = Blend(encoder=1.0, words=0.0, intercept=0.0)


def fit_sentiment(logits: Floats, words: Floats, targets: Floats) -> Softened:
    """Temperature, class biases (Guo et al., 2017, with biases) and the say of the words that make log loss least.

    Args:
        logits: [n, 3] of the graph that ships.
        words: [n, 3] log-probabilities of the keyword baseline.
        targets: [n, 3] distributions of what people said.
    """

    def loss(free: NDArray[np.float64]) -> float:
        scores = (logits + abs(free[3]) * words + np.append(free[1:3], 0.0)) / np.exp(free[0])
        scores = scores - scores.max(axis=1, keepdims=True)
        log = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return float(-(targets * log).sum(axis=1).mean() + _RIDGE * (free[1:3] ** 2).sum())

    start = np.array([0.0, 0.0, 0.0, 0.1])
    best = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 4_000, "xatol": 1e-4}).x
    biases = np.append(best[1:3], 0.0)
    biases = biases - biases.mean()
    return Softened(
        temperature=round(float(np.exp(best[0])), 4),
        biases=tuple(round(float(one), 4) for one in biases),
        words=round(float(abs(best[3])), 4),
    )


def fit_blend(encoder: Floats, words: Sequence[float], held: Sequence[bool]) -> Blend:
    """A logistic regression on two log-odds [n]: the encoder's and that of the words alone.

    Where the words would count against what they say, or labels are few, the encoder speaks alone.
    """
    truth = np.array(held, dtype=bool)
    if min(truth.sum(), (~truth).sum()) < _FEWEST:
        return PLAIN
    both = np.stack([encoder, np.clip(words, -6, 6)], axis=1)
    fitted = LogisticRegression(C=1.0).fit(both, truth)
    if fitted.coef_[0, 1] >= 0:
        return _blend(fitted.coef_[0, 0], fitted.coef_[0, 1], fitted.intercept_[0])
    alone = LogisticRegression(C=1.0).fit(both[:, :1], truth)
    return _blend(alone.coef_[0, 0], 0.0, alone.intercept_[0])


def _blend(encoder: float, words: float, intercept: float) -> Blend:
    return Blend(encoder=round(float(encoder), 4), words=round(float(words), 4), intercept=round(float(intercept), 4))
