"""The schema: reached from nothing, twice, by several at once, after a kill, and never guessed."""

import signal
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from service.store.database import DatabaseUnusable
from service.store.migrate import current, head, migrate

MIGRATE = """
import sys
from service.store.database import connect
from service.store.migrate import migrate
print(migrate(connect(sys.argv[1], pool=1)))
"""
STOPS_MIDWAY = """
import sys, time
from procrastinate.schema import SchemaManager
def stop():
    print("midway", flush=True)
    time.sleep(100)
SchemaManager.get_schema = stop
"""


def stands(database) -> str | None:
    with database.engine.connect() as connection:
        return current(connection)


def tables(database) -> set[str]:
    with database.engine.connect() as connection:
        found = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        return {name for (name,) in found}


def test_from_nothing_and_again(empty_database):
    assert stands(empty_database) is None
    assert migrate(empty_database) == head()
    before = tables(empty_database)
    assert {"feedback", "work_item", "delivery", "audit_event", "procrastinate_jobs", "alembic_version"} <= before
    assert migrate(empty_database) == head()
    assert (stands(empty_database), tables(empty_database)) == (head(), before)


def test_the_tables_are_those_the_code_knows(migrated):
    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and (name or "").startswith("procrastinate"))

    with migrated.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": ours})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_several_processes_at_once(empty_database):
    command = [sys.executable, "-c", MIGRATE, empty_database.conninfo_url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    ends = [(*one.communicate(timeout=60), one.returncode) for one in running]
    assert [(said.strip(), code) for said, _, code in ends] == [(head(), 0)] * 3, ends
    assert stands(empty_database) == head()


@pytest.mark.kills
def test_a_kill_midway_leaves_nothing_half_done(empty_database):
    command = [sys.executable, "-c", STOPS_MIDWAY + MIGRATE, empty_database.conninfo_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as migrating:
        assert migrating.stdout.readline() == "midway\n"
        migrating.send_signal(signal.SIGKILL)
    assert tables(empty_database) == set()
    assert migrate(empty_database) == head()


def test_a_database_of_a_newer_heed_is_left_alone(empty_database):
    migrate(empty_database)
    with empty_database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(
        DatabaseUnusable, match=r"written by a newer heed \(schema 9999\): start that version, or restore"
    ):
        migrate(empty_database)
    assert stands(empty_database) == "9999"


@pytest.mark.parametrize("statement", ["UPDATE policy SET comment = 'x'", "DELETE FROM policy"])
def test_a_published_policy_never_changes(database, statement):
    with (
        pytest.raises(DBAPIError, match="a published policy version never changes"),
        database.engine.begin() as connection,
    ):
        connection.execute(text(statement))
