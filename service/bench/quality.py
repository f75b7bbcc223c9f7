"""`heed bench quality`: how often the model is right on labelled sets, beside VADER, TF-IDF and the keywords."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from scipy.special import softmax

from calibration.calibrators.class_scaling import fit_temperature_and_biases
from calibration.result import Degenerate, Undefined
from models.catalog import UnknownClassifier
from models.catalog import load as load_classifier
from models.encoder.weights import WeightsRefused
from models.taxonomies.fitting import TooFewLabels
from service.bench import datasets, sentiment_readers, topic_readers
from service.bench.datasets import Data, Item, NoData
from service.bench.figures import BenchFailed, paragraphs
from service.bench.goals import Goal, all_kept, judged
from service.bench.scores import (
    Classes,
    Floats,
    Score,
    Weighted,
    accuracy,
    calibration_error,
    macro_f1,
    macro_recall,
    micro_f1,
    scored,
)
from service.bench.sentiment_readers import Believe, ReadOnce
from service.bench.topic_readers import Name, NoVectors

Statistic = Callable[[Believe, Sequence[Item], Sequence[Item]], Weighted]  # a reader, what may teach it, the judged
READERS = ("heed", "VADER", "TF-IDF + LR", "keywords")
LABELS = 50
DRAWS = 20
_SIDES = (0, 2)  # negative, positive
_AGREEMENT = "agreement_with_float32"

HOW = paragraphs(
    f"""
    percent, with a 95 % interval (percentile bootstrap over texts) where texts were read; judged on the dev split, at
    most so many texts of each set as --most says, drawn at random; 'heed' is the whole reading with what it ships

    trained on: heed's weights saw the train splits of tweets, survey and reviews, never the airline; TF-IDF (words,
    word pairs, pieces of words; logistic regression, sentiment with balanced classes) learned the train split of the
    same set, for the airline that of the tweets

    after {LABELS} labels: a temperature and class biases (ridge .05 of the mean loss) from {LABELS} random airline
    texts of the train split, mean of {DRAWS} draws, no weight of the model moves; the interval is over the judged texts

    reviews: the likelier of negative and positive; survey: with its question; VADER: the cuts of its authors (.05)

    topics: the head that `heed taxonomy fit` makes of the train split (banking77: the official 10 shots, judged on the
    rest of the set); TF-IDF: one threshold for all topics, chosen on a fifth of the train split

    ECE: probability of the likeliest label, 15 bins of equal mass, with the temperature and biases that ship

    agreement with fp32: measured when the weights were exported, read from their manifest
    """
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line: how many texts were judged, heed's goal where there is one, and what each reader reached."""

    what: str
    n: int
    goal: Goal | None
    scores: Mapping[str, Score | None]


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The table; `notes` says what could not be measured, and why."""

    bench: str
    model: str
    rows: Sequence[Row]
    kept: bool
    notes: Sequence[str]
    how: Sequence[str]


def measure(folder: Path, model: str, most: int) -> QualityReport:
    """Judge a classifier.

    Args:
        folder: the labelled sets; what is not there stays unmeasured.
        model: a folder of weights, or a name of the catalog.
        most: texts judged of each set.

    Raises:
        BenchFailed: the model cannot be loaded.
    """
    try:
        classifier = load_classifier(model)
    except (WeightsRefused, UnknownClassifier) as error:
        raise BenchFailed(str(error)) from error
    bench = _Bench(folder, ReadOnce(classifier), most)
    agreed = _agreement(Path(model) / "manifest.json")
    if agreed is None:
        bench.notes.append(f"{model} says nothing of its agreement with fp32 (figures.{_AGREEMENT} of manifest.json).")
    last = Row("label agreement with fp32", 0, judged("agreement with fp32", agreed, 97, 99, unit="%"), {})
    rows = [*bench.sentiment(), *bench.topics(), *bench.calibration(), last]
    goals = [row.goal for row in rows if row.goal]
    return QualityReport("quality", classifier.name, rows, all_kept(goals), tuple(dict.fromkeys(bench.notes)), HOW)


class _Bench:
    def __init__(self, folder: Path, heed: ReadOnce, most: int) -> None:
        self.notes: list[str] = []
        self._folder = folder
        self._heed = heed
        self._most = most
        self._sets: dict[str, Data] = {}
        self._learned: dict[str, Believe] = {}
        self._keywords = ReadOnce(load_classifier("keywords")).believe
        self._vader = sentiment_readers.vader()
        if self._vader is None:
            self.notes.append("VADER is not installed: pip install vaderSentiment.")

    def sentiment(self) -> list[Row]:
        """The lines of sentiment."""
        after = f"airline, macro-F1, {LABELS} labels"
        return [
            self._believed("tweets, macro-recall", "tweets", _plain(macro_recall), (70, 73)),
            self._believed("airline, macro-F1, no labels", "airline", _plain(macro_f1), (66, 71)),
            self._believed(after, "airline", _after_labels, (70, 74)),
            self._believed("survey, macro-recall", "survey", _plain(macro_recall), (66, 73)),
            self._believed("survey, accuracy", "survey", _plain(accuracy), (82, 85)),
            self._believed("reviews, accuracy, two sides", "reviews", _two_sides, (90, 93)),
        ]

    def calibration(self) -> list[Row]:
        """The calibration error where the model was trained; the goal is that of the tweets."""
        rows = [self._honest("tweets"), self._honest("survey")]
        goal = judged("ECE, tweets", _value(rows[0].scores), 3.0, 2.0, better="less", unit="%")
        return [replace(rows[0], goal=goal), rows[1]]

    def topics(self) -> list[Row]:
        """The lines of topics."""
        return [
            self._named("banking77, 10 shots, accuracy", "banking, 10 shots", "banking", (85, 88)),
            self._named("survey topics, micro-F1", "survey topics", "survey topics", (70, 74)),
            self._named("aspects, micro-F1", "aspects", "aspects", (89, 92)),
        ]

    def _believed(self, what: str, name: str, statistic: Statistic, bounds: tuple[float, float]) -> Row:
        data = self._set(name)
        texts = [item for item in datasets.drawn(data.judged, self._most) if item.sentiment is not None]
        readers = self._readers(name) if texts else {}
        scores = {who: scored(statistic(one, data.train, texts), len(texts)) for who, one in readers.items()}
        return _row(what, len(texts), scores, bounds)

    def _honest(self, name: str) -> Row:
        texts = [item for item in datasets.drawn(self._set(name).judged, self._most) if item.sentiment is not None]
        readers = {"heed": self._heed.believe, "keywords": self._keywords} if texts else {}  # the peers give no chances
        scores = {who: calibration_error(_truth(texts), softmax(one(texts), axis=1)) for who, one in readers.items()}
        return Row(f"ECE, {name}", len(texts), None, scores)

    def _named(self, what: str, taught: str, name: str, bounds: tuple[float, float]) -> Row:
        known = self._set(taught)
        train = known.train or known.judged  # a file of shots may name no split
        seen = {item.verbatim for item in train}
        rest = self._set(name)
        texts = [item for item in rest.judged or rest.train if item.verbatim not in seen]
        texts = datasets.drawn(texts, self._most)
        if not train or not texts:
            return _row(what, 0, {}, bounds)
        readers: dict[str, Name] = {"TF-IDF + LR": topic_readers.words_learned(train)}
        try:
            taxonomy = datasets.taxonomy(self._folder, name, train)
            readers["heed"] = topic_readers.fitted(self._heed, taxonomy, train)
        except (NoVectors, TooFewLabels) as error:
            self.notes.append(f"{what} was not measured: {error}")
        truth = [item.topics for item in texts]
        scores = {who: scored(micro_f1(truth, reader(texts)), len(texts)) for who, reader in readers.items()}
        return _row(what, len(texts), scores, bounds)

    def _set(self, name: str) -> Data:
        if name not in self._sets:
            try:
                self._sets[name] = datasets.load(self._folder, name)
            except NoData as error:
                self.notes.append(str(error))
                self._sets[name] = Data((), ())
        return self._sets[name]

    def _readers(self, name: str) -> dict[str, Believe]:
        """Whoever can read this set; TF-IDF has learned where it may."""
        taught = "tweets" if name == "airline" else name
        if taught not in self._learned and len({item.sentiment for item in self._set(taught).train}) > 1:
            self._learned[taught] = sentiment_readers.words_learned(self._set(taught).train)
        found: dict[str, Believe] = {"heed": self._heed.believe, "keywords": self._keywords}
        found |= {"VADER": self._vader} if self._vader else {}
        return found | ({"TF-IDF + LR": self._learned[taught]} if taught in self._learned else {})


def _agreement(manifest: Path) -> float | None:
    """Percent."""
    try:
        return 100 * float(json.loads(manifest.read_text())["figures"][_AGREEMENT])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _row(what: str, n: int, scores: Mapping[str, Score | None], bounds: tuple[float, float]) -> Row:
    return Row(what, n, judged(what, _value(scores), *bounds, unit="%"), scores)


def _value(scores: Mapping[str, Score | None]) -> float | None:
    found = scores.get("heed")
    return found.value if found else None


def _truth(items: Sequence[Item]) -> Classes:
    return np.array([item.sentiment for item in items], dtype=np.int64)


def _plain(statistic: Callable[[Classes, Classes], Weighted]) -> Statistic:
    def of(believe: Believe, _: Sequence[Item], texts: Sequence[Item]) -> Weighted:
        return statistic(_truth(texts), believe(texts).argmax(axis=1))

    return of


def _two_sides(believe: Believe, _: Sequence[Item], texts: Sequence[Item]) -> Weighted:
    sides = np.array(_SIDES)
    return accuracy(_truth(texts), sides[believe(texts)[:, sides].argmax(axis=1)])


def _too_few(_: Floats) -> float:
    raise Degenerate(f"there are fewer than {LABELS} labelled texts to learn from")


def _after_labels(believe: Believe, train: Sequence[Item], texts: Sequence[Item]) -> Weighted:
    """The mean over the draws, each with a calibration of its own; where one cannot be fitted nothing is changed."""
    labelled = [item for item in train if item.sentiment is not None]
    if len(labelled) < LABELS:
        return _too_few
    truth, beliefs = _truth(texts), believe(texts)
    draws = []
    for number in range(DRAWS):
        chosen = Random(number).sample(labelled, LABELS)  # noqa: S311 (texts, not secrets)
        fit = fit_temperature_and_biases(believe(chosen), _truth(chosen))
        said = beliefs if isinstance(fit, Undefined) else fit.apply(beliefs)
        draws.append(macro_f1(truth, said.argmax(axis=1)))
    return lambda weights: float(np.mean([draw(weights) for draw in draws]))
