from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from safetensors.numpy import save
from sklearn.metrics import roc_auc_score

from models.catalog import load
from models.encoder.domain import Centres
from models.encoder.heed_en import SHIPPED
from models.encoder.weights import Domain, WeightsRefused, open_weights
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy
from models.training.domain import fit_domain

TEXTS = YAML(typ="safe").load(Path(__file__).with_name("domain_texts.yaml").read_text(encoding="utf-8"))


def unit(rows):
    rows = np.asarray(rows, dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def around(centre, count, seed):
    return unit(np.asarray(centre) + np.random.default_rng(seed).normal(scale=0.05, size=(count, len(centre))))


def test_likeness_is_the_mean_cosine_to_the_nearest_centres():
    centres = Centres.open(save({"centres": unit([[1, 0], [0, 1], [-1, 0]])}), Domain(nearest=2, cut=0.4))
    assert centres.likeness(np.float32([1, 0])) == pytest.approx(0.5)
    assert centres.likeness(np.float32([0, -1])) == pytest.approx(0.0)
    assert [centres.is_outside(np.float32(row)) for row in ([1, 0], [0, -1])] == [False, True]


@given(st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3).filter(lambda row: max(map(abs, row)) > 0.01))
def test_likeness_is_a_cosine(row):
    centres = Centres.open(save({"centres": np.eye(3, dtype=np.float16)}), Domain(nearest=2, cut=0))
    assert -1.0001 <= centres.likeness(unit(row)) <= 1.0001


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not safetensors",
        save({"other": np.ones((3, 2), np.float16)}),
        save({"centres": np.ones(3, np.float16)}),
        save({"centres": np.ones((1, 2), np.float16)}),
        save({"centres": np.full((3, 2), np.nan, np.float16)}),
    ],
)
def test_a_file_without_centres_is_refused(content):
    with pytest.raises(WeightsRefused, match=r"domain\.safetensors .* fetch the folder again\."):
        Centres.open(content, Domain(nearest=2, cut=0))


def test_the_cut_leaves_the_asked_share_of_held_out_texts_to_people():
    directions = np.eye(8)[:4]
    learned = np.concatenate([around(one, 60, seed) for seed, one in enumerate(directions)])
    held_out = np.concatenate([around(one, 50, seed + 9) for seed, one in enumerate(directions)])
    fitted = fit_domain(learned, held_out, seed=1, centres=12, nearest=2, refused=0.1)
    centres = Centres.open(fitted.content, fitted.config)
    assert sum(centres.is_outside(row) for row in held_out) == pytest.approx(20, abs=1)
    assert all(centres.is_outside(row) for row in unit(np.eye(8)[4:]))
    assert fitted == fit_domain(learned, held_out, seed=1, centres=12, nearest=2, refused=0.1)


def test_few_vectors_make_few_centres():
    fitted = fit_domain(unit([[1, 0], [0, 1]]), unit([[1, 1]]), seed=1)
    assert fitted.config.nearest == 2
    assert not Centres.open(fitted.content, fitted.config).is_outside(unit([1, 1]))


def test_the_shipped_centres_know_feedback_of_unusual_trades_from_what_is_none():
    """Honest floors: news, recipes and verse in plain words look much like a customer's story to a small encoder."""
    model = load("heed-en")
    readings = {
        side: model.read([Verbatim(text) for text in texts], default_taxonomy()) for side, texts in TEXTS.items()
    }
    vectors = {side: [np.float32(one.vector) for one in found] for side, found in readings.items()}
    weights = open_weights(SHIPPED)
    centres = Centres.open(weights.domain, weights.config.domain)
    likeness = {side: [centres.likeness(row) for row in rows] for side, rows in vectors.items()}
    truth = [1] * len(TEXTS["inside"]) + [0] * len(TEXTS["outside"])
    assert roc_auc_score(truth, likeness["inside"] + likeness["outside"]) >= 0.8
    assert np.mean([one.abstain is not None for one in readings["inside"]]) <= 0.1
    assert np.mean([one.abstain is not None for one in readings["outside"]]) >= 0.4
