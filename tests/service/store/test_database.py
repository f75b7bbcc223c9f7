"""Every way a database may be of no use, told by a real server in one sentence with its remedy and no password."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.store import database as store
from service.store.database import Database, DatabaseUnusable, check, connect, explain, is_outage
from service.store.migrate import migrate


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = connect(url, pool=1)
    try:
        yield database
    finally:
        database.engine.dispose()


def use(url: str) -> None:
    with opened(url) as database:
        check(database)
        migrate(database)


def told(url: str, *secrets: str) -> str:
    """What `check` and `migrate` say of this address: one sentence, without the secrets."""
    with pytest.raises(DatabaseUnusable) as refused:
        use(url)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    for secret in ("p@ss", "p%40ss", "psycopg", *secrets):
        assert secret not in sentence
    return sentence


def test_a_wrong_password(second_server):
    sentence = told(second_server.url(password="top-secret"), "top-secret")
    place = f"The database server at 127.0.0.1:{second_server.port}/postgres"
    assert sentence == f"{place} refused the user name or the password: correct them in HEED_DATABASE_URL."
    sentence = told(second_server.url(user="nobody-here"))
    assert "refused the user name or the password" in sentence


def test_a_missing_password(second_server):
    url = f"postgresql://heed@127.0.0.1:{second_server.port}/postgres"
    assert told(url).endswith("asks for a password: add it to HEED_DATABASE_URL.")


def test_a_password_in_the_query_is_hidden_too(second_server):
    url = f"postgresql://127.0.0.1:{second_server.port}/postgres?user=heed&password=top-secret"
    told(url, "top-secret")


def test_an_unknown_database(second_server):
    sentence = told(second_server.url(database="nowhere"))
    assert sentence.endswith("knows no such database or role: create it or correct HEED_DATABASE_URL.")


def test_nobody_listening():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sentence = told(f"postgresql://heed:top-secret@127.0.0.1:{taken.getsockname()[1]}/heed", "top-secret")
    assert sentence.endswith("is not listening there: start it or correct host and port in HEED_DATABASE_URL.")


def test_nobody_at_the_socket(tmp_path):
    sentence = told(f"postgresql:///heed?host={tmp_path}")
    assert sentence.endswith("is not listening there: start it or correct the socket's folder in HEED_DATABASE_URL.")


def test_an_unknown_host():
    sentence = told("postgresql://heed:top-secret@no-such-host.invalid/heed", "top-secret")
    assert sentence.endswith("has a name that cannot be found: correct the host in HEED_DATABASE_URL.")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hello",
        "mysql://u:top-secret@h/db",
        "sqlite:///heed.db",
        "postgresql://u:top-secret@h:port/db",
        "http://localhost:5432",
        "postgresql://u:top-secret@h1:1,h2:2/db",
    ],
)
def test_what_is_no_address(address):
    with pytest.raises(DatabaseUnusable, match="is not a PostgreSQL address: write it as postgresql://user") as refused:
        connect(address)
    assert "top-secret" not in str(refused.value)


def test_an_option_postgresql_does_not_know():
    with pytest.raises(DatabaseUnusable, match=r'invalid connection option "colour".*correct what follows') as refused:
        connect("postgresql://u:top-secret@h/db?colour=red")
    assert "top-secret" not in str(refused.value)


def test_too_old_a_server(second_server, monkeypatch):
    monkeypatch.setattr(store, "OLDEST_SERVER", 17)
    sentence = told(second_server.url())
    assert sentence == (
        "The database server is PostgreSQL 16, heed needs 17 or newer: "
        "upgrade the server or point HEED_DATABASE_URL to another."
    )


@contextmanager
def control_file(second_server, change) -> Iterator[None]:
    control = second_server.extensions / "vector.control"
    before = control.read_text()
    change(control)
    try:
        yield
    finally:
        control.write_text(before)
        control.chmod(0o644)


def test_without_pgvector(second_server):
    with control_file(second_server, Path.unlink):
        sentence = told(second_server.url())
    assert sentence.startswith("The database server offers no pgvector, heed needs 0.6 or newer: install the pgvector")


def test_with_a_pgvector_of_old(second_server):
    older = "default_version = '0.5.1'\nmodule_pathname = '$libdir/vector'\n"
    with control_file(second_server, lambda control: control.write_text(older)):
        sentence = told(second_server.url())
    assert sentence.startswith("The database server offers only pgvector 0.5.1, heed needs 0.6 or newer: install")


@pytest.fixture
def visitor(second_server) -> Iterator[str]:
    """The address of a database that a role of no privileges owns."""
    second_server.do("CREATE ROLE visitor LOGIN PASSWORD 'visitor-pass'")
    second_server.do("CREATE DATABASE visited OWNER visitor")
    yield second_server.url(user="visitor", password="visitor-pass", database="visited")
    second_server.do("DROP DATABASE visited WITH (FORCE)")
    second_server.do("DROP ROLE visitor")


def test_who_may_not_add_pgvector(second_server, visitor):
    sentence = told(visitor, "visitor-pass")
    assert sentence.endswith("lets only an administrator add pgvector: run CREATE EXTENSION vector as one.")
    with second_server.connected("visited") as administrator:
        administrator.execute("CREATE EXTENSION vector")
    use(visitor)  # an ordinary owner needs no more


def test_who_may_not_create_tables(second_server, visitor):
    with second_server.connected("visited") as administrator:
        administrator.execute("CREATE EXTENSION vector")
        administrator.execute("ALTER DATABASE visited OWNER TO heed")
    sentence = told(visitor, "visitor-pass")
    assert sentence.endswith("does not let this user create tables: grant it CREATE on the database and its schema.")


def test_a_server_without_a_connection_left(second_server):
    second_server.do("CREATE ROLE crowd LOGIN PASSWORD 'crowd-pass' CONNECTION LIMIT 0")
    try:
        sentence = told(second_server.url(user="crowd", password="crowd-pass"), "crowd-pass")
    finally:
        second_server.do("DROP ROLE crowd")
    assert sentence.endswith("has no connection left: raise max_connections or run fewer workers.")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk that is small enough to fill")
def test_a_full_disk(second_server):
    small = second_server.folder.parent / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "heed-test", small], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"this root may not mount: {mounted.stderr.strip()}")
    try:
        owner = second_server.folder.stat()
        os.chown(small, owner.st_uid, owner.st_gid)
        with second_server.connected() as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{small}'")
            connection.execute("CREATE DATABASE cramped TABLESPACE small")
        (small / "ballast").write_bytes(bytes(shutil.disk_usage(small).free - 300_000))
        sentence = told(second_server.url(database="cramped"))
        second_server.do("DROP DATABASE cramped WITH (FORCE)")
        second_server.do("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)
        small.rmdir()
    assert sentence.endswith("has no disk space left: free some on its data disk and start heed again.")


def test_a_database_without_our_tables(second_server):
    with second_server.database("bare") as url:
        error = refused(url, "SELECT version FROM policy")
    assert explain(error, "here") == "The database server at here has none of heed's tables: run `heed migrate`."


def test_anything_else_keeps_the_servers_own_words(second_server):
    error = refused(second_server.url(), "SELECT 1 / 0")
    assert explain(error, "here") == "The database at here cannot be used: division by zero."


def run(url: str, *statements: str) -> None:
    with opened(url) as database, database.engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def refused(url: str, *statements: str) -> DBAPIError:
    with pytest.raises(DBAPIError) as error:
        run(url, *statements)
    return error.value


TOO_LONG = "INSERT INTO t SELECT string_agg(md5(i::text), '') FROM generate_series(1, 5000) i"


@pytest.mark.parametrize(
    ("statements", "outage"),
    [
        (["SELECT pg_terminate_backend(pg_backend_pid())"], True),
        (["SET statement_timeout = '10ms'", "SELECT pg_sleep(5)"], True),
        (["SET TRANSACTION READ ONLY", "CREATE TABLE t (a int)"], True),
        (["SELECT 1 / 0"], False),
        (["SELECT nothing"], False),
        (["SELECT 'a' FROM nowhere"], False),
        (["CREATE TEMP TABLE t (a text PRIMARY KEY)", TOO_LONG], False),  # a value too long for an index
    ],
)
def test_what_is_worth_another_try(second_server, statements, outage):
    assert is_outage(refused(second_server.url(), *statements)) is outage


def test_a_server_that_cannot_be_reached_is_an_outage():
    assert is_outage(refused("postgresql://127.0.0.1:1/x", "SELECT 1"))
    with pytest.raises(psycopg.OperationalError) as raw:
        psycopg.connect("postgresql://127.0.0.1:1/x")
    assert is_outage(raw.value)
    assert not is_outage(ValueError("a mistake of ours"))


ADDRESSES = [
    ("postgresql://u:p@h:5433/db", "h:5433/db"),
    ("postgres://u@h/db", "h:5432/db"),
    ("postgresql://u:p@[::1]:5433/db", "::1:5433/db"),
    ("postgresql:///heed?host=/run/my%20home&port=5433", "/run/my home:5433/heed"),
    (" postgresql://u:a%20b%2Bc%40d@h/db\n", "h:5432/db"),
]


@pytest.mark.parametrize(("address", "place"), ADDRESSES)
def test_a_place_is_named_without_user_and_password(address, place):
    assert connect(address).place == place


def test_the_job_engine_gets_the_same_address_in_its_own_spelling():
    parts = psycopg.conninfo.conninfo_to_dict(connect("postgresql://u:a%20b%2Bc%40d'e@h/db?sslmode=require").conninfo)
    assert parts == {"user": "u", "password": "a b+c@d'e", "host": "h", "dbname": "db", "sslmode": "require"}
