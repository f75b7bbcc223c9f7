"""`heed bench pages` at a tiny size: every page is opened, and a slow one ends with 3. No time is judged."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from service.bench import pages
from service.bench.multiplied import YEARS, fill
from service.bench.pages import PEER, measure
from service.bench.programs import running
from service.bench.scratch import scratch
from service.cli.commands import load
from service.settings import Settings

FIVE = ["inbox", "inbox of one owner", "work item", "story", "backlog"]


@pytest.fixture(scope="module")
def report(server_url, tmp_path_factory):
    home = tmp_path_factory.mktemp("never")
    settings = Settings(home=home, database_url=server_url, model="keywords", log_level="info")
    return measure(settings, 200, 60, 20)


def test_the_five_busiest_pages_are_opened_one_at_a_time_and_four_at_once(report):
    assert [(line.page, line.at_once) for line in report.lines] == [
        (page, at_once) for at_once in (1, 4) for page in [PEER, *FIVE]
    ]
    for line in report.lines:
        assert 0 < line.p50 <= line.p95
        assert line.holds == (line.p95 <= 150)
    assert report.kept == all(line.holds for line in report.lines)
    assert report.records == 200
    assert report.open_items >= 60


@pytest.mark.parametrize(("kept", "code"), [(True, 0), (False, 3)])
def test_a_page_that_is_too_slow_ends_with_3(report, monkeypatch, capsys, kept, code):
    quick = [replace(line, p95=1.0, holds=True) for line in report.lines]  # whatever this machine is busy with
    slow = replace(report.lines[1], p95=151.0, holds=False)
    lines = quick if kept else [slow, *quick]
    monkeypatch.setattr(pages, "measure", lambda *_: replace(report, lines=lines, kept=kept))
    with pytest.raises(SystemExit) as ended:
        load("bench")(["pages"])
    assert (ended.value.code or 0) == code
    out = capsys.readouterr().out
    assert ("OVER 150" in out) is not kept
    assert all(page in out for page in FIVE)


def test_copies_are_as_whole_as_what_they_were_copied_from(server_url, tmp_path):
    settings = Settings(home=tmp_path / "never", database_url=server_url, model="keywords", log_level="info")
    with (
        scratch(settings) as place,
        running(place, "service.cli", "serve", "--no-worker", "--port", "0", until="web.started") as web,
    ):
        filled = fill(place, web.port, 200, 60)
        assert filled.records == 200
        with place.opened.database.engine.connect() as connection:
            for what, query in CHECKS.items():
                assert connection.execute(text(query.replace(":years", str(YEARS)))).scalar_one() == 0, what


CHECKS = {
    "receipts that are not their own": (
        "SELECT count(*) FROM decision WHERE receipt::json ->> 'id' <> id::text "
        "OR receipt::json ->> 'feedback_id' <> feedback_id::text"
    ),
    "promises that stood still for years": (
        "SELECT count(*) FROM work_item WHERE sla IS NOT NULL AND acknowledge_due_at IS NOT NULL "
        "AND acknowledge_due_at <> (sla -> 'first_due' ->> 'acknowledge')::timestamptz"
    ),
    "records without a revision": (
        "SELECT count(*) FROM feedback f WHERE NOT EXISTS "
        "(SELECT 1 FROM feedback_revision r WHERE r.feedback_id = f.id AND r.revision = f.revision)"
    ),
    "items without their first event": (
        "SELECT count(*) FROM work_item i WHERE NOT EXISTS "
        "(SELECT 1 FROM work_item_event e WHERE e.work_item_id = i.id AND e.sequence = 1)"
    ),
    "records older than told": (
        "SELECT count(*) FROM feedback WHERE received_at < now() - make_interval(years => :years, days => 2)"
    ),
}
