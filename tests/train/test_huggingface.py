"""Checkpoints of the tests' own making: untrained, from weights so large that texts differ."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from tiny_course import answers, vocabulary
from tokenizers import processors
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
    TextClassificationPipeline,
)

from models.encoder.weights import WeightsRefused
from models.huggingface import HuggingFaceClassifier
from models.keywords import KeywordClassifier
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy

TEXTS = ["the parcel was late again", "the nurse was lovely", "my order was blue", "your agent was rude"]
VERBATIMS = [Verbatim(text) for text in TEXTS]
STARS = "axis: sentiment\nlabels: {a: negative, b: negative, c: neutral, d: positive, e: Positive}\n"


def tokenizer() -> PreTrainedTokenizerFast:
    taught = vocabulary([str(line["text"]) for line in answers()])
    taught.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    marks = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
    return PreTrainedTokenizerFast(tokenizer_object=taught, model_max_length=48, **marks)


def config(labels: list[str], **more) -> BertConfig:
    names = dict(enumerate(labels))
    size = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "initializer_range": 0.7,
    }
    back = {label: place for place, label in names.items()}
    return BertConfig(vocab_size=400, max_position_embeddings=64, id2label=names, label2id=back, **{**size, **more})


@pytest.fixture
def checkpoint(tmp_path):
    """`checkpoint(["NEG", "POS"], "axis: ...")` is a folder as `save_pretrained` leaves it, with a heed.yaml."""

    def make(labels: list[str], mapping: str | None = None, **more) -> Path:
        torch.manual_seed(7)
        model = BertForSequenceClassification(config(labels, **more))
        folder = tmp_path / "mine"
        model.save_pretrained(folder)
        tokenizer().save_pretrained(folder)
        if mapping is not None:
            (folder / "heed.yaml").write_text(mapping)
        return folder

    return make


def scores(folder: Path) -> list[dict[str, float]]:
    """What transformers' own pipeline says of the texts."""
    model = BertForSequenceClassification.from_pretrained(folder)
    found = TextClassificationPipeline(model=model, tokenizer=AutoTokenizer.from_pretrained(folder), top_k=None)(TEXTS)
    return [{one["label"]: one["score"] for one in among} for among in found]


@pytest.mark.parametrize(
    ("labels", "mapping", "ours"),
    [
        pytest.param(
            ["LABEL_0", "LABEL_1", "LABEL_2"],
            "axis: sentiment\nlabels: {LABEL_0: negative, LABEL_1: neutral, LABEL_2: positive}\n",
            {"negative": ["LABEL_0"], "neutral": ["LABEL_1"], "positive": ["LABEL_2"]},
            id="three labels",
        ),
        pytest.param(
            ["NEGATIVE", "POSITIVE"],
            None,
            {"negative": ["NEGATIVE"], "neutral": [], "positive": ["POSITIVE"]},
            id="two labels by their names",
        ),
        pytest.param(
            list("abcde"),
            STARS,
            {"negative": ["a", "b"], "neutral": ["c"], "positive": ["d", "e"]},
            id="five stars",
        ),
    ],
)
def test_sentiment_is_what_the_pipeline_says(checkpoint, labels, mapping, ours):
    folder = checkpoint(labels, mapping)
    readings = HuggingFaceClassifier(str(folder)).read(VERBATIMS, default_taxonomy())
    for reading, theirs in zip(readings, scores(folder), strict=True):
        wanted = {label: sum(theirs[one] for one in among) for label, among in ours.items()}
        assert reading.sentiment == pytest.approx(wanted, abs=1e-5)
        assert sum(reading.sentiment.values()) == pytest.approx(1)
    assert len({reading.sentiment["negative"] for reading in readings}) == len(TEXTS)


def test_a_label_that_means_none_of_ours_takes_no_share(checkpoint):
    folder = checkpoint(
        ["bad", "good", "spam"], "axis: sentiment\nlabels: {bad: negative, good: positive, spam: null}\n"
    )
    reading = HuggingFaceClassifier(str(folder)).read(VERBATIMS[:1], default_taxonomy())[0]
    theirs = scores(folder)[0]
    whole = theirs["bad"] + theirs["good"]
    assert reading.sentiment == pytest.approx(
        {"negative": theirs["bad"] / whole, "neutral": 0, "positive": theirs["good"] / whole}, abs=1e-5
    )


