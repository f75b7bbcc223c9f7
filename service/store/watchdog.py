"""A client-side deadline for the database: a server process that is frozen keeps none of its own timeouts."""

import time
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from sqlalchemy import Engine, event


def watch(engine: Engine, seconds: float) -> None:
    """Let no connection that this engine opens wait longer than this for an answer of the server.

    What waits longer raises `psycopg.OperationalError`, and its connection is closed: the answer may come yet.
    """

    class Watched(psycopg.Connection[Any]):
        def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
            began = time.monotonic()
            try:
                return super().wait(gen, interval, seconds if timeout is None else timeout)
            except psycopg.Error as error:
                if timeout is not None or time.monotonic() - began < seconds:
                    raise
                self.close()
                raise psycopg.OperationalError(f"no answer within {seconds:g} seconds") from error

    def open_watched(_dialect: object, _record: object, places: list[Any], named: dict[str, Any]) -> Watched:
        return Watched.connect(*places, **named)

    event.listen(engine, "do_connect", open_watched)
