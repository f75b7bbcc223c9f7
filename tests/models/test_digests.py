"""What names all that a classifier reads with: whatever is proved of one digest says nothing of another."""

import hashlib
import json
from pathlib import Path

import pytest

from models import keywords
from models.catalog import CLASSIFIERS, load
from models.characters import PREPARATION
from models.encoder.heed_en import SHIPPED
from models.encoder.segments import sentences
from models.encoder.weights import open_weights
from models.fallback import Fallback
from models.keywords import words_digest
from models.text import tokenised


@pytest.fixture
def folder(tmp_path):
    """The weights that ship, as links, so that a file can be put in the place of one."""
    for file in SHIPPED.rglob("*"):
        if file.is_file():
            link = tmp_path / file.relative_to(SHIPPED)
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(file)
    return tmp_path


def changed(folder: Path, name: str, content: bytes) -> str:
    """The digest of the folder with one file, and its line in the manifest, replaced."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"][name] = hashlib.sha256(content).hexdigest()
    for file, held in ((name, content), ("manifest.json", json.dumps(manifest).encode())):
        (folder / file).unlink()
        (folder / file).write_bytes(held)
    return open_weights(folder).whole


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_names_its_files(name):
    assert len(bytes.fromhex(load(name).digest)) == 32
    assert load(name).digest == CLASSIFIERS[name]().digest


def test_what_falls_back_on_the_baseline_reads_with_its_files_and_with_no_others():
    assert Fallback("The weights are gone.").digest == load("keywords").digest != load("heed-en").digest


def test_other_numbers_are_another_model_and_another_card_is_not(folder):
    shipped = open_weights(SHIPPED).whole
    config = json.loads((SHIPPED / "config.json").read_text())
    config["sentiment"]["biases"][0] += 0.01
    assert changed(folder, "README.md", b"The card, told better.") == shipped
    assert changed(folder, "config.json", json.dumps(config).encode()) != shipped


def test_other_words_are_another_classifier(tmp_path, monkeypatch):
    before = words_digest()
    for name in keywords.WORDS:
        (tmp_path / name).write_bytes(Path(keywords.__file__).with_name(name).read_bytes())
    monkeypatch.setattr(keywords, "__file__", str(tmp_path / "keywords.py"))
    assert words_digest.__wrapped__() == before
    with (tmp_path / keywords.WORDS[-1]).open("a") as file:
        file.write("# another\n")
    assert words_digest.__wrapped__() != before


def test_another_way_to_prepare_texts_has_another_name():
    """Whoever changes how texts are cleaned, cut or split gives `PREPARATION` a new version, and this test a line."""
    texts = [
        "“Don’t”  come\tback!!! It’s sooooo baaad :-( see https://a.example/x &amp; e.g. £12.50…",
        "Ｆｕｌｌ\u200bwidth\u00adwords\u2028next line. Mr. Smith said no. He left at 5 p.m.\n\n> quoted\n-- \nKim",
    ]
    found = [(tokenised(text).text, tokenised(text).tokens, sentences(text)) for text in texts]
    prepared = hashlib.sha256(repr(found).encode()).hexdigest()[:12]
    assert (PREPARATION, prepared) == ("text@1", "cc225073c946")
