"""Topics from a file, from a folder of what was learned, and what a fitted head says in a classifier's place."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models.fitted import Fitted, open_topics
from models.keywords import KeywordClassifier
from models.prediction import Reading, Verbatim
from models.taxonomies.folder import HeadRefused, save
from models.taxonomies.taxonomy import BadTaxonomy, Taxonomy, parse_taxonomy
from models.taxonomies.terms import Terms
from models.taxonomies.topic_head import Mix, TopicHead

BANK = """
name: bank
version: 3
topics:
  - {name: cards, keywords: [card]}
  - {name: loans, keywords: [loan]}
"""
CARD = Verbatim("The machine swallowed my card.")


class Encoding(KeywordClassifier):
    """Reads as keywords do; its vector points at the first topic for texts with an exclamation mark, else away."""

    encoder = SimpleNamespace(digest="d" * 64)

    def read(self, verbatims: Sequence[Verbatim], taxonomy: Taxonomy) -> list[Reading]:
        read = zip(verbatims, super().read(verbatims, taxonomy), strict=True)
        return [replace(one, vector=(1.0 if "!" in verbatim.text else -1.0, 0.0)) for verbatim, one in read]


def head(encoder: str = "d" * 64) -> TopicHead:
    """Knows cards alone, by the first number of the vector, with log-odds of 3."""
    weights, words = np.array([[3.0], [0.0]], np.float32), np.zeros((1, 1), np.float32)
    zero, terms = np.zeros(1, np.float32), Terms(("w:card",), np.ones(1, np.float32))
    taxonomy, mix = parse_taxonomy(BANK), Mix(1.0, 0.0, 0.0, 0.0)
    told = np.eye(len(taxonomy.topics), 2, dtype=np.float32)
    return TopicHead(taxonomy, encoder, "many", ("cards",), terms, weights, zero, words, zero, mix, told)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(head(), BANK, tmp_path / "fitted")
    return tmp_path / "fitted"


def test_nothing_named_means_the_topics_heed_brings():
    assert open_topics(None).taxonomy.name == "default"
    assert open_topics(None).head is None


def test_a_file_is_a_taxonomy_and_a_folder_one_with_what_was_learned(folder):
    assert open_topics(folder).taxonomy.identity == open_topics(folder / "taxonomy.yaml").taxonomy.identity == "bank@3"
    assert open_topics(folder / "taxonomy.yaml").head is None
    assert open_topics(folder).head.learned == {"cards"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read (No such file or directory): name a YAML file"),
        (b"name: [", "The taxonomy is not readable YAML"),
        (b"name: bank\nversion: 1\ntopics: []", "The taxonomy needs correcting at topics"),
        (b"\xff\xfe", "topics.yaml is not UTF-8 (at byte 0): save it as UTF-8."),
    ],
)
def test_what_is_no_taxonomy_is_refused_in_one_sentence(tmp_path, content, told):
    file = tmp_path / "topics.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadTaxonomy) as refused:
        open_topics(file)
    assert str(file) in str(refused.value)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_not_whole_is_refused(folder):
    (folder / "head.safetensors").unlink()
    with pytest.raises(HeadRefused, match=r"head\.safetensors cannot be read"):
        open_topics(folder)


def test_the_head_has_the_word_where_it_has_learned():
    bank = head().taxonomy
    plain, loud = Verbatim(CARD.text), Verbatim("I lost my loan!")
    [away, towards] = Fitted(Encoding(), head()).read([plain, loud], bank)
    [words_away, words_towards] = Encoding().read([plain, loud], bank)

    assert words_away.topics["cards"] >= 0.5
    assert away.topics["cards"] == pytest.approx(1 / (1 + math.exp(3)))
    assert [span.label for span in away.spans if span.axis == "topic"] == []
    assert towards.topics["cards"] == pytest.approx(1 / (1 + math.exp(-3)))
    assert towards.topics["loans"] == words_towards.topics["loans"] >= 0.5
    assert [span.label for span in towards.spans if span.axis == "topic"] == ["loans"]
    for judged, read in ((away, words_away), (towards, words_towards)):
        assert list(judged.topics) == list(read.topics) == ["cards", "loans"]
        odds = [math.log(p / (1 - p)) for p in judged.topics.values()]
        assert judged.logits["topic"] == pytest.approx(odds)
        same = {"topics": {}, "logits": {}, "spans": ()}
        assert replace(judged, **same) == replace(read, **same)


def test_a_head_of_another_model_is_refused():
    with pytest.raises(HeadRefused, match=r"bank@3 were fitted on another model than keywords@1: fit them again"):
        Fitted(KeywordClassifier(), head())
    with pytest.raises(HeadRefused, match="another model"):
        Fitted(Encoding(), head("e" * 64))


def test_a_head_keeps_its_digest_in_its_folder_and_loses_it_with_a_weight(folder):
    assert open_topics(folder).head.digest == head().digest
    other = replace(head(), vector_bias=np.ones(1, np.float32))
    assert other.digest != head().digest
    fitted = {Fitted(Encoding(), one).digest for one in (head(), other)}
    assert len({*fitted, Encoding().digest}) == 3
