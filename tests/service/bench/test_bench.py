"""Each benchmark at a tiny size: it runs, reports what it should, and leaves nothing behind. No time is judged."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from service.bench import promise
from service.bench.figures import noisy, paragraphs, ratio, series
from service.bench.scratch import scratch
from service.cli.commands import load
from service.settings import Settings
from service.store.database import connect

SHARES = {
    "ingest (web process)",
    "classify: inference",
    "classify: rows",
    "decide",
    "job engine and contention",
}


STARTED: list[int] = []


def bench(server_url: str, tmp_path: Path, *arguments: str) -> Any:
    own = {
        "HEED_DATABASE_URL": server_url,
        "HEED_HOME": str(tmp_path),
        "HEED_MODEL": "keywords",
        "TMPDIR": str(tmp_path),
    }
    environment = os.environ | own
    command = [sys.executable, "-m", "service.cli", "bench", *arguments, "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        STARTED.append(ran.pid)
        out, err = ran.communicate(timeout=110)
    assert ran.returncode == 0, err
    return json.loads(out)


@pytest.fixture
def nothing_left(server_url: str, tmp_path: Path):
    yield
    server = connect(server_url, pool=1)
    with server.engine.connect() as connection:
        ours = [f"heed_bench_{pid}" for pid in STARTED]  # another worker's bench may run beside this one
        left = connection.execute(
            text("SELECT datname FROM pg_database WHERE datname = ANY(:ours)"), {"ours": ours}
        ).all()
    server.engine.dispose()
    assert (left, list(tmp_path.iterdir())) == ([], [])


def check(report: Any, name: str) -> None:
    assert report["bench"] == name
    for series_of in (report["ratios"], report["figures"]):
        for measured in series_of.values():
            assert measured["median"] >= 0
            assert len(measured["rounds"]) == 1
    assert all(one["median"] > 0 for one in report["ratios"].values())
    assert report["machine"]["cores"] >= 1
    assert report["machine"]["postgresql"]
    assert report["how"]
    assert set(report["noisy"]) <= set(report["figures"])


def test_ingest(server_url: str, tmp_path: Path, nothing_left: None) -> None:
    report = bench(server_url, tmp_path, "ingest", "--records", "100", "--rounds", "1")
    check(report, "ingest")
    assert set(report["ratios"]) == {
        "grouped / one commit each",
        "single posts, grouped / INSERT",
        "single posts, grouped / COPY",
        "lists of 100 / INSERT",
        "lists of 100 / COPY",
    }


def test_road(server_url: str, tmp_path: Path, nothing_left: None) -> None:
    report = bench(server_url, tmp_path, "road", "--records", "64", "--rounds", "1")
    check(report, "road")
    assert "road / bare classifier (records/s)" in report["ratios"]
    assert set(report["shares"]) >= SHARES
    assert sum(report["shares"].values()) == pytest.approx(1)


def test_import(server_url: str, tmp_path: Path, nothing_left: None) -> None:
    report = bench(server_url, tmp_path, "import", "--rows", "1000", "--rounds", "1")
    check(report, "import")
    assert set(report["ratios"]) == {"import / COPY (rows/s)", "memory, 10 times the rows"}
    assert "peak memory, 1,000 rows (MB)" in report["figures"]


def test_promises_are_kept_in_simulated_worlds(server_url: str, tmp_path: Path) -> None:
    report = bench(server_url, tmp_path, "promise", "--worlds", "100")

    lines = {(line["what"], line["by"]): line for line in report["lines"]}
    assert report["kept"]
    assert all(line["worlds"] == 100 for line in lines.values())
    assert {by for what, by in lines if what == "90 % promise broken"} == {
        "heed, fixed sequence",
        "MAPIE, Bonferroni-Holm",
        "MAPIE, fixed sequence",
        "point estimate",
    }
    assert lines["90 % promise broken", "point estimate"]["figure"] > 0.3
    assert sum(line["holds"] is not None for line in lines.values()) >= 13


def test_a_broken_promise_ends_with_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(promise, "_ours", promise._point_estimate)
    with pytest.raises(SystemExit) as ended:
        load("bench")(["promise", "--worlds", "100"])

    assert ended.value.code == 3
    assert "BROKEN" in capsys.readouterr().out


def test_an_embedded_server_of_its_own_leaves_no_data_behind(tmp_path: Path) -> None:
    with scratch(Settings(home=tmp_path / "never made", database_url=None)) as place:
        home = place.opened.settings.home
        data = (home / "postgres").resolve()
        assert data.is_dir()
        assert "HEED_DATABASE_URL" not in place.environment
        assert place.environment["HEED_HOME"] == str(home)
    assert (home.exists(), data.exists()) == (False, False)
    assert list(tmp_path.iterdir()) == []


def test_a_database_it_may_not_make_is_one_sentence(server_url: str, tmp_path: Path) -> None:
    server = connect(server_url, pool=1)
    role = f"heed_bench_test_{os.getpid()}"
    own = server.engine.url.set(username=role, password="weak")
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'weak'"))
        try:
            environment = os.environ | {"HEED_DATABASE_URL": own.render_as_string(hide_password=False)}
            command = [sys.executable, "-m", "service.cli", "bench", "road"]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        finally:
            connection.execute(text(f"DROP ROLE {role}"))
    server.engine.dispose()
    assert done.returncode == 1
    assert "cannot make one" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_ratio_is_taken_round_by_round() -> None:
    # The machine was three times slower in the last round: the ratio does not show it, the figures do.
    fast, slow = [60.0, 60.0, 20.0], [30.0, 30.0, 10.0]
    assert ratio(fast, slow).rounds == (2.0, 2.0, 2.0)
    assert ratio(fast, slow).spread == 0
    assert noisy({"fast": series(fast), "steady": series([10.0, 11.0])}) == ("fast",)


def test_paragraphs_are_single_lines() -> None:
    assert paragraphs("\n  one\n  line\n\n  another\n") == ("one line", "another")
