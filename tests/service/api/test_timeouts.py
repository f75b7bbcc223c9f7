"""Patience with the database: what takes too long is cut off by the server and answered with 503, not waited for."""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session
from starlette.types import ASGIApp

from service.api.dependencies import SessionDep, Wiring
from service.app import create_app
from service.store.database import Database, Patience, answering, is_outage


def test_a_statement_that_takes_too_long_is_503(
    wiring: Wiring, serve: Callable[[ASGIApp], AbstractContextManager[str]]
) -> None:
    with answering(wiring.database, patience=Patience(statement=100)) as database:
        app = create_app(replace(wiring, database=database))

        @app.get("/slow")
        def slow(session: SessionDep) -> None:
            session.execute(text("SELECT pg_sleep(60)"))

        with serve(app) as url:
            answer = httpx.get(f"{url}/slow", trust_env=False)
    assert (answer.status_code, answer.json()["type"]) == (503, "unavailable")
    assert answer.headers["retry-after"]
    assert "longer" in answer.json()["detail"]


def test_a_session_that_stands_still_is_an_outage_and_the_next_one_works(database: Database) -> None:
    with answering(database, patience=Patience(idle=500)) as hasty:
        with Session(hasty.engine) as session:
            pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            while still_there(database, pid):
                pass
            with pytest.raises(DBAPIError) as raised:
                session.execute(text("SELECT 1"))
        assert is_outage(raised.value)
        with hasty.session() as session:
            assert session.execute(text("SELECT 1")).scalar_one() == 1


def still_there(database: Database, pid: int) -> bool:
    with database.session() as session:
        there = text("SELECT pg_sleep(0.02) FROM pg_stat_activity WHERE pid = :pid")
        return bool(session.execute(there, {"pid": pid}).all())


def test_those_who_work_are_given_the_time_they_need(database: Database) -> None:
    shown = text("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
    with database.session() as session:
        assert tuple(session.execute(shown).one()) == ("0", "2s")
    with answering(database) as hasty, hasty.session() as session:
        assert tuple(session.execute(shown).one()) == ("10s", "2s")


def test_a_frozen_server_process_is_left_after_two_more_seconds(
    wiring: Wiring, serve: Callable[[ASGIApp], AbstractContextManager[str]]
) -> None:
    with answering(wiring.database, patience=Patience(lock=100, statement=100)) as database:
        app = create_app(replace(wiring, database=database))

        @app.get("/frozen")
        def frozen(session: SessionDep) -> None:
            pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            assert Path(f"/proc/{pid}/comm").read_text() == "postgres\n"  # of this machine, and nobody else
            os.kill(pid, signal.SIGSTOP)
            try:
                session.commit()
            finally:
                os.kill(pid, signal.SIGCONT)

        with serve(app) as url:
            answer = httpx.get(f"{url}/frozen", trust_env=False, timeout=20)
            assert (answer.status_code, answer.json()["type"]) == (503, "unavailable")
            assert answer.headers["retry-after"]
            assert httpx.get(f"{url}/readyz", trust_env=False).json()["checks"]["database"]["ok"]
