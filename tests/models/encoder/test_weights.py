"""Weights are opened only if every file is the one the manifest names."""

import hashlib
import json
import shutil
import subprocess
import sys

import pytest

from models.encoder.heed_en import SHIPPED, HeedEn
from models.encoder.session import Encoder
from models.encoder.weights import WeightsRefused, open_weights


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(SHIPPED, tmp_path / "heed-en")


def test_the_encoder_alone_starts_without_spacy():
    program = "import sys, models.encoder.session; sys.exit('spacy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def named_anew(folder, name):
    """Let the manifest name the file as it is now: somebody else's folder, whole in itself."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def refusal(folder):
    with pytest.raises(WeightsRefused) as refused:
        HeedEn(folder)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_the_folder_that_ships_is_whole_and_small():
    assert open_weights(SHIPPED).config.name == "heed-en"
    assert sum(file.stat().st_size for file in SHIPPED.rglob("*") if file.is_file()) < 30_000_000
    listed = set(json.loads((SHIPPED / "manifest.json").read_text())["sha256"])
    there = {file.relative_to(SHIPPED).as_posix() for file in SHIPPED.rglob("*") if file.is_file()}
    assert there - listed == {"manifest.json"}


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "model.onnx", "domain.safetensors", "topics/head.json", "README.md"]
)
def test_one_byte_more_is_refused(folder, name):
    with (folder / name).open("ab") as file:
        file.write(b" ")
    assert f"{name} is not the file its manifest names" in refusal(folder)


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx", "topics/head.safetensors"])
def test_a_missing_file_is_refused(folder, name):
    (folder / name).unlink()
    assert name in refusal(folder)


def test_a_manifest_that_names_too_little_is_refused(folder):
    (folder / "manifest.json").write_text('{"sha256": {}}')
    assert "does not name every file" in refusal(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "nonsense"])
def test_a_manifest_that_is_no_object_is_refused(folder, text):
    (folder / "manifest.json").write_text(text)
    assert "manifest.json" in refusal(folder)


def test_a_configuration_of_another_version_is_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    del config["domain"]
    (folder / "config.json").write_text(json.dumps(config))
    named_anew(folder, "config.json")
    assert "of another version of heed (at domain" in refusal(folder)


def test_an_operator_that_this_runtime_does_not_know_is_refused(folder):
    graph = folder / "model.onnx"
    graph.write_bytes(graph.read_bytes().replace(b"QAttention", b"YAttention"))
    named_anew(folder, "model.onnx")
    sentence = refusal(folder)
    assert "cannot be run by ONNX Runtime" in sentence
    assert "YAttention" in sentence


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "domain.safetensors"])
def test_what_is_no_such_file_is_refused_even_if_the_manifest_names_it(folder, name):
    (folder / name).write_bytes(b"not at all")
    named_anew(folder, name)
    assert refusal(folder)


def test_topics_of_another_graph_are_refused(folder):
    head = json.loads((folder / "topics/head.json").read_text())
    head["encoder"] = "0" * 64
    (folder / "topics/head.json").write_text(json.dumps(head))
    own = json.loads((folder / "topics/manifest.json").read_text())
    own["sha256"]["head.json"] = hashlib.sha256((folder / "topics/head.json").read_bytes()).hexdigest()
    (folder / "topics/manifest.json").write_text(json.dumps(own))
    named_anew(folder, "topics/head.json")
    named_anew(folder, "topics/manifest.json")
    assert "fitted on another model" in refusal(folder)


def test_the_graph_holds_nothing_but_numbers():
    assert Encoder(open_weights(SHIPPED)).config.tokens == 256
