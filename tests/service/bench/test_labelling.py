"""`heed bench label` at a tiny size: cards are drawn, labelled by twenty and judged. No time is judged."""

from dataclasses import replace

import pytest

from service.bench import labelling
from service.bench.goals import all_kept, judged
from service.bench.labelling import REVIEWERS, measure
from service.bench.reviewers import Pace
from service.cli.commands import load
from service.settings import Settings


@pytest.fixture(scope="module")
def report(server_url, tmp_path_factory):
    home = tmp_path_factory.mktemp("never")
    settings = Settings(home=home, database_url=server_url, model="keywords", log_level="info")
    return measure(settings, 600, 100, Pace(reading=0.0, cards=2))


def test_every_card_is_labelled_and_the_run_comes_to_a_verdict(report):
    assert report.records >= 600
    assert report.cards == 100
    assert report.labels >= 100 + 36  # so many cards are also asked of a second person
    assert report.verdict.startswith(("certified at 0.", "refused, "))
    assert [goal.what for goal in report.goals] == [
        f"round trip of {REVIEWERS} reviewers, {pace}, p95" for pace in ("reading", "not reading")
    ]
    for pace in ("reading", "not reading"):
        for what in ("round trip", "label", "next card"):
            assert 0 < report.figures[f"{what}, {pace}, p50 (ms)"] <= report.figures[f"{what}, {pace}, p95 (ms)"]
    assert all(one > 0 for one in report.figures.values())
    assert report.kept == all_kept(report.goals)


@pytest.mark.parametrize(("p95", "code"), [(149.0, 0), (151.0, 3)])
def test_a_round_trip_that_is_too_slow_ends_with_3(report, monkeypatch, capsys, p95, code):
    goals = [judged("round trip", p95, labelling.ALLOWED, unit="ms", better="less")]
    monkeypatch.setattr(labelling, "measure", lambda *_: replace(report, goals=goals, kept=all_kept(goals)))
    with pytest.raises(SystemExit) as ended:
        load("bench")(["label"])
    assert (ended.value.code or 0) == code
    out = capsys.readouterr().out
    assert ("MISSED" in out) is (code == 3)
    assert report.verdict in " ".join(out.split())
