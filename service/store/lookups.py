"""Single rows, each read by one statement in one round trip: without a transaction, and prepared once a connection."""

from collections.abc import Sequence
from typing import Any, LiteralString, cast

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

_CONNECTIONS = 4  # each is taken for a tenth of a millisecond
_PATIENCE = 5  # seconds for a free one


class Lookups:
    """Reads what nearly every request asks for, where a session would ask the server four times.

    The connections are opened as the engine's own are, and closed when it is disposed of.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pool = self._empty()
        event.listen(engine, "engine_disposed", lambda _engine: self._close())

    def row(self, statement: LiteralString, values: Sequence[str]) -> tuple[Any, ...] | None:
        """The first row that a statement in psycopg's own placeholders finds, as of now; None where there is none.

        Raises:
            psycopg.Error, sqlalchemy.exc.DBAPIError, sqlalchemy.exc.TimeoutError: the database did not answer.
        """
        taken = self._pool.connect()
        try:
            connection = cast(psycopg.Connection[Any], taken.dbapi_connection)
            found: tuple[Any, ...] | None = connection.execute(statement, values, prepare=True).fetchone()
        except BaseException:
            taken.invalidate()
            raise
        finally:
            taken.close()
        return found

    def _empty(self) -> QueuePool:
        pool = QueuePool(
            self._open,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            timeout=_PATIENCE,
            reset_on_return=None,
            use_lifo=True,
        )
        event.listen(pool, "checkout", _refuse_dead)
        return pool

    def _open(self) -> DBAPIConnection:
        opened = self._engine.raw_connection()
        connection = cast(DBAPIConnection, opened.dbapi_connection)
        opened.detach()
        connection.autocommit = True
        return connection

    def _close(self) -> None:
        self._pool.dispose()
        self._pool = self._empty()


def _refuse_dead(connection: psycopg.Connection[Any], _entry: ConnectionPoolEntry, _taken: object) -> None:
    """A server that went away has said so: to hear it costs no round trip, as asking whether it is there would."""
    try:
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()  # its farewell, and then the end
    except psycopg.OperationalError as error:
        raise InvalidatePoolError from error
