"""Engine and sessions, and in one sentence why a database cannot be used and how to mend it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from service.store.lookups import Lookups
from service.store.watchdog import watch

OLDEST_SERVER = 16
OLDEST_VECTOR = (0, 6)


class DatabaseUnusable(Exception):
    """The database cannot serve heed; the message is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Database:
    """An engine, the single statements that need no session, and the libpq address the job engine connects to."""

    engine: Engine
    lookups: Lookups
    conninfo: str

    @property
    def place(self) -> str:
        """Where it is, for messages: host, port and database, without user and password."""
        parts = conninfo_to_dict(self.conninfo)
        return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session whose transaction commits at the end of the block and rolls back on any error."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session
            session.commit()


@dataclass(frozen=True, slots=True)
class Patience:
    """What the server gives a session, in milliseconds; None is as long as it takes.

    Attributes:
        lock: to wait for somebody else's lock.
        statement: to work at one statement.
        idle: to stand still within a transaction.
    """

    lock: int = 2_000
    statement: int | None = None
    idle: int | None = None

    @property
    def options(self) -> str:
        """As the server is told when a connection begins."""
        limits = {
            "lock_timeout": self.lock,
            "statement_timeout": self.statement,
            "idle_in_transaction_session_timeout": self.idle,
        }
        return " ".join(f"-c {name}={value}" for name, value in limits.items() if value is not None)


WORK = Patience()
ANSWERS = Patience(statement=10_000, idle=10_000)  # for who answers people: they are told to come again instead


def connect(address: str, *, pool: int = 20, patience: Patience = WORK) -> Database:
    """Open `postgresql://...`; nothing is sent before the first use.

    Args:
        address: a PostgreSQL URL; any driver part is replaced by psycopg 3.
        pool: connections kept; as many again may be opened for a moment.
        patience: how long the server waits for locks, statements and us.

    Raises:
        DatabaseUnusable: not a PostgreSQL address.
    """
    try:
        url = make_url(re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", address.strip()))
    except (ArgumentError, ValueError):
        url = None
    if url is not None and set("@#?/ ") & set(f"{url.host or ''}{url.database or ''}"):
        raise DatabaseUnusable(
            "HEED_DATABASE_URL cannot be read: inside a user name or password, write @ as %40, # as %23, / as %2F, "
            ": as %3A and ? as %3F."
        )
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
        hide_parameters=True,  # they are customers' words, and an error may be printed
        connect_args={
            "connect_timeout": 5,
            "options": f"{url.query.get('options', '')} {patience.options} -c timezone=UTC".strip(),
            "application_name": "heed",
        },
    )
    _, arguments = engine.dialect.create_connect_args(url)
    plain = {name: value for name, value in arguments.items() if name != "context"}  # psycopg's adapters, no option
    try:
        conninfo = make_conninfo(**plain)
    except psycopg.ProgrammingError as error:
        raise DatabaseUnusable(
            f"PostgreSQL refuses HEED_DATABASE_URL ({str(error).strip()}): correct what follows its '?'."
        ) from error
    return Database(engine, Lookups(engine), conninfo)


@contextmanager
def answering(database: Database, *, pool: int = 40, patience: Patience = ANSWERS) -> Iterator[Database]:
    """The same database for a process that answers people: what takes too long there is cut off, and not done again.

    By the server, and two seconds later by us, should it be frozen.
    """
    again = connect(database.engine.url.render_as_string(hide_password=False), pool=pool, patience=patience)
    watch(again.engine, max(patience.lock, patience.statement or 0) / 1_000 + 2)
    try:
        yield again
    finally:
        again.engine.dispose()


def is_outage(error: BaseException) -> bool:
    """Whether the database, not what was asked of it, is to blame: the same may simply be tried again."""
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    if state is None:  # not an answer of the server's: it could not be reached, or the connection broke
        return isinstance(cause, psycopg.OperationalError)
    return state[:2] in _OUTAGES or state in {"25006", "25P03"}


# SQLSTATE classes: connection, sign-in, rolled back for another's sake, out of resources, lock held, shutting down,
# disk. 25006 is a copy that only reads, as during a switch-over; 25P03 a session ended because it stood still.
_OUTAGES = frozenset({"08", "28", "40", "53", "55", "57", "58"})


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
        raise DatabaseUnusable(explain(error, database.place)) from error
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


_FULL = "has no disk space left: free some on its data disk and start heed again"
_STATES = {
    "53100": _FULL,
    "53300": "has no connection left: raise max_connections or run fewer workers",
    "25006": "is a copy that only reads: point HEED_DATABASE_URL to the primary server",
    "42P01": "has none of heed's tables: run `heed migrate`",
    "55P03": "is busy, somebody else holds what is needed: try again",
    "57P03": "is starting up or shutting down: try again in a moment",
}
_SENTENCES = (
    ("password authentication failed", "refused the user name or the password: correct them in HEED_DATABASE_URL"),
    ("no password supplied", "asks for a password: add it to HEED_DATABASE_URL"),
    ("no pg_hba.conf entry", "does not let this user in from here: add a line to its pg_hba.conf"),
    ("does not exist", "knows no such database or role: create it or correct HEED_DATABASE_URL"),
    ("Connection refused", "is not listening there: start it or correct host and port in HEED_DATABASE_URL"),
    (
        "No such file or directory",
        "is not listening there: start it or correct the socket's folder in HEED_DATABASE_URL",
    ),
    ("resolve host", "has a name that cannot be found: correct the host in HEED_DATABASE_URL"),
    ("Name or service not known", "has a name that cannot be found: correct the host in HEED_DATABASE_URL"),
    ("timeout", "does not answer: check host, port and firewall"),
    (
        "permission denied to create extension",
        "lets only an administrator add pgvector: run CREATE EXTENSION vector as one",
    ),
    ("permission denied", "does not let this user create tables: grant it CREATE on the database and its schema"),
    ("too many c", _STATES["53300"]),  # clients, or connections for a role or database
    ("starting up", _STATES["57P03"]),
    ("shutting down", _STATES["57P03"]),
    ("No space left on device", _FULL),
    ("could not extend file", _FULL),
)


def explain(error: DBAPIError | psycopg.Error, place: str) -> str:
    """One sentence for a database error: what is wrong and how to mend it. `place` names the database."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if sentence := _STATES.get(getattr(cause, "sqlstate", None) or ""):
        return f"The database server at {place} {sentence}."
    detail = str(cause)
    for sign, sentence in _SENTENCES:
        if sign in detail:
            return f"The database server at {place} {sentence}."
    last = (detail.strip() or "no reason given").splitlines()[-1]
    return f"The database at {place} cannot be used: {last.rstrip('.')}."
