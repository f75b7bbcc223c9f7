import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from safetensors.numpy import load_file

KILLED = """
import os, signal, sys
from pathlib import Path
from models.training.build import build
from models.training.course_check import check
from models.training.order import Order
from models.training.recipe import parse_recipe

data, recipe, base, out = map(Path, sys.argv[1:])
course = parse_recipe(recipe.read_text())


def killed_in_the_second_epoch(at):
    if (out / "run/checkpoint").exists():
        os.kill(os.getpid(), signal.SIGKILL)


build(Order(course, check(course, data).files, data, out, base=base), killed_in_the_second_epoch)
"""


def ordered(course, out):
    """The words that train this course, on one thread: so many tests may share a machine."""
    words = ["train", course.data, "--recipe", course.recipe, "--base", course.base]
    return [*words, "--out", out, "--threads", 1]


@pytest.fixture(scope="module")
def trained(course, tmp_path_factory) -> Path:
    """The folder of a model that was trained in one go, by a process of its own."""
    out = tmp_path_factory.mktemp("trained")
    command = [sys.executable, "-m", "service.cli", *map(str, ordered(course, out))]
    ended = subprocess.run(command, capture_output=True, timeout=100, check=False, text=True)
    assert ended.returncode == 0, ended.stderr
    (out / "said").write_text(ended.stdout)
    (out / "told").write_text(ended.stderr)
    return out


def json_card(trained):
    return json.loads((trained / "run/run.json").read_text())


def test_a_run_tells_where_it_stands_and_ends_with_its_card(trained):
    assert "step " in (trained / "told").read_text()
    assert (trained / "said").read_text().startswith("heed-tiny@3 learned from 336 texts")

    card = json_card(trained)
    assert card["model"] == "heed-tiny@3"
    assert card["numbers"]["epochs"] == 3
    assert [(one["file"], one["licence"], one["train"], one["dev"]) for one in card["data"]] == [
        ("answers.jsonl", "Apache-2.0", 270, 90),
        ("topics.jsonl", "Apache-2.0", 66, 22),
    ]
    assert card["machine"]["threads"] == 1
    assert {"torch", "transformers", "onnx"} <= set(card["machine"]["versions"])
    assert card["steps"] == card["reports"][-1]["step"] > 0
    assert card["seconds"] > 0


def test_it_learned_something(trained):
    reports = json_card(trained)["reports"]
    assert reports[-1]["losses"]["sentiment"] < 0.7 * reports[0]["losses"]["sentiment"]


def test_the_curves_have_a_title_axes_and_a_table_beside_them(trained):
    drawing = ET.parse(trained / "run/curves.svg").getroot()  # noqa: S314 (we wrote it ourselves)
    words = [text.text or "" for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert "heed-tiny@3: losses of each head" in words
    assert {"step", "loss, as weighted in the sum"} <= set(words)

    reports = json_card(trained)["reports"]
    page = (trained / "run/run.md").read_text()
    for head, loss in reports[-1]["losses"].items():
        assert f"{head} {loss:.3f}" in words
        assert f"{loss:.3f}" in page
    assert "(curves.svg)" in page


def test_a_killed_run_typed_again_ends_with_the_weights_of_one_that_was_not(course, trained, tmp_path, heed):
    out = tmp_path / "killed"
    words = [sys.executable, "-c", KILLED, course.data, course.recipe, course.base, out]
    killed = subprocess.run([str(word) for word in words], timeout=100, check=False)
    assert killed.returncode == -9
    assert not (out / "run/network.safetensors").exists()

    heed(*ordered(course, out))

    whole, resumed = (load_file(folder / "run/network.safetensors") for folder in (trained, out))
    assert [name for name in whole if whole[name].tobytes() != resumed[name].tobytes()] == []
    assert (out / "model/model.onnx").read_bytes() == (trained / "model/model.onnx").read_bytes()
    told = [json.loads((folder / "run/run.json").read_text())["reports"] for folder in (trained, out)]
    assert [(one["step"], one["losses"]) for one in told[0]] == [(one["step"], one["losses"]) for one in told[1]]


def test_a_folder_with_the_run_of_another_recipe_is_refused(course, trained, tmp_path, heed):
    other = tmp_path / "other.yaml"
    other.write_text(course.recipe.read_text().replace("epochs: 3", "epochs: 4"))
    said = heed(*ordered(replace(course, recipe=other), trained), code=1)
    assert "holds a run of another recipe, other data or another base: name another folder with --out" in said[1]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param(lambda base: (base / "model.safetensors").unlink(), "has no model.safetensors", id="no weights"),
        pytest.param(
            lambda base: (base / "config.json").write_text('{"hidden_size": 768}'), "is 768 wide", id="another width"
        ),
        pytest.param(
            lambda base: (base / "config.json").write_text("{"), "cannot be opened (Expecting", id="no config"
        ),
        pytest.param(
            lambda base: (base / "tokenizer.json").write_text("{}"),
            "base cannot be opened (Model missing",
            id="no tokenizer",
        ),
        pytest.param(
            lambda base: (base / "model.safetensors").write_bytes(b"no"), "cannot be opened (Error", id="broken weights"
        ),
        pytest.param(
            lambda base: (base / "tokenizer.json").write_text(
                (base / "tokenizer.json").read_text().replace("[SEP]", "[END]")
            ),
            "and needs [CLS], [SEP], [PAD]",
            id="no marks",
        ),
    ],
)
def test_a_base_that_cannot_be_used_is_refused(course, tmp_path, heed, spoil, sentence):
    base = tmp_path / "base"
    shutil.copytree(course.base, base)
    spoil(base)
    assert sentence in heed(*ordered(replace(course, base=base), tmp_path / "out"), code=1)[1]


