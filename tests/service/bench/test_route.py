"""The benchmark of rules: it compares every answer and prints its goals."""

import pytest
from typer.testing import CliRunner

from service.bench import hostile, route
from service.bench.figures import BenchFailed
from service.bench.hostile import HOSTILE
from service.cli.main import app
from service.route.names import Names


def test_every_answer_is_compared_and_the_goals_are_printed():
    told = CliRunner().invoke(app, ["bench", "route", "--records", "50", "--rounds", "1"])

    assert told.exit_code in {0, 3}, told.output  # how fast this machine is now is no matter of a test
    assert "cel-expr-python" in told.output
    assert f"{50 * (1 + 20 + 200):,} answers compared, 0 differ" in " ".join(told.output.split())
    assert "against the peer at 200 rules" in told.output
    assert f"slowest of {len(HOSTILE)} refusals" in told.output


def test_a_hostile_expression_that_is_accepted_fails_the_benchmark(monkeypatch):
    monkeypatch.setattr(hostile, "HOSTILE", {"harmless": "true"})

    with pytest.raises(BenchFailed, match="harmless"):
        hostile.slowest_refusal(Names())


def test_engines_that_disagree_are_not_measured(monkeypatch):
    monkeypatch.setattr("service.bench.cel.Peer.fires", lambda *_: [0])

    with pytest.raises(BenchFailed, match="disagree"):
        route.measure(50, 1)
