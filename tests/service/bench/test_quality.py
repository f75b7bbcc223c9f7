"""`heed bench quality`: what it makes of a folder, with texts of our own; what is not there stays unmeasured."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from models.encoder.heed_en import SHIPPED
from models.keywords import KeywordClassifier
from models.prediction import Verbatim
from service.bench import datasets, quality
from service.bench.datasets import Item, NoData
from service.bench.goals import all_kept, judged
from service.bench.quality import READERS, measure
from service.bench.scores import Score, accuracy, macro_f1, macro_recall, micro_f1, scored
from service.cli.commands import load

GOOD = ("Lovely staff, thank you.", "The courier was friendly and quick.", "Great value, I will come back.")
PLAIN = ("The parcel came on Tuesday.", "I ordered two chairs.", "It is the blue one.")
BAD = ("The app crashes every time.", "Rude staff and a broken lamp.", "Two weeks late and nobody answered.")
TOPICS = {
    "delivery": "the parcel came late",
    "staff": "the lady at the till was rude",
    "price": "it costs far too much",
}


def write(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    lines = "\n".join(json.dumps(row) for row in rows)
    (folder / datasets.FILES[name]).write_text(f"{lines}\n\n", encoding="utf-8")


def sentences(split: str, column: str = "text") -> list[dict[str, object]]:
    labels = {"negative": BAD, "neutral": PLAIN, "positive": GOOD}
    copies = range(8 if split == "train" else 3)
    return [
        {column: f"{text} ({split} {copy})", "sentiment": label, "split": split}
        for copy in copies
        for label, texts in labels.items()
        for text in texts
    ]


@pytest.fixture
def folder(tmp_path):
    for name in ("tweets", "airline"):
        write(tmp_path, name, sentences("train") + sentences("dev"))
    write(tmp_path, "reviews", [row for row in sentences("dev") if row["sentiment"] != "neutral"])
    write_topics(tmp_path)
    return tmp_path


def write_topics(folder: Path) -> None:
    topics = [
        {"text": f"I say that {text} ({number})", "topics": [name], "split": "train" if number < 6 else "dev"}
        for number in range(8)
        for name, text in TOPICS.items()
    ]
    write(folder, "aspects", topics)


class Encoding(KeywordClassifier):
    """The keyword baseline with a vector that knows three words."""

    def read(self, verbatims, taxonomy):
        readings = super().read(verbatims, taxonomy)
        return [replace(one, vector=vector(verbatim)) for one, verbatim in zip(readings, verbatims, strict=True)]


def vector(verbatim: Verbatim) -> tuple[float, ...]:
    found = [1.0, *(float(word in verbatim.text) for word in ("parcel", "till", "costs"))]
    return tuple(one / sum(found) ** 0.5 for one in found)


@pytest.fixture
def encoding(monkeypatch):
    monkeypatch.setattr(quality, "DRAWS", 2)
    real = quality.load_classifier
    monkeypatch.setattr(quality, "load_classifier", lambda name: Encoding() if name == "own" else real(name))


def test_readers_stand_side_by_side_and_what_is_missing_is_named(folder, encoding):
    report = measure(folder, "own", 20)
    rows = {row.what: row for row in report.rows}
    assert len(rows) == 12
    tweets = rows["tweets, macro-recall"]
    assert tweets.n == 20
    assert set(tweets.scores) == set(READERS)
    assert tweets.scores["heed"] == tweets.scores["keywords"]  # it is the baseline
    for score in tweets.scores.values():
        assert 0 <= score.low <= score.value <= score.high <= 100
    assert tweets.goal.measured == tweets.scores["heed"].value
    assert rows["aspects, micro-F1"].scores["heed"].value == 100
    assert set(rows["reviews, accuracy, two sides"].scores) == {"heed", "VADER", "keywords"}  # nothing to learn from
    missing = [row.what for row in report.rows if row.goal and row.goal.verdict == "not measured"]
    assert [what.split(",")[0] for what in missing] == [
        "survey", "survey", "banking77", "survey topics", "label agreement with fp32",
    ]  # fmt: skip
    assert not report.kept
    assert sum("patient_survey_sentiment.jsonl cannot be read" in note for note in report.notes) == 1


def leaning(items: Sequence[Item]) -> np.ndarray:
    """Knows the class of each text, sometimes another one, and leans towards neutral far too much."""
    noise = np.random.default_rng(0).normal(size=(1_000, 3))
    places = [int(item.verbatim.text) for item in items]
    return np.eye(3)[[place % 3 for place in places]] * 3 + noise[places] + [0, 4, 0]


def test_fifty_labels_repair_a_lean():
    items = [Item(Verbatim(str(place)), place % 3, frozenset()) for place in range(1_000)]
    train, texts = items[:500], items[500:]
    everyone = np.ones(len(texts))
    before = quality._plain(macro_f1)(leaning, train, texts)(everyone)
    after = quality._after_labels(leaning, train, texts)(everyone)
    assert before < 0.6
    assert after > 0.85
    assert scored(quality._after_labels(leaning, train[:49], texts), len(texts)) is None


def test_a_model_without_vectors_leaves_topics_unmeasured(tmp_path):
    write_topics(tmp_path)
    report = measure(tmp_path, "keywords", 20)
    (aspects,) = [row for row in report.rows if row.what.startswith("aspects")]
    assert aspects.goal.verdict == "not measured"
    assert aspects.scores["TF-IDF + LR"].value > 50
    assert any("no sentence vectors" in note for note in report.notes)


@pytest.mark.parametrize(
    ("row", "item", "taught"),
    [
        ({"text": "a", "sentiment": "Positive", "split": "dev"}, Item(Verbatim("a"), 2, frozenset()), False),
        ({"text": "a", "label": "neg", "split": "test"}, Item(Verbatim("a"), 0, frozenset({"neg"})), False),
        ({"sentence": "a", "q": "Why?", "sentiment": "neutral"}, Item(Verbatim("a", "Why?"), 1, frozenset()), False),
        ({"text": "a", "question": "", "topics": ["x", "y"]}, Item(Verbatim("a"), None, frozenset("xy")), False),
        ({"comment": "a", "intent": "x", "split": "train"}, Item(Verbatim("a"), None, frozenset("x")), True),
        ({"text": "a", "sentiment": "mixed", "other": [1]}, Item(Verbatim("a"), None, frozenset()), False),
    ],
)
def test_columns_go_by_several_names(tmp_path, row, item, taught):
    write(tmp_path, "tweets", [row])
    data = datasets.load(tmp_path, "tweets")
    assert (data.train, data.judged) == (((item,), ()) if taught else ((), (item,)))


@pytest.mark.parametrize("line", ["[]", "{", '{"sentiment": "neutral"}', '{"text": 3}'])
def test_a_line_that_is_no_text_is_named(tmp_path, line):
    (tmp_path / datasets.FILES["tweets"]).write_text(f'{{"text": "a"}}\n{line}\n')
    with pytest.raises(NoData, match="line 2 is no labelled text"):
        datasets.load(tmp_path, "tweets")


def test_topics_have_the_descriptions_of_their_own_file(tmp_path):
    items = [Item(Verbatim("a"), None, frozenset({"y"})), Item(Verbatim("b"), None, frozenset({"x"}))]
    assert datasets.taxonomy(tmp_path, "aspects", items).labels == ["x", "y"]
    told = {"labels": ["y", "z"], "descriptions": {"z": "the last one"}}
    (tmp_path / datasets.FILES["aspects"]).with_suffix(".labels.json").write_text(json.dumps(told))
    topics = datasets.taxonomy(tmp_path, "aspects", items).topics
    assert [(topic.name, topic.description) for topic in topics] == [("y", ""), ("z", "the last one")]


classes = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=30)


@given(classes)
def test_scores_are_those_of_scikit_learn(pairs):
    pairs = [*pairs, (0, 0, 1), (1, 1, 1), (2, 2, 1)]
    truth, said, weights = (np.array(column) for column in zip(*pairs, strict=True))
    each, w = {"sample_weight": weights}, weights.astype(float)
    assert macro_recall(truth, said)(w) == pytest.approx(metrics.recall_score(truth, said, average="macro", **each))
    assert macro_f1(truth, said)(w) == pytest.approx(metrics.f1_score(truth, said, average="macro", **each))
    assert accuracy(truth, said)(w) == pytest.approx(metrics.accuracy_score(truth, said, **each))


@given(st.lists(st.tuples(*[st.frozensets(st.sampled_from("xyz"))] * 2), min_size=1, max_size=20))
def test_micro_f1_is_that_of_scikit_learn(pairs):
    pairs = [*pairs, (frozenset("x"), frozenset("x"))]
    truth, said = zip(*pairs, strict=True)
    cells = [np.array([[topic in one for topic in "xyz"] for one in side]) for side in (truth, said)]
    assert micro_f1(truth, said)(np.ones(len(pairs))) == pytest.approx(metrics.f1_score(*cells, average="micro"))


def test_what_no_text_defines_has_no_score():
    truth = np.array([0, 0, 2])
    assert scored(macro_recall(truth, truth), 3) is None


def test_the_agreement_with_fp32_is_that_of_the_manifest_that_ships():
    assert 90 < quality._agreement(SHIPPED / "manifest.json") <= 100


@pytest.mark.parametrize(("value", "code"), [(70.0, 0), (69.9, 3)])
def test_a_goal_that_is_missed_ends_with_3(monkeypatch, capsys, tmp_path, value, code):
    goal = judged("tweets", value, 70, 73, unit="%")
    row = quality.Row("tweets", 7, goal, {"heed": Score(value, 60, 80), "VADER": Score(50, 40, 60)})
    report = quality.QualityReport("quality", "heed-en@1", [row], all_kept([goal]), ["A note."], quality.HOW)
    monkeypatch.setattr(quality, "measure", lambda *_: report)
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        load("bench")(["quality", "--data", str(tmp_path)])
    assert (ended.value.code or 0) == code
    out = capsys.readouterr().out
    assert f"{value} (60-80)" in out
    assert "50.0 (40-60)" in out
    assert "A note." in out