def test_labels_on_one_axis_are_enough(course, tmp_path, heed, monkeypatch):
    recipe = tmp_path / "sentiment.yaml"
    alone = course.recipe.read_text().replace("repeat: 2,", "columns: {sentiment: sentiment},")
    recipe.write_text(alone.replace("epochs: 3", "epochs: 1").replace("heed-tiny", "heed-one"))
    heed(*ordered(replace(course, recipe=recipe), tmp_path / "out"))
    monkeypatch.setenv("HEED_MODEL", str(tmp_path / "out/model"))
    found = json.loads(heed("classify", "the nurse was kind", "--json")[0])["results"][0]
    assert found["classifier"] == "heed-one@3"
    assert set(found["type"]["probabilities"]) == {"suggestion", "complaint", "praise", "question"}


def test_a_recipe_without_customers_words_is_refused_too(course, tmp_path, heed):
    recipe = tmp_path / "forum.yaml"
    recipe.write_text(course.recipe.read_text().replace(", feedback: true", ""))
    said = heed(*ordered(replace(course, recipe=recipe), tmp_path / "out"), code=1)[1]
    assert "0 are set aside (one in 25), and cut-offs need 3" in said


def test_a_finished_run_typed_again_only_exports(course, trained, heed):
    before = (trained / "model/model.onnx").read_bytes()
    checkpoint = trained / "run/checkpoint"
    checkpoint.rename(checkpoint.with_name("checkpoint.old"))  # as a run leaves it that is killed between two renamings
    said = heed(*ordered(course, trained))[1]
    assert "step" not in said
    assert (trained / "model/model.onnx").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(course, tmp_path, heed):
    (tmp_path / "file").write_text("")
    said = heed(*ordered(course, tmp_path / "file"), code=1)[1]
    assert said.startswith(
        f"{tmp_path / 'file' / 'run'}: Not a directory. Make room, or name a folder you may write to"
    )


def test_a_list_of_topics_with_a_name_torch_keeps_for_itself_is_refused(course, tmp_path, heed):
    recipe = tmp_path / "named.yaml"
    recipe.write_text(course.recipe.read_text().replace("topic_list: default", "topic_list: train"))
    said = heed(*ordered(replace(course, recipe=recipe), tmp_path / "out"), code=1)[1]
    assert "A `topic_list` of the recipe has a name that cannot be used" in said


def test_a_recipe_without_our_topics_is_refused_before_anybody_waits(course, tmp_path, heed):
    recipe = tmp_path / "alone.yaml"
    recipe.write_text("\n".join(line for line in course.recipe.read_text().splitlines() if "topics.jsonl" not in line))
    said = heed(*ordered(replace(course, recipe=recipe), tmp_path / "out"), code=1)[1]
    assert said.startswith("No file of the recipe teaches the topics heed brings: add {file: own/topics.jsonl")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("honestly, the parcel was broken", "negative"),
        ("today the nurse was lovely", "positive"),
        ("my order was from last year", "neutral"),
    ],
)
def test_the_exported_model_reads_what_it_learned(trained, heed, monkeypatch, text, label):
    monkeypatch.setenv("HEED_MODEL", str(trained / "model"))
    out, err = heed("classify", text, "--json")
    found = json.loads(out)["results"][0]
    assert err == ""
    assert (found["classifier"], found["degraded"]) == ("heed-tiny@3", False)
    assert found["sentiment"]["label"] == label


WITHOUT_TORCH = """
import sys
for name in ("torch", "transformers", "onnx"):
    sys.modules[name] = None
from models.catalog import load
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy

reading = load(sys.argv[1]).read([Verbatim("the driver was rude")], default_taxonomy())[0]
print(max(reading.sentiment, key=reading.sentiment.get), reading.degraded)
"""


def test_serving_it_needs_neither_torch_nor_transformers(trained):
    command = [sys.executable, "-c", WITHOUT_TORCH, str(trained / "model")]
    ended = subprocess.run(command, capture_output=True, timeout=100, check=False, text=True)
    assert (ended.stdout, ended.returncode) == ("negative False\n", 0), ended.stderr


def test_the_manifest_and_the_model_card_say_what_it_was_made_of(trained):
    manifest = json.loads((trained / "model/manifest.json").read_text())
    assert (manifest["model"], manifest["base"]["name"]) == ("heed-tiny@3", json_card(trained)["base"])
    assert [one["licence"] for one in manifest["data"]] == ["Apache-2.0", "Apache-2.0"]
    assert manifest["figures"]["agreement_with_float32"] > 0.8
    page = (trained / "model/README.md").read_text()
    assert all(one["sha256"] in page for one in manifest["data"])
    assert (trained / "model/curves.svg").exists()