@pytest.mark.parametrize("problem", ["multi_label_classification", "single_label_classification"])
def test_topics_are_what_the_pipeline_says_and_the_others_the_baselines(checkpoint, problem):
    folder = checkpoint(["delivery", "staff and support", "colour"], "axis: topics\n", problem_type=problem)
    readings = HuggingFaceClassifier(str(folder)).read(VERBATIMS, default_taxonomy())
    baseline = KeywordClassifier().read(VERBATIMS, default_taxonomy())
    for reading, theirs, words in zip(readings, scores(folder), baseline, strict=True):
        known = {label: theirs[label] for label in ("delivery", "staff and support")}
        assert dict(reading.topics) == pytest.approx({**words.topics, **known}, abs=1e-5)
        assert len(reading.logits["topic"]) == len(reading.topics)
        assert {span.label for span in reading.spans if span.axis == "topic"}.isdisjoint(known)


@pytest.mark.parametrize(
    ("axis", "labels"), [("type", ["complaint", "praise"]), ("urgency", ["Low", "Normal", "High"])]
)
def test_the_other_axes_can_be_spoken_too(checkpoint, axis, labels):
    folder = checkpoint(labels)
    reading = HuggingFaceClassifier(str(folder)).read(VERBATIMS[:1], default_taxonomy())[0]
    words = KeywordClassifier().read(VERBATIMS[:1], default_taxonomy())[0]
    found = {"type": reading.types, "urgency": reading.urgency}[axis]
    before = {"type": words.types, "urgency": words.urgency}[axis]
    theirs = {label.lower(): score for label, score in scores(folder)[0].items()}
    assert dict(found) == pytest.approx({**before, **theirs}, abs=1e-5)
    assert reading.sentiment == words.sentiment


def test_the_axes_it_does_not_speak_of_are_the_baselines(checkpoint):
    reading = HuggingFaceClassifier(str(checkpoint(["negative", "positive"]))).read(VERBATIMS[:1], default_taxonomy())[
        0
    ]
    words = KeywordClassifier().read(VERBATIMS[:1], default_taxonomy())[0]
    assert (reading.topics, reading.types, reading.urgency) == (words.topics, words.types, words.urgency)
    assert {span.axis for span in words.spans} >= {"sentiment", "topic"}
    assert {span.axis for span in reading.spans} == {span.axis for span in words.spans} - {"sentiment"}


@pytest.mark.parametrize(
    ("text", "truncated", "abstain"),
    [
        ("the parcel was late again", False, None),
        ("the parcel was late again and " * 8, True, None),
        ("", False, "empty"),
        ("n/a", False, "short"),
        ("Le colis est arrivé en retard et cassé.", False, "language"),
        ("> the parcel was late again", False, "quote"),
    ],
)
def test_a_cut_is_marked_and_limits_are_known(checkpoint, text, truncated, abstain):
    classifier = HuggingFaceClassifier(str(checkpoint(["negative", "positive"])))
    reading = classifier.read([Verbatim(text)], default_taxonomy())[0]
    assert (reading.truncated, reading.abstain) == (truncated, abstain)
    assert sum(reading.sentiment.values()) == pytest.approx(1)


def test_the_same_text_reads_the_same_alone_in_company_and_on_many_threads(checkpoint):
    classifier = HuggingFaceClassifier(str(checkpoint(["negative", "positive"])))
    together = classifier.read(VERBATIMS * 8, default_taxonomy())
    with ThreadPoolExecutor(4) as threads:
        alone = list(threads.map(lambda one: classifier.read([one], default_taxonomy())[0], VERBATIMS * 8))
    assert alone == together


