"""A real `heed import`, ended with SIGKILL in the middle: run again, it goes on, and every row is there once."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import Installation, wait_for

pytestmark = [pytest.mark.kills, pytest.mark.timeout(120)]

GOOD = 8_000


@pytest.fixture
def heed(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path / "heed")
    yield installation
    installation.end()


def test_an_import_killed_in_the_middle_goes_on_and_loses_and_doubles_nothing(heed: Installation, tmp_path: Path):
    file = tmp_path / "answers.csv"
    rows = [f"r-{n},Parcel {n} came two weeks late.,{n % 11}" for n in range(GOOD)]
    rows += ["r-0,Other words.,3", "r-1,Parcel 1 came two weeks late.,1", ",No id.,3"]
    file.write_text("\n".join(["id,text,nps", *rows]) + "\n")
    heed.serve("--no-worker")  # keeps the database alive while the command is dead
    command = ("-m", "service.cli", "import", str(file), "--source", "survey", "--json")
    stood: list[int] = []

    for _ in range(2):
        before = stood[-1] if stood else 0
        importing = heed.start(*command)
        wait_for(
            lambda b=before: (heed.look.scalar("SELECT position FROM import") or 0) > b, 30, "rows in the database"
        )
        importing.kill()
        importing.wait()
        stood.append(heed.look.scalar("SELECT position FROM import"))
        stored = heed.look.scalar("SELECT count(*) FROM feedback")
        assert stored == heed.look.scalar("SELECT new FROM import")
        assert heed.look.scalar("SELECT rows = new + duplicate + revision + stale + rejected FROM import")

    assert stood[0] < GOOD, "it was over before it was killed"
    environment = {"PATH": "/usr/bin:/bin", "HEED_HOME": str(heed.home)}
    ended = subprocess.run([sys.executable, *command], env=environment, capture_output=True, check=False, timeout=60)
    assert ended.returncode == 3, ended.stderr
    told = json.loads(ended.stdout)
    assert {name: told[name] for name in ("rows", "new", "duplicate", "rejected")} == {
        "rows": GOOD + 3,
        "new": GOOD,
        "duplicate": 1,
        "rejected": 2,
    }
    assert heed.look.scalar("SELECT count(*) FROM import") == 1
    assert heed.look.scalar("SELECT count(*) FROM feedback") == GOOD
    assert heed.look.scalar("SELECT count(*) FROM feedback_revision") == GOOD
    assert heed.look.doubled()["identities"] == 0
    carried = "SELECT count(DISTINCT one) FROM procrastinate_jobs, jsonb_array_elements_text(args -> 'ids') AS one"
    assert heed.look.scalar(f"{carried} WHERE task_name = 'classify'") == GOOD
