"""What labels teach about topics, and the folder it is kept in."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from topics_of_a_shop import NOTHING, SHOP, embed, texts

from models.beliefs import sigmoid
from models.prediction import Verbatim
from models.taxonomies import folder as folders
from models.taxonomies.fitting import Labelled, TooFewLabels, fit, gather
from models.taxonomies.folder import HeadRefused
from models.taxonomies.judge import judge
from models.taxonomies.taxonomy import Topic
from models.taxonomies.terms import learn

DOCUMENT = "name: shop\nversion: 1\ntopics: [{name: delivery}, {name: price}, {name: staff}, {name: returns}]\n"


def fitted(labelled, taxonomy=SHOP):
    keywords = [dict.fromkeys(taxonomy.labels, 0.03)] * len(labelled)
    return fit(taxonomy, labelled, gather(taxonomy, labelled, embed, keywords), "digest")


def read(head, text, question="Why?"):
    verbatim = Verbatim(text, question)
    told = dict.fromkeys(head.taxonomy.labels, 0.0)
    return {label: sigmoid(one) for label, one in head.read(verbatim, embed([verbatim])[0], told).items()}


@pytest.fixture(scope="module")
def head():
    return fitted(texts(160))


@pytest.fixture(scope="module")
def single():
    return fitted(texts(120, most=1))


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("the parcel came late", {"delivery"}),
        ("far too expensive, nobody greeted me", {"price", "staff"}),
        ("my cat is asleep", set()),
    ],
)
def test_topics_are_learned_each_on_its_own(head, text, topics):
    assert (head.kind, head.learned) == ("many", {"delivery", "price", "staff"})
    found = read(head, text)
    thresholds = {topic.name: topic.threshold for topic in head.taxonomy.topics}
    assert {label for label, belief in found.items() if belief >= thresholds[label]} == topics


def test_topics_compete_where_a_text_has_one_at_most(single):
    assert single.kind == "one"
    assert read(single, "the price went up again")["price"] > 0.7
    assert max(read(single, NOTHING[0]).values()) < 0.3
    assert sum(read(single, "the manager said the parcel is expensive").values()) <= 1


def test_thresholds_stay_within_reason(head, single):
    learned = [topic for fitted in (head, single) for topic in fitted.taxonomy.topics if topic.name in fitted.learned]
    assert all(0.2 <= topic.threshold <= 0.8 for topic in learned)
    assert next(topic for topic in head.taxonomy.topics if topic.name == "returns").threshold == 0.5


def test_the_same_labels_make_the_same_head():
    one, two = (fitted(texts(60)) for _ in range(2))
    assert one.mix == two.mix
    assert np.array_equal(one.word_weights, two.word_weights)


def test_a_text_scores_the_same_in_any_company(head):
    among = [read(head, one.verbatim.text) for one in texts(20, seed=3)]
    assert among == [read(head, one.verbatim.text) for one in texts(20, seed=3)]


def test_what_nobody_can_tell_is_not_no():
    labelled = texts(100)
    known = fitted(labelled)
    hidden = [
        Labelled(one.verbatim, one.topics - {"price"}, frozenset({"price"})) if place % 2 else one
        for place, one in enumerate(labelled)
    ]
    taken_for_no = [replace(one, unknown=frozenset()) for one in hidden]
    text = "far too expensive"
    assert read(fitted(hidden), text)["price"] > read(fitted(taken_for_no), text)["price"]
    assert read(fitted(hidden), text)["price"] == pytest.approx(read(known, text)["price"], abs=0.15)


def test_examples_of_the_taxonomy_count_as_labels():
    examples = ("I sent it back", "my refund for the return", "returned it twice", "back to the shop it went")
    topics = (*SHOP.topics[:3], Topic("returns", "Sending things back.", examples=examples))
    labelled = [*texts(60), Labelled(Verbatim("I sent the shoes back"), frozenset({"returns"}))]
    assert "returns" in fitted(labelled, replace(SHOP, topics=topics)).learned


def test_too_few_labels_are_told():
    with pytest.raises(TooFewLabels, match="no topic has 5 labelled texts yet"):
        fitted(texts(4))


def test_a_topic_without_labels_is_judged_by_its_words(head):
    judging = judge(head, embed)
    verbatim = Verbatim("Sending things back.")
    quiet = dict.fromkeys(SHOP.labels, 0.03)
    found = judging.read(verbatim, embed([verbatim])[0], quiet)
    assert list(found) == SHOP.labels
    assert found["returns"] == judge(SHOP, embed).read(verbatim, embed([verbatim])[0], quiet)["returns"] > 0


def test_the_question_is_heard():
    labelled = [
        Labelled(Verbatim(text, question), frozenset({"price"} if question == "What about the price?" else ()))
        for text in ("all good", "could be better", "fine for me", "so so", "never again", "fair enough")
        for question in ("What about the price?", "What about the music?")
    ]
    head = fitted([*labelled, *texts(40)])
    about_price, about_music = (read(head, "quite all right", f"What about the {it}?") for it in ("price", "music"))
    assert about_price["price"] > about_music["price"] + 0.3


def test_terms_are_weighed_as_scikit_learn_weighs_them():
    verbatims = [Verbatim(one.verbatim.text) for one in texts(30)]
    terms = learn(verbatims)
    for mark, options in (
        ("w", {"ngram_range": (1, 2)}),
        ("c", {"analyzer": "char_wb", "ngram_range": (3, 5)}),
    ):
        oracle = TfidfVectorizer(sublinear_tf=True, **options)
        expected = oracle.fit_transform(one.text for one in verbatims).toarray()
        places = {f"{mark}:{term}": column for term, column in oracle.vocabulary_.items()}
        for verbatim, weights in zip(verbatims, expected, strict=True):
            row = terms.row(verbatim)
            mine = {terms.vocabulary[place]: weight for place, weight in zip(row.places, row.weights, strict=True)}
            there = {term: weights[column] for term, column in places.items() if weights[column]}
            assert {term: weight for term, weight in mine.items() if term[0] == mark} == pytest.approx(there, rel=1e-5)


@pytest.mark.parametrize("text", ["", " ", "?", "\ud800", "x" * 50_000, "a\x00b", "👍" * 3])
def test_any_text_has_finite_odds(head, text):
    assert all(0 < belief < 1 for belief in read(head, text, None).values())


def test_a_folder_gives_the_same_head_back(head, single, tmp_path):
    for name, one in (("many", head), ("one", single)):
        folders.save(one, DOCUMENT, tmp_path / name)
        again = folders.load(tmp_path / name, "digest")
        for text in ("the parcel came late", "friendly people", "so so"):
            assert read(again, text) == read(one, text)
        assert [topic.threshold for topic in again.taxonomy.topics] == [t.threshold for t in one.taxonomy.topics]


def test_a_head_knows_what_its_taxonomy_says_without_asking_the_encoder_again(head, tmp_path):
    folders.save(head, DOCUMENT, tmp_path / "head")
    verbatim, keywords = Verbatim("my parcel came back"), dict.fromkeys(SHOP.labels, 0.03)
    vector = embed([verbatim])[0]
    found = judge(folders.load(tmp_path / "head", "digest"), embed=None).read(verbatim, vector, keywords)
    told = judge(SHOP, embed).read(verbatim, vector, keywords)
    assert found == told | dict(head.read(verbatim, vector, told))


def _flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("name", [*folders.FILES, folders.MANIFEST])
def test_a_missing_file_is_refused(head, tmp_path, name):
    folders.save(head, DOCUMENT, tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(HeadRefused, match=rf"{name} cannot be read .*: fit the head again"):
        folders.load(tmp_path)


@pytest.mark.parametrize("name", folders.FILES)
def test_a_changed_file_is_refused(head, tmp_path, name):
    folders.save(head, DOCUMENT, tmp_path)
    _flip(tmp_path / name)
    with pytest.raises(HeadRefused, match=rf"{name} is not the file its manifest names"):
        folders.load(tmp_path)


def test_another_models_head_is_refused(head, tmp_path):
    folders.save(head, DOCUMENT, tmp_path)
    with pytest.raises(HeadRefused, match=r"was fitted on another model \(digest, in use is other\)"):
        folders.load(tmp_path, "other")


def test_a_manifest_that_is_none_is_refused(head, tmp_path):
    folders.save(head, DOCUMENT, tmp_path)
    (tmp_path / folders.MANIFEST).write_text("[]")
    with pytest.raises(HeadRefused, match="not readable"):
        folders.load(tmp_path)


def test_the_folder_keeps_the_chain_of_versions(tmp_path):
    document = DOCUMENT.replace("version: 1", "version: 3") + "replaces: [{version: 1}, {version: 2}]\n"
    taxonomy = folders.parse_taxonomy(document)
    folders.save(fitted(texts(60), taxonomy), document, tmp_path)
    assert json.loads((tmp_path / folders.HEAD).read_text())["versions"] == [1, 2, 3]
