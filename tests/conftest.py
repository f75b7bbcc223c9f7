"""What every test may ask for: a real database, a running web process, jobs that run when told to."""

import asyncio
import os
import shutil
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from chromium import WithoutChromium
from hypothesis import settings
from sites import emptied, serving, wired
from sqlalchemy import text

from service import worker
from service.api.dependencies import Wiring
from service.app import create_app
from service.classify import Reader
from service.deliver.http import Client, open_client
from service.demo.helpdesk import HelpDesk
from service.ingest.group import GroupedIntake
from service.people.access import create_key
from service.pipeline import Works
from service.standard_webhooks import new_secret
from service.store.database import Database, check, connect
from service.store.migrate import migrate
from service.store.postgres import hold
from service.store.vault import Vault

# a busy machine is no finding; what hangs ends by pytest's timeout
settings.register_profile("search", deadline=None)  # new cases every time: `make faults`
settings.register_profile("heed", deadline=None, derandomize=True)  # a change is judged by the same cases everywhere
settings.load_profile("heed")
_WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # or every client reads all the authorities there are


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(WithoutChromium())


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL to make databases in: `HEED_DATABASE_URL` where it is set, else the embedded one, shared by all
    test workers of this run."""
    if configured := os.environ.get("HEED_DATABASE_URL"):
        yield configured
        return
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with hold(shared / "heed") as embedded:
        yield embedded.url


def pytest_sessionfinish(session: pytest.Session) -> None:
    """As root a private HEED_HOME keeps its server's files elsewhere, behind a link: they go with the run's folder."""
    if hasattr(session.config, "workerinput"):
        return
    for link in session.config._tmp_path_factory.getbasetemp().rglob("postgres"):
        if link.is_symlink():
            shutil.rmtree(link.resolve(), ignore_errors=True)


@pytest.fixture(scope="session")
def migrated(server_url: str) -> Iterator[Database]:
    """A database of this test worker's own, at the newest schema."""
    name = f"heed_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    server = connect(server_url, pool=1)
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    address = server.engine.url.set(database=name).render_as_string(hide_password=False)
    database = connect(address, pool=20)
    check(database)
    migrate(database)
    yield database
    database.engine.dispose()
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.engine.dispose()


@pytest.fixture
def database(migrated: Database) -> Database:
    """The database as a fresh installation leaves it."""
    emptied(migrated)
    return migrated


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault("a secret of the tests, long enough to be one")


@pytest.fixture(scope="session")
def desk() -> Iterator[HelpDesk]:
    """A help desk on loopback that checks signatures and remembers its tickets."""
    with HelpDesk(new_secret()) as running:
        yield running


@pytest.fixture(scope="session")
def http(desk: HelpDesk) -> Client:
    """Outbound HTTP as in production; of all private targets it may call the help desk alone."""
    return open_client(frozenset({("127.0.0.1", desk.port)}))


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader("keywords")


@pytest.fixture
def wiring(database: Database, vault: Vault, reader: Reader, http: Client) -> Wiring:
    return Wiring(
        database=database,
        vault=vault,
        intake=GroupedIntake(database, vault),
        reader=reader,
        http=http,
        require_approval=False,
    )


@pytest.fixture
def works(database: Database, vault: Vault, reader: Reader, http: Client) -> Works:
    return Works(database=database, vault=vault, reader=reader, http=http, public_url="https://heed.example.com")


@pytest.fixture
def drain(works: Works) -> Callable[[], None]:
    """Run every job that is due, on the real engine, and return when none is left."""
    return lambda: asyncio.run(worker.drain(works, works.database.conninfo))


@pytest.fixture(scope="module")
def served(migrated: Database, vault: Vault, reader: Reader, http: Client) -> Iterator[str]:
    """A web process over real HTTP, the same for a whole module; the address it answers at."""
    with serving(create_app(wired(migrated, vault, reader, http))) as url:
        yield url


@pytest.fixture
def address(served: str, database: Database) -> str:
    """A web process on a database as a fresh installation leaves it."""
    return served


@pytest.fixture
def signed_in(address: str, database: Database, vault: Vault) -> Iterator[Callable[..., httpx.Client]]:
    """`signed_in("admin")` is an HTTP client with a key of that role; `source=` binds a source key."""
    clients: list[httpx.Client] = []

    def sign_in(role: str, source: str | None = None) -> httpx.Client:
        with database.session() as session:
            made = create_key(session, vault, name=role, role=role, source=source, actor="test")
        headers = {"Authorization": f"Bearer {made.key}"}
        made_of = {"headers": headers, "trust_env": False, "timeout": 30, "verify": _WITHOUT_TLS}
        clients.append(httpx.Client(base_url=address, **made_of))
        return clients[-1]

    yield sign_in
    for client in clients:
        client.close()


@pytest.fixture
def admin(signed_in: Callable[..., httpx.Client]) -> httpx.Client:
    return signed_in("admin")


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parent.parent
