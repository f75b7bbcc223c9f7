"""Fits a topic head to labelled texts, in seconds: the regressions, how to mix them, and the thresholds."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from models.prediction import Verbatim
from models.taxonomies.taxonomy import Taxonomy
from models.taxonomies.terms import Row, Terms, learn
from models.taxonomies.topic_head import LINKS, NONE_OF_THESE, Floats, Kind, Mix, TopicHead, with_thresholds
from models.taxonomies.zero_shot import Embed, zero_shot

LEAST_POSITIVES = 5  # labels a topic needs to be learned; until then its description and keywords speak
OWN_THRESHOLD = 50  # labels a topic needs for a threshold of its own
GRID = np.linspace(0.2, 0.8, 61)
_VECTOR_C = 20.0
_WORDS_C = 16.0
_MANY_TEXTS = 1_500  # from so many on three folds are enough, and five would take long
Truth = NDArray[np.bool_]


class TooFewLabels(ValueError):
    """Nothing can be learned from these labels; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, the topics it has, and those of which nobody can say whether it has them."""

    verbatim: Verbatim
    topics: frozenset[str]
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class _Lesson:
    """Texts as matrices with their truth (n, k) and which of it is known; the first `own` rows are the taxonomy's."""

    vectors: Floats
    words: sparse.csr_matrix
    truth: Truth
    known: Truth
    own: int

    def rows(self, chosen: NDArray[np.intp]) -> "_Lesson":
        return replace(
            self,
            vectors=self.vectors[chosen],
            words=self.words[chosen],
            truth=self.truth[chosen],
            known=self.known[chosen],
        )


