"""Engine and sessions, and in one sentence why a database cannot be used and how to mend it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

OLDEST_SERVER = 16
OLDEST_VECTOR = (0, 6)


class DatabaseUnusable(Exception):
    """The database cannot serve heed; the message is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Database:
    """An engine, and the libpq address the job engine connects to."""

    engine: Engine
    conninfo: str

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session whose transaction commits at the end of the block and rolls back on any error."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session
            session.commit()


def connect(address: str, *, pool: int = 20, lock_timeout_ms: int = 2_000) -> Database:
    """Open `postgresql://...`; nothing is sent before the first use.

    Args:
        address: a PostgreSQL URL; any driver part is replaced by psycopg 3.
        pool: connections kept; as many again may be opened for a moment.
        lock_timeout_ms: how long a statement waits for somebody else's lock before it gives up.

    Raises:
        DatabaseUnusable: not a PostgreSQL address.
    """
    try:
        url = make_url(re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", address))
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "postgresql":
        raise DatabaseUnusable(
            "HEED_DATABASE_URL is not a PostgreSQL address: write it as postgresql://user:password@host:5432/database."
        )
    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=pool,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "options": f"-c lock_timeout={lock_timeout_ms} -c timezone=UTC",
            "application_name": "heed",
        },
    )
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return Database(engine, conninfo)


def is_outage(error: BaseException) -> bool:
    """Whether the database, not what was asked of it, is to blame: the same may simply be tried again."""
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        return isinstance(error, OperationalError) or error.connection_invalidated or state[:2] in _OUTAGES
    return isinstance(error, (psycopg.OperationalError, PoolTimeout))


# SQLSTATE classes: connection, rolled back for another's sake, out of resources, lock held, shutting down, disk.
_OUTAGES = frozenset({"08", "40", "53", "55", "57", "58"})


def check(database: Database) -> None:
    """Look at the server before anything relies on it.

    Raises:
        DatabaseUnusable: unreachable, refused, too old, or without pgvector.
    """
    try:
        with database.engine.connect() as connection:
            version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
            vector = connection.execute(
                text("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
            ).scalar()
    except DBAPIError as error:
        raise DatabaseUnusable(explain(error, database.engine.url.render_as_string())) from error
    if version < OLDEST_SERVER * 10_000:
        raise DatabaseUnusable(
            f"The database server is PostgreSQL {version // 10_000}, heed needs {OLDEST_SERVER} or newer: "
            "upgrade the server or point HEED_DATABASE_URL to another."
        )
    if vector is None or tuple(int(part) for part in str(vector).split(".")[:2]) < OLDEST_VECTOR:
        found = f"only pgvector {vector}" if vector else "no pgvector"
        raise DatabaseUnusable(
            f"The database server offers {found}, heed needs 0.6 or newer: install the pgvector package "
            "on the server (it is called postgresql-NN-pgvector on Debian)."
        )


_SENTENCES = (
    (
        "password authentication failed",
        "refused the user name or the password: correct them in HEED_DATABASE_URL",
    ),
    ("no password supplied", "asks for a password: add it to HEED_DATABASE_URL"),
    ("no pg_hba.conf entry", "does not let this user in from here: add a line to its pg_hba.conf"),
    ("does not exist", "knows no such database or role: create it or correct HEED_DATABASE_URL"),
    ("Connection refused", "is not listening there: start it or correct host and port in HEED_DATABASE_URL"),
    ("resolve host", "has a name that cannot be found: correct the host in HEED_DATABASE_URL"),
    ("Name or service not known", "has a name that cannot be found: correct the host in HEED_DATABASE_URL"),
    ("timeout", "does not answer: check host, port and firewall"),
    (
        "permission denied to create extension",
        "lets only an administrator add pgvector: run CREATE EXTENSION vector as one",
    ),
    (
        "permission denied",
        "does not let this user create tables: grant it CREATE on the database and its schema",
    ),
    ("too many clients", "has no connection left: raise max_connections or run fewer workers"),
    ("No space left on device", "has no disk space left: free some on its data disk and start heed again"),
    ("could not extend file", "has no disk space left: free some on its data disk and start heed again"),
)


def explain(error: DBAPIError, address: str) -> str:
    """One sentence for a database error: what is wrong and how to mend it. `address` hides its password."""
    detail = str(error.orig)
    for sign, sentence in _SENTENCES:
        if sign in detail:
            return f"The database server at {address} {sentence}."
    last = (detail.strip() or "no reason given").splitlines()[-1]
    return f"The database at {address} cannot be used: {last}"
