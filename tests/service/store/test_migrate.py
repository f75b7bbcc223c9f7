"""The schema: reached from nothing, twice, by several at once, after a kill, and never guessed."""

import signal
import subprocess
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from service.store.database import DatabaseUnusable
from service.store.migrate import _config, current, head, migrate

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


OLD_ITEM = """
INSERT INTO source (name, kind, settings, created_at) VALUES ('s', 'api', '{}', now());
INSERT INTO feedback (id, source, external_id, revision, stage, stage_since, attempts, history, received_at)
VALUES ('00000000-0000-0000-0000-000000000001', 's', '1', 1, 'routed', now(), 0, false, now());
INSERT INTO policy (version, name, document, tree, digest, created_by, created_at)
VALUES (1, 'p', '', '{}', 'd', 'test', now());
INSERT INTO decision (id, feedback_id, revision, policy_version, mode, receipt, digest, decided_at)
SELECT id, id, 1, 1, 'live', '{}', 'd', now() FROM feedback;
INSERT INTO work_item (id, kind, status, mandatory, title, body, priority, tags, rule, decision_id, score, voices,
    account_value, version, created_at, acknowledge_due_at, acknowledge_met_at, resolve_due_at)
SELECT gen_random_uuid(), 'ticket', status, false, title, '', 'normal', '{}', 'r', decision.id, 0, 0, 0, 1,
    now() - interval '10h', now() + acknowledge::interval, now() + met::interval, now() + resolve::interval
FROM decision, (VALUES
    ('at risk soon', 'open', '1h', '-9h', '14h'),
    ('at risk long ago', 'acknowledged', '-1h', '-2h', '1h'),
    ('all is past', 'open', '-8h', NULL, '-1h'),
    ('no clock', 'open', NULL, NULL, NULL),
    ('waits', 'waiting', '1h', NULL, '30h')
) AS old (title, status, acknowledge, met, resolve);
"""


def test_clocks_of_items_made_before_clocks_told_anything_tick_from_then_on(empty_database):
    config = _config()
    with empty_database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    with empty_database.session() as session:
        session.execute(text(OLD_ITEM))
        begun = session.execute(text("SELECT now()")).scalar_one()
    migrate(empty_database)
    with empty_database.session() as session:
        asked = text("SELECT title, extract(epoch FROM tick_at - :begun) FROM work_item")
        found = session.execute(asked, {"begun": begun})
        ticks = {title: None if seconds is None else round(float(seconds) / 3_600, 3) for title, seconds in found}
    assert ticks == {"at risk soon": 8, "at risk long ago": 1, "all is past": None, "no clock": None, "waits": None}
