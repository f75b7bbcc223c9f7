"""Maps of sentiment, blends of type and urgency: fitted on what the int8 graph says of texts nobody learned from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.encoder.weights import Blend, Scaled

Floats = NDArray[np.float32]
_RARITY = 1.2  # 1 would let each label weigh the same; chosen on the dev sets, as C
_C = 0.03
_FEWEST = 20  # texts with and without a label, below which nothing is fitted
PLAIN = Blend(encoder=1.0, words=0.0, intercept=0.0)


def fit_sentiment(scores: Floats, targets: Floats) -> Scaled:
    """Matrix scaling on texts weighed by how rare their label is.

    The texts that were held back are mostly tweets, of which one in six is negative, and feedback is not like that; and
    a complaint that nobody sees costs more than one too many. Measured on what nobody trained on, airline tweets, it is
    worth 3 points of macro-F1.

    Args:
        scores: [n, m] of the graph that ships, and of the words where they are asked.
        targets: [n, 3] distributions of what people said.
    """
    share = np.maximum(targets.mean(axis=0), 1e-6)
    labels = range(targets.shape[1])
    fitted = LogisticRegression(C=_C, max_iter=1_000).fit(
        np.concatenate([scores for _ in labels]),
        np.repeat(np.array(labels), len(scores)),
        sample_weight=np.concatenate([targets[:, label] / share[label] ** _RARITY for label in labels]) / len(labels),
    )
    return Scaled(
        weights=tuple(tuple(round(float(one), 4) for one in row) for row in fitted.coef_),
        biases=tuple(round(float(one), 4) for one in fitted.intercept_),
    )


def plain(width: int) -> Scaled:
    """What leaves the encoder's three logits as they are, among `width` scores."""
    rows = np.eye(3, width).tolist()
    return Scaled(weights=tuple(tuple(row) for row in rows), biases=(0.0, 0.0, 0.0))


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
