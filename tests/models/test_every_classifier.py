"""The exam every classifier of the catalog has to pass."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalog import CLASSIFIERS, UnknownClassifier, load
from models.document import document
from models.prediction import SENTIMENTS, TYPES, URGENCIES, Reading, Verbatim
from models.taxonomies.taxonomy import Taxonomy, Topic, default_taxonomy

TEXTS = [
    "Parcel came two weeks late and broken.",
    "Great service",
    "Please add dark mode",
    "",
    "n/a",
    "Le colis est arrivé en retard et cassé.",
    "😡 SO slow!!!\r\n\r\nI can’t log in & nobody answers… cafe\u0301",
    "How do I reset my password?",
]
HOSTILE = {
    "ten megabytes of one letter": "a" * 10_000_000,
    "emoji": "😡" * 100_000,
    "bidi marks": "\u202e\u2066" * 50_000,
    "html": "<b onclick=x>" * 20_000,
    "open tags": "<a" * 50_000,
    "combining marks": "a" + "\u0301\u0327" * 50_000,
    "only combining marks": "\u0301" * 50_000,
    "lone surrogates": "\ud800bad\udfff" * 5_000,
    "number with commas": "1," * 50_000 + "a",
    "bad sentences": "bad. " * 20_000,
    "praise": "great job " * 20_000,
    "negations": "not, bad, " * 20_000,
    "questions": "? " * 50_000,
    "line ends": "\r\n" * 50_000,
    "quotes": '"' * 50_000,
    "links": "http://" * 20_000,
    "NUL": "bad\x00" * 100,
}

KNOWN_WORDS = ["not", "very", "good", "bad", "broken,", "but.", "SO", "!", "?", "please", "add", "parcel", "\n", "😡"]

classifiers = pytest.mark.parametrize("name", sorted(CLASSIFIERS))


def check(reading: Reading, text: str, taxonomy: Taxonomy) -> None:
    assert tuple(reading.sentiment) == SENTIMENTS
    assert tuple(reading.types) == TYPES
    assert tuple(reading.urgency) == URGENCIES
    assert list(reading.topics) == [topic.name for topic in taxonomy.topics]
    assert sum(reading.sentiment.values()) == pytest.approx(1)
    assert sum(reading.urgency.values()) == pytest.approx(1)
    beliefs = [
        *reading.sentiment.values(),
        *reading.types.values(),
        *reading.urgency.values(),
        *reading.topics.values(),
    ]
    beliefs += [reading.language_probability, *(span.probability for span in reading.spans)]
    assert all(0 <= belief <= 1 for belief in beliefs)
    assert reading.length == len(text)
    places: dict[tuple[str, str], list[int]] = {}
    for span in reading.spans:
        assert 0 <= span.start < span.end <= len(text)
        places.setdefault((span.axis, span.label), []).append(span.start)
    assert all(starts == sorted(starts) for starts in places.values())


@classifiers
def test_every_axis_is_answered_for_every_text(name):
    readings = load(name).read([Verbatim(text) for text in TEXTS], default_taxonomy())
    assert len(readings) == len(TEXTS)
    for reading, text in zip(readings, TEXTS, strict=True):
        check(reading, text, default_taxonomy())
    assert load(name).read([], default_taxonomy()) == []


@classifiers
def test_the_name_carries_a_version(name):
    assert load(name).name.startswith(f"{name}@")
    assert load(load(name).name).name == load(name).name


@classifiers
def test_the_same_text_reads_the_same_alone_and_in_company(name):
    classifier, taxonomy = load(name), default_taxonomy()
    company = [Verbatim(f"{TEXTS[i % len(TEXTS)]} {i}") for i in range(63)]
    for text in TEXTS:
        [alone] = classifier.read([Verbatim(text)], taxonomy)
        assert classifier.read([*company[:20], Verbatim(text), *company[20:]], taxonomy)[20] == alone


@classifiers
def test_the_same_text_reads_the_same_in_another_process_and_in_threads(name):
    classifier, taxonomy = load(name), default_taxonomy()
    verbatims = [Verbatim(text) for text in TEXTS]
    here = document(classifier.read(verbatims, taxonomy), classifier.name, taxonomy).model_dump_json()
    program = (
        "import json, sys; from models.catalog import load; from models.document import document;"
        "from models.prediction import Verbatim; from models.taxonomies.taxonomy import default_taxonomy as taxonomy;"
        "name, *texts = json.load(sys.stdin); c = load(name);"
        "readings = c.read([Verbatim(t) for t in texts], taxonomy());"
        "print(document(readings, c.name, taxonomy()).model_dump_json())"
    )
    there = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps([name, *TEXTS]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        env={
            **os.environ,
            "PYTHONHASHSEED": "4711",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONIOENCODING": "utf-8",
        },
    )
    assert there.stdout.strip() == here
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: classifier.read(verbatims, taxonomy), range(8)))
    assert all(readings == together[0] for readings in together)


@classifiers
@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_hostile_text_takes_bounded_time(name, kind):
    classifier, taxonomy = load(name), default_taxonomy()
    classifier.read([Verbatim("Warm up: ein warmer Tag.")], taxonomy)
    began = time.process_time()
    [reading] = classifier.read([Verbatim(HOSTILE[kind])], taxonomy)
    assert time.process_time() - began < 1
    check(reading, HOSTILE[kind], taxonomy)
    assert len(reading.spans) < 500


@classifiers
@settings(deadline=None, max_examples=150)
@given(
    text=st.text(st.characters(codec=None)), question=st.none() | st.text(), language=st.none() | st.text(max_size=12)
)
def test_any_text_question_and_language(name, text, question, language):
    [reading] = load(name).read([Verbatim(text, question, language)], default_taxonomy())
    check(reading, text, default_taxonomy())


@classifiers
@settings(deadline=None)
@given(words=st.lists(st.sampled_from(KNOWN_WORDS)))
def test_any_mixture_of_known_words(name, words):
    text = " ".join(words)
    [reading] = load(name).read([Verbatim(text)], default_taxonomy())
    check(reading, text, default_taxonomy())


@classifiers
def test_topics_of_any_taxonomy_are_all_present(name):
    taxonomy = Taxonomy("odd", 1, (Topic("😡"), Topic("the"), Topic("...", keywords=("!!!", ""), hints=(" ",))))
    [reading] = load(name).read([Verbatim("The 😡 ...")], taxonomy)
    check(reading, "The 😡 ...", taxonomy)


def test_an_unknown_classifier_is_refused_with_the_list():
    for wrong in ("nobody", "keywords@0", ""):
        with pytest.raises(UnknownClassifier, match=r"there are: .*keywords|only keywords@1"):
            load(wrong)


def test_the_keyword_classifier_needs_no_torch():
    program = "import sys, models.keywords; sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", program], check=False, env=environment).returncode == 0
