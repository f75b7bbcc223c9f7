"""Single rows in one round trip: as of now, on connections that are given back, replaced and closed."""

import psycopg
import pytest
from sqlalchemy import text

from service.store.database import Database, connect

OURS = "SELECT pid::text FROM pg_stat_activity WHERE pid = pg_backend_pid() AND application_name = %s"
MINE = ["heed"]


def backend(database: Database) -> str:
    row = database.lookups.row(OURS, MINE)
    assert row
    return row[0]


def test_what_was_committed_a_moment_ago_is_seen(database):
    asked = ("SELECT revoked_at IS NULL FROM api_key WHERE digest = %s", ["d"])
    assert database.lookups.row(*asked) is None
    with database.session() as session:
        session.execute(
            text(
                "INSERT INTO api_key (id, name, digest, role, created_at)"
                " VALUES (gen_random_uuid(), 'ci', 'd', 'admin', now())"
            )
        )
        assert database.lookups.row(*asked) is None
    assert database.lookups.row(*asked) == (True,)
    with database.session() as session:
        session.execute(text("UPDATE api_key SET revoked_at = now() WHERE digest = 'd'"))
    assert database.lookups.row(*asked) == (False,)


def test_one_connection_serves_all_and_stands_in_no_transaction(database):
    first = backend(database)
    assert {backend(database) for _ in range(10)} == {first}
    with database.session() as session:
        state = text("SELECT state FROM pg_stat_activity WHERE pid = :pid")
        assert session.execute(state, {"pid": int(first)}).scalar_one() == "idle"


def test_a_connection_the_server_has_ended_is_replaced_unseen(database):
    first = backend(database)
    with database.session() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": int(first)})
    assert backend(database) != first


def test_a_statement_that_fails_leaves_no_connection_taken(database):
    for _ in range(10):
        with pytest.raises(psycopg.errors.DivisionByZero):
            database.lookups.row("SELECT 1 / length(%s)", [""])
    assert backend(database)


def test_its_connections_end_with_the_engine(database):
    again = connect(database.engine.url.render_as_string(hide_password=False))
    pid = backend(again)
    again.engine.dispose()
    with database.session() as session:
        ended = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = :pid")
        session.execute(ended, {"pid": int(pid)})  # waits until it has gone, where it is on its way
    assert backend(again) != pid
    again.engine.dispose()
