"""`heed bench label` at a tiny size: cards are drawn, labelled by twenty and judged. No time is judged."""

import pytest

from service.bench import labelling
from service.bench.figures import machine
from service.bench.goals import all_kept, judged
from service.bench.labelling import HOW, REVIEWERS, LabelReport, measure
from service.bench.reviewers import Pace
from service.cli.commands import load
from service.settings import Settings

RECORDS, CARDS = 120, 40


@pytest.mark.faults  # processes of its own, which cost more than all other tests of the lab's rows together
def test_every_card_is_labelled_and_the_run_comes_to_a_verdict(server_url, tmp_path):
    settings = Settings(home=tmp_path, database_url=server_url, model="keywords", log_level="info")
    report = measure(settings, RECORDS, CARDS, Pace(reading=0.0, cards=1))
    assert report.records >= RECORDS
    assert report.cards == CARDS
    assert report.labels >= CARDS + 36  # so many cards are also asked of a second person
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
def test_a_round_trip_that_is_too_slow_ends_with_3(database, monkeypatch, capsys, p95, code):
    goals = [judged("round trip", p95, labelling.ALLOWED, unit="ms", better="less")]
    figures = {"draw (s)": 0.5}
    report = LabelReport(
        "label", 120, 40, 76, "certified at 0.81", goals, figures, all_kept(goals), machine(database, 0.1), HOW
    )
    monkeypatch.setattr(labelling, "measure", lambda *_: report)
    with pytest.raises(SystemExit) as ended:
        load("bench")(["label"])
    assert (ended.value.code or 0) == code
    out = capsys.readouterr().out
    assert ("MISSED" in out) is (code == 3)
    assert report.verdict in " ".join(out.split())
