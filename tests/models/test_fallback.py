"""The keyword baseline in place of a model that cannot be used."""

from dataclasses import replace

import pytest

from models.catalog import UnknownClassifier
from models.fallback import Fallback, load_or_fall_back
from models.keywords import KeywordClassifier
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy

VERBATIMS = [Verbatim("Parcel came two weeks late and broken."), Verbatim(""), Verbatim("Great staff!", "Why?")]


def test_it_reads_as_the_baseline_does_and_marks_everything():
    read = Fallback("The weights are gone.").read(VERBATIMS, default_taxonomy())
    plain = KeywordClassifier().read(VERBATIMS, default_taxonomy())
    assert read == [replace(one, degraded=True) for one in plain]
    assert not any(one.degraded for one in plain)
    assert Fallback("The weights are gone.").name == KeywordClassifier().name


@pytest.mark.parametrize("files", [[], ["manifest.json"], ["model.onnx"], ["config.json"]])
def test_a_folder_that_holds_no_model_is_one_sentence(tmp_path, files):
    for name in files:
        (tmp_path / name).write_text("{}")
    found = load_or_fall_back(str(tmp_path))
    assert isinstance(found, Fallback)
    assert str(tmp_path) in found.reason
    assert found.reason.endswith(".")
    assert "\n" not in found.reason


def test_what_loads_is_not_replaced():
    assert isinstance(load_or_fall_back("keywords"), KeywordClassifier)


def test_nothing_stands_in_for_a_name_that_means_nothing():
    with pytest.raises(UnknownClassifier):
        load_or_fall_back("crystal-ball")
