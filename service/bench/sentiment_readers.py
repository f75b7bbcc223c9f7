"""Who reads sentiment in `heed bench quality`: a classifier of heed's, VADER, and TF-IDF with logistic regression."""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union

from models.classifier import Classifier
from models.prediction import SENTIMENTS, Reading, Verbatim
from models.taxonomies.taxonomy import default_taxonomy
from service.bench.datasets import Item
from service.bench.scores import Floats
from service.reading_pool import ReadingPool, usable_threads

Believe = Callable[[Sequence[Item]], Floats]  # (n, 3) log-probabilities, or scores of which the largest is the answer
_SMALLEST = 1e-6
_FEW_TEXTS = 200
_VADER_CUT = 0.05  # its authors': from there on a text is positive, from -0.05 down negative


class ReadOnce:
    """A classifier that keeps what it has read: several lines of the table ask about the same texts."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._pool = ReadingPool(usable_threads())
        self._known: dict[Verbatim, Reading] = {}

    def readings(self, verbatims: Sequence[Verbatim]) -> list[Reading]:
        """What it says of each, in order."""
        new = [one for one in dict.fromkeys(verbatims) if one not in self._known]
        self._known.update(zip(new, self._pool.read(self._classifier, new, default_taxonomy()), strict=True))
        return [self._known[one] for one in verbatims]

    def believe(self, items: Sequence[Item]) -> Floats:
        """Log-probabilities, from the calibration that ships."""
        readings = self.readings([item.verbatim for item in items])
        shares = np.array([[one.sentiment[label] for label in SENTIMENTS] for one in readings], dtype=np.float64)
        logs: Floats = np.log(np.maximum(shares, _SMALLEST))
        return logs


def vader() -> Believe | None:
    """VADER with the cuts of its authors; None where vaderSentiment is not installed."""
    try:
        from vaderSentiment.vaderSentiment import (  # noqa: PLC0415 (it is there where heed is developed)
            SentimentIntensityAnalyzer,
        )
    except ModuleNotFoundError:
        return None
    analyser = SentimentIntensityAnalyzer()

    def believe(items: Sequence[Item]) -> Floats:
        compound = np.array([analyser.polarity_scores(item.verbatim.text)["compound"] for item in items])
        return np.stack([-compound, np.full(len(items), _VADER_CUT), compound], axis=1)

    return believe


def words_learned(train: Sequence[Item]) -> Believe:
    """TF-IDF, question included, with logistic regression on these items, every class with the same weight."""
    labelled = [item for item in train if item.sentiment is not None]
    regression = LogisticRegression(C=2.0, max_iter=200, tol=1e-3, class_weight="balanced")
    model = make_pipeline(tf_idf(len(labelled)), regression)
    model.fit([joined(item) for item in labelled], [item.sentiment for item in labelled])

    def believe(items: Sequence[Item]) -> Floats:
        scores = np.full((len(items), len(SENTIMENTS)), np.log(_SMALLEST))
        scores[:, model.classes_] = model.predict_log_proba([joined(item) for item in items])
        return scores

    return believe


def tf_idf(texts: int) -> FeatureUnion:
    """Words, word pairs and three or four letters in a row; of more than a few texts, only what two of them have."""
    least = 1 if texts < _FEW_TEXTS else 2
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=least)
    return make_union(words, TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True, min_df=least))


def joined(item: Item) -> str:
    """Text and question as one string, the question's words as one term of their own."""
    asked = "".join(letter for letter in (item.verbatim.question or "").lower() if letter.isalnum())
    return f"{item.verbatim.text} question{asked}" if asked else item.verbatim.text
