"""What is written of an exception: its kind and its places, whoever hands it to the log."""

import json
import logging
import sys

import pytest
import structlog

from service import telemetry


@pytest.fixture
def restored():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def raised() -> tuple:
    try:
        return {}["a customer's words"]
    except KeyError:
        return sys.exc_info()


def test_an_exception_handed_on_later_keeps_its_kind_and_place_and_loses_its_words(restored, capsys):
    telemetry.configure("info")
    logging.getLogger("a library").error("it failed", exc_info=raised())
    structlog.get_logger("ours").error("step.failed", exc_info=raised()[1])
    written = capsys.readouterr().err
    theirs, ours = (json.loads(line) for line in written.splitlines())
    assert theirs["error"] == ours["error"] == "KeyError"
    assert all(line["at"][-1].endswith(":raised") for line in (theirs, ours))
    assert "words" not in written
