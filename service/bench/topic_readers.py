"""Who reads topics in `heed bench quality`: a head fitted on heed's vectors and words, and TF-IDF alone."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer

from models.beliefs import sigmoid
from models.keywords import KeywordClassifier
from models.prediction import Verbatim
from models.taxonomies.fitting import Labelled, fit, gather
from models.taxonomies.judge import judge
from models.taxonomies.taxonomy import Taxonomy
from models.taxonomies.zero_shot import Floats
from service.bench.datasets import Item
from service.bench.sentiment_readers import ReadOnce, joined, tf_idf

Name = Callable[[Sequence[Item]], list[frozenset[str]]]  # the topics of each text
_HELD = 5  # every fifth text of the TF-IDF peer is kept back, to choose its threshold on
_CUTS = np.linspace(0.1, 0.6, 26)


class NoVectors(Exception):
    """The classifier has no sentence vector, so that no head can be fitted on it."""


def fitted(reads: ReadOnce, taxonomy: Taxonomy, train: Sequence[Item]) -> Name:
    """The head that `heed taxonomy fit` makes of these labels.

    Raises:
        NoVectors: the classifier has none.
        TooFewLabels: no topic has enough of them.
    """

    def embed(verbatims: Sequence[Verbatim]) -> Floats:
        readings = reads.readings(verbatims)
        if any(reading.vector is None for reading in readings):
            raise NoVectors("The model makes no sentence vectors, which topics are learned from.")
        return np.array([reading.vector for reading in readings], dtype=np.float32)

    labelled = [Labelled(item.verbatim, item.topics) for item in train]
    evidence = gather(taxonomy, labelled, embed, _keywords(train, taxonomy))
    head = fit(taxonomy, labelled, evidence, "bench")
    judging = judge(head, embed)
    decide = _likeliest if head.kind == "one" else _passing

    def name(items: Sequence[Item]) -> list[frozenset[str]]:
        vectors = embed([item.verbatim for item in items])
        keywords = _keywords(items, judging.taxonomy)
        return [
            decide(judging.taxonomy, judging.read(item.verbatim, vector, found))
            for item, vector, found in zip(items, vectors, keywords, strict=True)
        ]

    return name


def words_learned(train: Sequence[Item]) -> Name:
    """TF-IDF with logistic regression.

    Where a text may have several topics, one threshold for all of them is chosen on a fifth of the texts.
    """
    return _several(train) if any(len(item.topics) != 1 for item in train) else _one(train)


def _keywords(items: Sequence[Item], taxonomy: Taxonomy) -> list[Mapping[str, float]]:
    readings = KeywordClassifier().read([item.verbatim for item in items], taxonomy)
    return [reading.topics for reading in readings]


def _likeliest(_: Taxonomy, log_odds: Mapping[str, float]) -> frozenset[str]:
    return frozenset([max(log_odds, key=log_odds.__getitem__)])


def _passing(taxonomy: Taxonomy, log_odds: Mapping[str, float]) -> frozenset[str]:
    return frozenset(one.name for one in taxonomy.topics if sigmoid(log_odds[one.name]) >= one.threshold)


def _one(train: Sequence[Item]) -> Name:
    model = make_pipeline(tf_idf(len(train)), LogisticRegression(C=16.0, max_iter=300))
    model.fit([joined(item) for item in train], [next(iter(item.topics)) for item in train])
    return lambda items: [frozenset([one]) for one in model.predict([joined(item) for item in items])]


def _several(train: Sequence[Item]) -> Name:
    topics = MultiLabelBinarizer().fit([item.topics for item in train])
    kept, held = [item for place, item in enumerate(train) if place % _HELD], train[::_HELD]
    truth = topics.transform([item.topics for item in held]).astype(bool)
    chances = _each(kept, topics).predict_proba([joined(item) for item in held])
    cut = max(_CUTS, key=lambda one: float((truth & (chances >= one)).sum() / ((chances >= one).sum() + truth.sum())))
    model = _each(train, topics)

    def name(items: Sequence[Item]) -> list[frozenset[str]]:
        passed = model.predict_proba([joined(item) for item in items]) >= cut
        return [frozenset(map(str, topics.classes_[row])) for row in passed]

    return name


def _each(train: Sequence[Item], topics: MultiLabelBinarizer) -> Pipeline:
    model = make_pipeline(tf_idf(len(train)), OneVsRestClassifier(LogisticRegression(C=16.0, solver="liblinear")))
    return model.fit([joined(item) for item in train], topics.transform([item.topics for item in train]))
