"""heed on a PostgreSQL that is not its own: version 16, over TCP, with a password that needs quoting."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from service.store.database import check, connect


def test_the_whole_road_runs_on_it(second_server, repository: Path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "HEED"))}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_journey.py"],
        cwd=repository,
        env={**environment, "HEED_DATABASE_URL": second_server.url()},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


@pytest.mark.parametrize("driver", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+asyncpg"])
def test_any_way_to_write_the_address_reaches_it(second_server, driver):
    database = connect(second_server.url(options="?application_name=mine").replace("postgresql", driver, 1))
    check(database)
    with database.engine.connect() as connection:
        assert connection.execute(text("SHOW server_version_num")).scalar_one().startswith("16")
        assert connection.execute(text("SHOW timezone")).scalar_one() == "UTC"
    database.engine.dispose()


def test_the_users_own_options_stay(second_server):
    database = connect(second_server.url(options="?options=-c%20work_mem%3D5MB"))
    with database.engine.connect() as connection:
        assert connection.execute(text("SHOW work_mem")).scalar_one() == "5MB"
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "2s"
    database.engine.dispose()