def pickle_only(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def no_head(folder: Path) -> None:
    BertModel(config(["negative", "positive"])).save_pretrained(folder)


def code_of_its_own(folder: Path) -> None:
    told = json.loads((folder / "config.json").read_text())
    told |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}}
    (folder / "config.json").write_text(json.dumps(told))
    (folder / "mine.py").write_text("raise SystemExit('ran')\n")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (pickle_only, "holds its weights as a pickle"),
        (lambda folder: (folder / "model.safetensors").unlink(), "holds no model.safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"no"), "cannot be opened as a sequence classifier"),
        (lambda folder: (folder / "config.json").unlink(), "cannot be opened as a sequence classifier"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "cannot be opened as a sequence classifier"),
        (lambda folder: (folder / "config.json").write_text("[]"), "cannot be opened as a sequence classifier"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "cannot be opened as a sequence classifier"),
        (
            lambda folder: (folder / "heed.yaml").write_bytes(b"axis: \xff"),
            "heed.yaml is not UTF-8 .at byte 6.: save it",
        ),
        (no_head, "is no trained sequence classifier, its weights lack classifier.bias, classifier.weight"),
        (code_of_its_own, "and no code of its own"),
    ],
)
def test_a_folder_that_cannot_be_trusted_or_used_is_refused(checkpoint, spoil, sentence):
    folder = checkpoint(["negative", "positive"])
    spoil(folder)
    with pytest.raises(WeightsRefused, match=sentence):
        HuggingFaceClassifier(str(folder))


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (None, r"its labels \(yes, no\) are none of heed's: put a heed.yaml beside it, with axis: sentiment"),
        ("axis: [", r"heed.yaml is not readable YAML \(line 1, column 8: "),
        ("axis: !!bool sentiment", "heed.yaml is not readable YAML .a value is not what it seems to be"),
        ("axis: mood", "heed.yaml needs correcting at axis .*'sentiment', 'type', 'urgency' or 'topics'"),
        ("axis: sentiment\nlabels: {yes: positive}", "does not say what no means: add a line, or null"),
        ("axis: sentiment\nlabels: {yes: positive, no: bad}", "uses bad, and sentiment has only negative, neutral"),
        ("axis: sentiment\nlabels: {y: positive}", "speaks of y, its checkpoint only of yes, no: mend the names"),
        ("axis: sentiment\nlabels: {yes: null, no: null}", "gives no label a meaning"),
        ("axis: sentiment", "uses no, yes, and sentiment has only"),
    ],
)
def test_labels_without_a_meaning_are_refused(checkpoint, mapping, sentence):
    with pytest.raises(WeightsRefused, match=sentence):
        HuggingFaceClassifier(str(checkpoint(["yes", "no"], mapping)))


def test_the_name_is_the_folders_and_changes_with_the_weights(checkpoint):
    folder = checkpoint(["negative", "positive"])
    first = HuggingFaceClassifier(str(folder)).name
    shutil.move(checkpoint(["negative", "neutral", "positive"]), folder.with_name("other"))
    second = HuggingFaceClassifier(str(folder.with_name("other"))).name
    assert [name.partition("@")[0] for name in (first, second)] == ["mine", "other"]
    assert first.partition("@")[2] != second.partition("@")[2]


def test_heed_classify_reads_with_it(checkpoint, heed, monkeypatch):
    folder = checkpoint(["negative", "positive"])
    monkeypatch.setenv("HEED_MODEL", str(folder))
    out, err = heed("classify", TEXTS[0], "--json")
    found = json.loads(out)["results"][0]
    assert err == ""
    assert found["classifier"] == HuggingFaceClassifier(str(folder)).name
    assert found["sentiment"]["probabilities"]["neutral"] == 0


def test_what_is_read_beside_the_weights_is_part_of_the_digest(checkpoint):
    folder = checkpoint(["a", "b", "c", "d", "e"], STARS)
    before = HuggingFaceClassifier(str(folder))
    (folder / "heed.yaml").write_text(STARS.replace("c: neutral", "c: positive"))
    after = HuggingFaceClassifier(str(folder))
    assert after.name == before.name
    assert len(bytes.fromhex(after.digest)) == 32
    assert after.digest != before.digest
