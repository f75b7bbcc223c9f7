"""A house: one fresh database and one web process for a whole module of tests; each case brings ids of its own."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count

import httpx
import pytest
from sites import emptied, serving, wired
from sqlalchemy import text
from starlette.types import ASGIApp

from service import worker
from service.api.dependencies import Wiring
from service.app import create_app
from service.classify import Reader
from service.deliver.http import Client
from service.people.access import create_key
from service.pipeline import Works
from service.store.database import Database
from service.store.vault import Vault

_numbers = count(1)


@dataclass
class House:
    """A running installation without a worker; `drain` does a worker's work."""

    database: Database
    vault: Vault
    wiring: Wiring
    works: Works
    url: str
    stack: ExitStack
    clients: dict[tuple[str, str | None], httpx.Client] = field(default_factory=dict)

    def key(self, role: str, source: str | None = None) -> str:
        with self.database.session() as session:
            return create_key(session, self.vault, name=role, role=role, source=source, actor="test").key

    def client(self, role: str = "admin", source: str | None = None) -> httpx.Client:
        if (role, source) not in self.clients:
            headers = {"Authorization": f"Bearer {self.key(role, source)}"}
            made = httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)
            self.clients[role, source] = self.stack.enter_context(made)
        return self.clients[role, source]

    @property
    def stranger(self) -> httpx.Client:
        """A client without a key."""
        if ("", None) not in self.clients:
            made = httpx.Client(base_url=self.url, trust_env=False, timeout=30)
            self.clients["", None] = self.stack.enter_context(made)
        return self.clients["", None]

    def unique(self) -> str:
        return f"u-{next(_numbers)}"

    def count(self, table: str) -> int:
        with self.database.session() as session:
            return int(session.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one())  # noqa: S608 (our own table names)

    def drain(self) -> None:
        asyncio.run(worker.drain(self.works, self.database.conninfo))


@pytest.fixture(scope="session")
def serve() -> Callable[[ASGIApp], object]:
    """`with serve(app) as url`: an ASGI application over real HTTP."""
    return serving


@pytest.fixture(scope="module")
def house(migrated: Database, vault: Vault, reader: Reader, http: Client) -> Iterator[House]:
    emptied(migrated)
    wiring = wired(migrated, vault, reader, http)
    works = Works(database=migrated, vault=vault, reader=reader, http=http, public_url="https://heed.example.com")
    with ExitStack() as stack, serving(create_app(wiring)) as url:
        yield House(migrated, vault, wiring, works, url, stack)
        stack.close()
