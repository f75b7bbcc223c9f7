import pytest
import spacy

import models.spacy_component  # noqa: F401 (registers the component)
from models.catalog import UnknownClassifier, load
from models.document import describe
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy

TEXTS = [
    "Parcel came two weeks late and broken.",
    "Great service, but the app crashes!!!",
    "Please add dark mode",
    "",
    "n/a",
    "  😡 SO slow\r\n\r\nI can’t log in… cafe\u0301  ",
    "Le colis est arrivé en retard et cassé.",
]


def expected(text):
    classifier, taxonomy = load("keywords"), default_taxonomy()
    return describe(classifier.read([Verbatim(text)], taxonomy)[0], classifier.name, taxonomy)


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("heed", config={"model": "keywords"})
    return nlp


@pytest.mark.parametrize("text", TEXTS)
def test_a_document_carries_what_the_classifier_says(nlp, text):
    assert nlp(text)._.heed == expected(text)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_a_stream_carries_the_same(nlp, batch_size):
    assert [doc._.heed for doc in nlp.pipe(TEXTS, batch_size=batch_size)] == [expected(text) for text in TEXTS]


def test_a_saved_pipeline_reads_the_same(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    assert [again(text)._.heed for text in TEXTS] == [expected(text) for text in TEXTS]


def test_a_document_nobody_read_carries_nothing():
    assert spacy.blank("en")("Great")._.heed is None


def test_an_unknown_model_is_refused_where_it_is_added():
    with pytest.raises(UnknownClassifier, match="no classifier 'horoscope'"):
        spacy.blank("en").add_pipe("heed", config={"model": "horoscope"})