def own_texts(taxonomy: Taxonomy) -> list[Labelled]:
    """What the taxonomy itself says of each topic, as labelled texts: its name, its description, every example."""
    return [
        Labelled(Verbatim(text), frozenset({topic.name}))
        for topic in taxonomy.topics
        for text in (topic.name, topic.description, *topic.examples)
        if text
    ]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of the labelled texts beside their words.

    `vectors` (n, d) are the encoder's for the texts with their questions, `told` (n, k) the log-odds of zero-shot for
    every topic of the taxonomy, `own_vectors` (m, d) the encoder's for `own_texts`, `directions` (k, d) zero-shot's.
    """

    vectors: Floats
    told: Floats
    own_vectors: Floats
    directions: Floats


def gather(
    taxonomy: Taxonomy, labelled: Sequence[Labelled], embed: Embed, keywords: Sequence[Mapping[str, float]]
) -> Evidence:
    """The evidence for these texts; `keywords` holds what `models.beliefs.topic_probabilities` says of each."""
    vectors = embed([one.verbatim for one in labelled])
    untaught = zero_shot(taxonomy, embed)
    told = [list(untaught.read(vector, found).values()) for vector, found in zip(vectors, keywords, strict=True)]
    own = embed([one.verbatim for one in own_texts(taxonomy)])
    return Evidence(vectors, np.array(told), own, untaught.directions)


def fit(taxonomy: Taxonomy, labelled: Sequence[Labelled], evidence: Evidence, encoder: str) -> TopicHead:
    """Learn the topics that have labels enough; `encoder` is the digest of the model whose vectors these are.

    Where every text has at most one topic the classes compete, else each topic is judged on its own. Folds are drawn
    with a fixed seed: the same labels, the same head.

    Raises:
        TooFewLabels: no topic has enough labels.
    """
    classes, kind = _classes(taxonomy, labelled)
    lesson, terms = _lesson(own_texts(taxonomy), labelled, evidence, classes)
    with threadpool_limits(1), ThreadPoolExecutor() as pool:  # BLAS's own threads get in each other's way
        head = pool.submit(_regress, lesson, kind)
        by_vector, by_words = _unseen(lesson, kind, pool)
    truth, known = lesson.truth[lesson.own :], lesson.known[lesson.own :]
    places = {name: place for place, name in enumerate(taxonomy.labels)}
    columns = [evidence.told[:, places[name]] if name in places else np.zeros(len(truth)) for name in classes]
    witnesses = (by_vector, by_words, np.stack(columns, axis=1))
    mix = _mix(witnesses, truth, known, kind)
    thresholds = _thresholds(LINKS[kind].probabilities(mix.of(*witnesses)), truth, known)
    fitted = with_thresholds(taxonomy, dict(zip(classes, thresholds, strict=True)))
    return TopicHead(fitted, encoder, kind, classes, terms, *head.result(), mix, evidence.directions)


def _classes(taxonomy: Taxonomy, labelled: Sequence[Labelled]) -> tuple[tuple[str, ...], Kind]:
    own = {topic.name: len(topic.examples) for topic in taxonomy.topics}
    counts = {name: own[name] + sum(name in one.topics for one in labelled) for name in taxonomy.labels}
    classes = tuple(name for name in taxonomy.labels if counts[name] >= LEAST_POSITIVES and counts[name] > own[name])
    if not classes:
        raise TooFewLabels(
            f"no topic has {LEAST_POSITIVES} labelled texts yet: until then its name, description and keywords speak "
            "for it. Label more texts, or give the topics examples."
        )
    empty = sum(not one.topics for one in labelled)
    alone = all(len(one.topics) <= 1 and not one.unknown for one in labelled)
    if not alone or len(classes) < 3 or 0 < empty < LEAST_POSITIVES:
        return classes, "many"
    return (*classes, NONE_OF_THESE) if empty else classes, "one"


def _lesson(
    own: Sequence[Labelled], labelled: Sequence[Labelled], evidence: Evidence, classes: Sequence[str]
) -> tuple[_Lesson, Terms]:
    texts = [*own, *labelled]
    terms = learn([one.verbatim for one in texts])
    vectors = np.vstack([evidence.own_vectors, evidence.vectors]).astype(np.float64)
    words = _matrix([terms.row(one.verbatim) for one in texts], len(terms.vocabulary))
    return _Lesson(vectors, words, *_truth(texts, classes), own=len(own)), terms


def _truth(texts: Sequence[Labelled], classes: Sequence[str]) -> tuple[Truth, Truth]:
    truth = np.array(
        [[(name in one.topics) or (name == NONE_OF_THESE and not one.topics) for name in classes] for one in texts]
    )
    known = np.array([[name not in one.unknown for name in classes] for one in texts])
    return truth, known


def _matrix(rows: Sequence[Row], width: int) -> sparse.csr_matrix:
    ends = np.cumsum([0, *(len(row.places) for row in rows)])
    places, weights = (np.concatenate(part) for part in zip(*rows, strict=True))
    return sparse.csr_matrix(
        (weights.astype(np.float64), places.astype(np.int32), ends.astype(np.int32)), shape=(len(rows), width)
    )


def _regress(lesson: _Lesson, kind: Kind) -> tuple[Floats, Floats, Floats, Floats]:
    """Weights (d, k) and biases (k,) of the regression on vectors, then of the one on words."""
    if kind == "one":
        chosen = np.flatnonzero(lesson.truth.any(axis=1))
        by_class = lesson.rows(chosen)
        labels = by_class.truth.argmax(axis=1)
        width = lesson.truth.shape[1]
        return (
            *_one_of_many(by_class.vectors, labels, width, _VECTOR_C),
            *_one_of_many(by_class.words, labels, width, _WORDS_C),
        )
    return (*_each(lesson.vectors, lesson, _VECTOR_C, "lbfgs"), *_each(lesson.words, lesson, _WORDS_C, "liblinear"))


def _one_of_many(
    x: Floats | sparse.csr_matrix, labels: NDArray[np.intp], width: int, c: float
) -> tuple[Floats, Floats]:
    model = LogisticRegression(C=c, max_iter=200, tol=1e-3).fit(x, labels)
    weights, bias = np.zeros((x.shape[1], width)), np.full(width, -10.0)  # a class absent from a fold is unlikely
    weights[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    return weights.astype(np.float32), bias.astype(np.float32)


def _each(
    x: Floats | sparse.csr_matrix, lesson: _Lesson, c: float, solver: Literal["lbfgs", "liblinear"]
) -> tuple[Floats, Floats]:
    width, tol = lesson.truth.shape[1], 1e-2 if solver == "liblinear" else 1e-4  # they measure it differently
    weights, bias = np.zeros((x.shape[1], width), np.float32), np.full(width, -4.0, np.float32)  # as above
    for column in range(width):
        known = lesson.known[:, column]
        truth = lesson.truth[known, column]
        if truth.any() and not truth.all():
            model = LogisticRegression(C=c, solver=solver, max_iter=200, tol=tol).fit(x[known], truth)
            weights[:, column], bias[column] = model.coef_[0], model.intercept_[0]
    return weights, bias


def _unseen(lesson: _Lesson, kind: Kind, pool: Executor) -> tuple[Floats, Floats]:
    """Scores of every labelled text by regressions that did not see it."""
    labelled = np.arange(lesson.own, len(lesson.truth))
    number = 5 if len(labelled) < _MANY_TEXTS else 3
    by_vector, by_words = (np.zeros((len(labelled), lesson.truth.shape[1])) for _ in range(2))
    fold_of = _folds(lesson.truth[labelled], number)
    taught = [np.append(np.arange(lesson.own), labelled[fold_of != fold]) for fold in range(number)]
    heads = pool.map(lambda rows: _regress(lesson.rows(rows), kind), taught)
    for fold, (vector_weights, vector_bias, word_weights, word_bias) in enumerate(heads):
        held = labelled[fold_of == fold]
        by_vector[fold_of == fold] = lesson.vectors[held] @ vector_weights + vector_bias
        by_words[fold_of == fold] = lesson.words[held] @ word_weights + word_bias
    return by_vector, by_words


def _folds(truth: Truth, number: int) -> NDArray[np.intp]:
    """Rarest topics dealt out first, so that each fold has its share of every topic."""
    order = np.random.default_rng(0).permutation(len(truth))
    rarity = np.where(truth, truth.sum(axis=0), len(truth) + 1).min(axis=1)
    rarest = np.where(truth, truth.sum(axis=0), len(truth) + 1).argmin(axis=1)
    dealt = order[np.lexsort((rarest[order], rarity[order]))]
    folds = np.empty(len(truth), np.intp)
    folds[dealt] = np.arange(len(truth)) % number
    return folds


def _mix(witnesses: tuple[Floats, Floats, Floats], truth: Truth, known: Truth, kind: Kind) -> Mix:
    """The weights that make the truth of unseen texts most likely: averaging and calibration in one."""
    link = LINKS[kind]
    if kind == "one":  # a text whose topic has too few labels has no class here
        known = known & truth.any(axis=1, keepdims=True)
    cells = max(1, int(known.sum()))

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        p = link.probabilities(Mix(*weights).of(*witnesses))
        missed = np.where(known, p - truth, 0.0)
        surprise = -np.log(np.where(truth, p, 1.0 if kind == "one" else 1 - p)[known] + 1e-12).sum()
        slope = np.array([*((missed * witness).sum() for witness in witnesses), missed.sum()])
        return surprise / cells, slope / cells

    bounds = [(0, 10), (0, 10), (0, 10), (-5, 5)]
    found = minimize(loss, np.array([0.5, 0.5, 0.1, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    return Mix(*map(float, found.x))


def _thresholds(p: Floats, truth: Truth, known: Truth) -> list[float]:
    """One for all by the F1 of all cells, and one of its own for each topic with labels enough."""
    together = _best(p[known], truth[known])
    return [
        _best(p[known[:, k], k], truth[known[:, k], k]) if truth[known[:, k], k].sum() >= OWN_THRESHOLD else together
        for k in range(truth.shape[1])
    ]


def _best(p: Floats, truth: Truth) -> float:
    """The threshold with the best F1, in the middle where several are as good."""
    f1 = np.array([2 * (truth & (p >= cut)).sum() / max(1, (p >= cut).sum() + truth.sum()) for cut in GRID])
    return float(np.round(np.median(GRID[f1 >= f1.max() - 1e-9]), 3))
