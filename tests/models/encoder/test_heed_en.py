"""The model that ships, as those who classify with it see it."""

import hashlib
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalog import load
from models.characters import MAX_CODE_POINTS
from models.document import describe
from models.prediction import SENTIMENTS, TYPES, URGENCIES, Verbatim
from models.taxonomies.taxonomy import default_taxonomy, parse_taxonomy

TEXTS = [
    "The parcel came two weeks late and the courier was rude.",
    "Lovely staff, thank you!",
    "Please add a dark mode to the app, and could you tell me when it will be ready?",
    "food great, delivery terrible",
    "n/a",
    "",
    "👍",
    "Der Versand war viel zu langsam und niemand antwortet.",
    "I waited " + "and waited " * 300 + "for nothing.",
    "\n".join(f"- Point {i}: the invoice was wrong again." for i in range(60)),
    "<b>Broken</b> \u202eon arrival =1+1",
]


@pytest.fixture(scope="module")
def classifier():
    return load("heed-en")


def read(classifier, text, question=None):
    return classifier.read([Verbatim(text, question)], default_taxonomy())[0]


def test_a_text_has_the_same_bits_alone_and_in_company_and_on_any_number_of_threads(classifier):
    alone = [read(classifier, text) for text in TEXTS]
    company = classifier.read([Verbatim(text) for text in TEXTS * 6], default_taxonomy())
    assert company == alone * 6
    with ThreadPoolExecutor(4) as pool:
        crowd = list(pool.map(lambda text: read(classifier, text), TEXTS * 6))
    assert crowd == alone * 6


PROGRAM = """
import sys, hashlib, pickle
sys.modules["torch"] = sys.modules["transformers"] = None  # importing them raises
from models.catalog import load
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy
readings = load("heed-en").read([Verbatim(text) for text in pickle.load(sys.stdin.buffer)], default_taxonomy())
print(hashlib.sha256(repr(readings).encode()).hexdigest())
"""


def test_another_process_without_torch_and_transformers_gives_the_same_bits(classifier):
    here = hashlib.sha256(
        repr(classifier.read([Verbatim(text) for text in TEXTS], default_taxonomy())).encode()
    ).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=pickle.dumps(TEXTS), capture_output=True, check=True, timeout=60
    )
    assert there.stdout.decode().strip() == here


@given(st.text(max_size=300), st.none() | st.text(max_size=60))
@settings(max_examples=40, deadline=None)
def test_any_text_gives_probabilities_and_spans_within_it(text, question):
    reading = read(load("heed-en"), text, question)
    for belief, labels in ((reading.sentiment, SENTIMENTS), (reading.urgency, URGENCIES)):
        assert tuple(belief) == labels
        assert sum(belief.values()) == pytest.approx(1)
    assert tuple(reading.types) == TYPES
    assert list(reading.topics) == default_taxonomy().labels
    for values in (reading.sentiment, reading.urgency, reading.types, reading.topics):
        assert all(0 <= value <= 1 for value in values.values())
    assert all(0 <= span.start < span.end <= len(text) for span in reading.spans)
    assert len(reading.vector) == 768
    assert reading.length == len(text)


def test_opposite_clauses_are_two_spans_and_the_text_is_mixed(classifier):
    text = "Food great, delivery terrible."
    reading = read(classifier, text)
    sides = {span.label: text[span.start : span.end] for span in reading.spans if span.axis == "sentiment"}
    assert reading.mixed
    assert sides["positive"].startswith("Food great")
    assert sides["negative"].startswith("delivery terrible")
    about = {span.label: text[span.start : span.end] for span in reading.spans if span.axis == "topic"}
    assert about["delivery"].startswith("delivery terrible")


def test_one_sided_texts_are_not_mixed(classifier):
    assert not read(classifier, "The room was clean and the staff were kind.").mixed
    assert not read(classifier, "The room was dirty and the staff were rude.").mixed


def test_the_question_is_heard(classifier):
    praised = read(classifier, "The staff", "What was good?")
    blamed = read(classifier, "The staff", "What could we do better?")
    assert praised.sentiment["positive"] > 0.5 > blamed.sentiment["positive"]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("late " * 200, False),
        ("late " * 400, True),
        ("The parcel was late. " * 100, False),
        ("The parcel was late. " * 700, True),
        ("x" * (MAX_CODE_POINTS + 1), True),
        ("?" * 400, True),
    ],
    ids=["one run", "one sentence too long", "many sentences", "too many sentences", "too many letters", "no word"],
)
def test_what_is_not_read_is_marked(classifier, text, cut):
    assert read(classifier, text).truncated is cut


def test_the_end_of_a_long_text_is_read(classifier):
    before = "We stayed from Monday to Friday in a room on the third floor. " * 30
    assert read(classifier, before + "How do I get my deposit back?").types["question"] > 0.5
    assert read(classifier, before).types["question"] < 0.5


def test_a_signature_is_not_read(classifier):
    text = "The courier was rude."
    signed = read(classifier, f"{text}\n\nBest regards,\nJoy Love\nHead of Happiness")
    assert signed.sentiment["negative"] == pytest.approx(read(classifier, text).sentiment["negative"], abs=0.05)
    assert all(span.end <= len(text) for span in signed.spans)


def test_a_taxonomy_of_descriptions_alone_works_at_once(classifier):
    taxonomy = parse_taxonomy(
        "name: zoo\nversion: 1\ntopics:\n"
        "  - {name: animals, description: 'Lions, monkeys, birds and how they are kept.'}\n"
        "  - {name: toilets, description: 'Toilets and washrooms, how clean they are.'}\n"
    )
    [reading] = classifier.read([Verbatim("The elephants looked bored in their small cage.")], taxonomy)
    assert reading.topics["animals"] > reading.topics["toilets"]
    assert describe(reading, classifier.name, taxonomy).classifier == classifier.name


QUIET = """
from models.catalog import load
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy
load("heed-en").read([Verbatim("The parcel came late.")], default_taxonomy())
"""


def test_the_runtime_keeps_no_telemetry_of_what_is_read(tmp_path):
    """Where it does, it writes an id of the machine and what it has not sent yet under HOME and TMPDIR."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", QUIET], env=environment, check=True, timeout=60)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("kind", [0, 1, 8, 60])
def test_kind_words_around_a_danger_do_not_make_it_less_urgent(classifier, kind):
    around = " ".join(f"The room number {i} was lovely and clean." for i in range(kind))
    reading = read(classifier, f"The fire alarm failed and my daughter was badly burned. {around}")
    assert max(reading.urgency, key=reading.urgency.__getitem__) == "high"


@pytest.mark.parametrize("text", ["a" * 20_000, "terrible" * 30, "ha" * 3_000, "a " * 500])
def test_one_word_over_and_over_is_nothing_to_act_on(classifier, text):
    assert read(classifier, text).abstain == "short"
