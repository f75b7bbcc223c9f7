"""A tiny course in its folders, an encoder of two layers to begin from, and the command."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tiny_course import answers, topics, vocabulary, written

from models.training.network import tiny_encoder
from service.cli.main import main


@dataclass(frozen=True)
class Course:
    """The folders and files `heed train` is given."""

    data: Path
    recipe: Path
    base: Path


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    data, base = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("base")
    written(data)
    tokenizer = vocabulary([str(line["text"]) for line in (*answers(), *topics())])
    tokenizer.save(str(base / "tokenizer.json"))
    tiny_encoder(tokenizer.get_vocab_size(), 0.1).save_pretrained(base)
    return Course(data, data / "tiny.yaml", base)


Heed = Callable[..., tuple[str, str]]


@pytest.fixture
def heed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Heed:
    """`heed("train", ..., code=1)` is what standard output and standard error say."""
    monkeypatch.setattr("service.telemetry.configure", lambda _level: None)  # the tests' own logging stays
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object, code: int = 0) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["heed", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert ended.value.code == code, f"{words}: {said}"
        return said.out, said.err

    return run
