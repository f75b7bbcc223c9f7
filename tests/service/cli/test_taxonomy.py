"""`heed taxonomy` as whoever types it sees it; the encoder is one that needs no weights."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from topics_of_a_shop import SHOP, embed, texts

from models.catalog import CLASSIFIERS, load
from models.keywords import KeywordClassifier
from models.prediction import Reading, Verbatim
from models.taxonomies.taxonomy import Taxonomy


class Embedding:
    """The keyword baseline with a vector for each text."""

    name = "embedding@1"
    digest = "e" * 64

    def read(self, verbatims: Sequence[Verbatim], taxonomy: Taxonomy) -> list[Reading]:
        vectors = embed(verbatims) if verbatims else ()
        readings = KeywordClassifier().read([Verbatim("x")] * len(verbatims), taxonomy)
        return [replace(reading, vector=tuple(map(float, one))) for reading, one in zip(readings, vectors, strict=True)]


@pytest.fixture
def heed(bare, monkeypatch):
    monkeypatch.setitem(CLASSIFIERS, "embedding", Embedding)
    yield lambda *words, **more: bare("taxonomy", *map(str, words), **({"HEED_MODEL": "embedding"} | more))
    load.cache_clear()


@pytest.fixture
def shop(tmp_path):
    file = tmp_path / "shop.yaml"
    file.write_text(json.dumps({"name": "shop", "version": 2, "topics": [_plain(one) for one in SHOP.topics]}))
    return file


def _plain(topic):
    return {"name": topic.name, "description": topic.description, "keywords": list(topic.keywords)}


@pytest.fixture
def labels(tmp_path):
    file = tmp_path / "labels.jsonl"
    splits = [("train", texts(80)), ("dev", texts(30, seed=1))]
    rows = [
        {"text": one.verbatim.text, "question": "Why?", "topics": sorted(one.topics), "split": split}
        for split, some in splits
        for one in some
    ]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


def test_a_sound_taxonomy(heed, shop):
    assert heed("check", shop) == ("Taxonomy 'shop@2' is sound: 4 topics.\n", "")
    assert json.loads(heed("check", shop, "--json")[0]) == {"errors": [], "warnings": []}


def test_what_is_doubtful_is_told_and_what_is_wrong_exits_3(heed, shop):
    document = json.loads(shop.read_text())
    document["topics"][3]["description"] = "How people in the shop treat customers"
    shop.write_text(json.dumps(document))
    out, err = heed("check", shop)
    assert (out, err.count("\n")) == ("", 1)
    assert "warning: topics 'staff' and 'returns': their descriptions say almost the same (similarity 1.00)" in err
    document["topics"][3]["keywords"] = ["?!"]
    document["topics"].append({"name": "Staff", "description": "x", "keywords": ["*"]})
    shop.write_text(json.dumps(document))
    told = json.loads(heed("check", shop, "--json", code=3)[0])
    assert [one["place"] for one in told["errors"]] == ["topic 'Staff', '*'", "topics 'staff' and 'Staff'"]


def test_a_file_that_is_no_taxonomy(heed, tmp_path):
    file = tmp_path / "x.yaml"
    file.write_bytes(b"topics: [{name: a, colour: red}]")
    assert "topics.0.colour" in heed("check", file, code=3)[1]
    file.write_bytes(b"name: \xff")
    assert "x.yaml: error: file: it is not UTF-8 (at byte 6); save it as UTF-8." in heed("check", file, code=3)[1]


def test_a_previous_version_that_is_no_taxonomy_is_the_one_named(heed, shop, tmp_path):
    previous = tmp_path / "before.yaml"
    previous.write_text("topics: [")
    assert heed("check", shop, "--previous", previous, code=3)[1].startswith(f"{previous}: error: file: ")
    assert "taxonomy.yaml: error: file: it cannot be read" in heed("check", shop, "--previous", tmp_path, code=3)[1]


def test_a_version_is_held_against_the_one_before(heed, shop, tmp_path):
    previous = tmp_path / "before.yaml"
    previous.write_text("name: shop\nversion: 1\ntopics: [{name: delivery}, {name: money}]\n")
    _, err = heed("check", shop, "--previous", previous, code=3)
    assert "error: replaces: nothing says what became of the topics of version 1; add a step with 'version: 1'" in err
    document = json.loads(shop.read_text())
    step = {"version": 1, "split": {"money": ["price", "returns"]}, "added": ["staff"]}
    shop.write_text(json.dumps(document | {"replaces": step}))
    assert heed("check", shop, "--previous", previous)[0] == "Taxonomy 'shop@2' is sound: 4 topics.\n"


def test_topics_are_fitted_and_measured(heed, shop, labels, tmp_path):
    out, _ = heed("fit", shop, labels, "--out", tmp_path / "fitted")
    assert "Learned 3 of 4 topics from 80 texts" in out
    assert "too few labels" in out
    before, after = (
        json.loads(heed("evaluate", topics, labels, "--json")[0]) for topics in (shop, tmp_path / "fitted")
    )
    assert (before["fitted"], after["fitted"], after["taxonomy"], after["texts"]) == (False, True, "shop@2", 30)
    assert after["micro_f1"]["value"] > 0.95 > before["micro_f1"]["value"] > 0.3
    assert after["micro_f1"]["low"] <= after["micro_f1"]["value"] <= after["micro_f1"]["high"]
    assert [topic["label"] for topic in after["topics"]] == SHOP.labels
    assert set(after["topics"][0]) == {"label", "labelled", "found", "threshold", "precision", "recall", "f1"}
    told, _ = heed("evaluate", tmp_path / "fitted", labels, "--split", "dev")
    assert "30 texts, in percent with intervals of 95 %:\nmicro-F1 " in told
    assert heed("check", shop, "--previous", tmp_path / "fitted", code=3)[1].count("does not follow") == 1


def test_fit_says_what_it_did_as_json(heed, shop, labels, tmp_path):
    told = json.loads(heed("fit", shop, labels, "--out", tmp_path / "fitted", "--json")[0])
    assert (told["taxonomy"], told["texts"], told["one_topic_per_text"]) == ("shop@2", 80, False)
    assert [topic["learned"] for topic in told["topics"]] == [True, True, True, False]
    assert sum(topic["labels"] for topic in told["topics"]) > 80


def test_each_refusal_is_a_sentence(heed, shop, labels, tmp_path):
    fitted = tmp_path / "fitted"
    none = tmp_path / "none.jsonl"
    none.write_text('{"text": "x", "topics": [], "split": "test"}\n')
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"text": "x", "topics": ["fish"]}\n')
    assert "no topic has 5 labelled texts yet" in heed("fit", shop, none, "--out", fitted, code=1)[1]
    shop_no_more = tmp_path / "shop_no_more.yaml"
    shop_no_more.write_text("name: 2026-99-99")
    assert "shop_no_more.yaml: The taxonomy " in heed("evaluate", shop_no_more, labels, code=1)[1]
    assert "wrong.jsonl, line 1: no version of the" in heed("fit", shop, wrong, "--out", fitted, code=1)[1]
    assert "makes no sentence vectors" in heed("fit", shop, labels, "--out", fitted, code=1, HEED_MODEL="keywords")[1]
    assert f"{shop / 'x'}: Not a directory. Name a" in heed("fit", shop, labels, "--out", shop / "x", code=1)[1]
    assert "manifest.json cannot be read" in heed("evaluate", tmp_path, labels, code=1)[1]
    assert "its splits: test" in heed("evaluate", shop, none, "--split", "dev", code=1)[1]
    assert not fitted.exists()
