"""A site: one installation with its web process and people who sign in to its pages; without a worker until `drain`."""

import asyncio
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import httpx
import uvicorn
from sqlalchemy import insert, text
from sqlmodel import select
from starlette.types import ASGIApp

from models.taxonomies.taxonomy import default_taxonomy
from service import worker
from service.api.dependencies import Wiring
from service.app import create_app
from service.classify import Reader
from service.deliver.http import Client
from service.ingest.group import GroupedIntake
from service.people.access import ROLES, create_key
from service.people.users import add_user
from service.pipeline import Works
from service.route.versions import ensure_default
from service.store.database import Database
from service.store.tables import AuditEvent, Policy, PolicyActivation, SQLModel
from service.store.vault import Vault

PASSWORD = "a password of the tests"
# Who signs in to a site: for each role somebody who has it alone. The demo's policy gives work to ana.
PEOPLE = {
    "ana": "supervisor",
    "pia": "product",
    "rea": "reviewer",
    "otto": "auditor",
    "soo": "source",
    "ada": "admin",
}
NAMES = {role: name for name, role in PEOPLE.items()}
_TOKEN = re.compile(r'name="csrf" value="([^"]*)"')


_fresh: dict[type[SQLModel], list[dict[str, Any]]] = {}  # the rows of a fresh installation, once they are known


def emptied(database: Database) -> None:
    """Make the database what a fresh installation leaves."""
    tables = ", ".join(f'"{table.name}"' for table in SQLModel.metadata.sorted_tables)
    with database.session() as session:
        session.execute(text(f"TRUNCATE {tables}, procrastinate_jobs, procrastinate_workers CASCADE"))
        if not _fresh:  # the default policy is checked and published once: that takes longer than most tests
            ensure_default(session, default_taxonomy().labels)
            for kind in (Policy, PolicyActivation, AuditEvent):
                _fresh[kind] = [row.model_dump() for row in session.exec(select(kind))]
            return
        for kind, rows in _fresh.items():
            if rows:
                session.execute(insert(kind), rows)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """An ASGI application over real HTTP; its address."""
    with socket.socket(proto=socket.IPPROTO_TCP) as door:  # or asyncio leaves Nagle's 40 ms in
        door.bind(("127.0.0.1", 0))
        door.listen(256)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@dataclass
class Site:
    """A running installation with people in it."""

    wiring: Wiring
    works: Works
    url: str
    stack: ExitStack
    visitors: dict[str, httpx.Client] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.wiring.database

    def browser(self) -> httpx.Client:
        """A client that says what a browser says and has not signed in."""
        headers = {"Accept": "text/html", "Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        made = httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)
        return self.stack.enter_context(made)

    def visitor(self, role: str) -> httpx.Client:
        """A client on which somebody with this role alone has signed in; the same one every time."""
        if role not in self.visitors:
            self.visitors[role] = self.signed_in(NAMES[role])
        return self.visitors[role]

    def signed_in(self, name: str, password: str = PASSWORD) -> httpx.Client:
        """A new client on which this person has signed in."""
        client = self.browser()
        answer = client.post("/sign-in", data={"username": name, "password": password})
        assert answer.status_code == 303, answer.text
        return client

    def person(self, name: str, *roles: str) -> str:
        """Make another account; its name."""
        with self.database.session() as session:
            add_user(session, name=name, roles=roles, password=PASSWORD, actor="test")
        return name

    def token(self, client: httpx.Client, page: str = "/") -> str:
        """What a form of this page carries against forgery; every page with a frame has one."""
        found = _TOKEN.search(client.get(page, follow_redirects=True).text)
        assert found, f"{page} shows no form to {client}"
        return unescape(found[1])

    def form(
        self, client: httpx.Client, path: str, page: str = "/", files: Any = None, **fields: str | Sequence[str]
    ) -> httpx.Response:
        """Send a form to `path` as `page` would, with the token found there; a list gives a field several times."""
        return client.post(path, data={"csrf": self.token(client, page), **fields}, files=files)

    def key(self, role: str) -> str:
        with self.database.session() as session:
            return create_key(session, self.wiring.vault, name=role, role=role, actor="test").key

    def api(self, role: str = "admin") -> httpx.Client:
        """A client with a key, for what a program does."""
        named = f"key of {role}"
        if named not in self.visitors:
            headers = {"Authorization": f"Bearer {self.key(role)}"}
            made = httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)
            self.visitors[named] = self.stack.enter_context(made)
        return self.visitors[named]

    def push(self, records: Sequence[dict[str, Any]]) -> list[str]:
        """Send feedback as a survey platform does; the ids of the records, in order."""
        answer = self.api().post("/v1/feedback", json=list(records))
        assert answer.status_code == 202, answer.text
        return [one["id"] for one in answer.json()["results"]]

    def use(self, policy: str) -> int:
        """Publish a policy and let it decide; its version."""
        made = self.api().post("/v1/policies", content=policy)
        assert made.status_code == 201, made.text
        version = int(made.json()["version"])
        assert self.api().post(f"/v1/policies/{version}/activate", json={"comment": "test"}).status_code == 200
        return version

    def drain(self) -> None:
        """Run every job that is due."""
        asyncio.run(worker.drain(self.works, self.database.conninfo))


def wired(database: Database, vault: Vault, reader: Reader, http: Client) -> Wiring:
    """The parts of a web process on this database."""
    return Wiring(
        database=database,
        vault=vault,
        intake=GroupedIntake(database, vault),
        reader=reader,
        http=http,
        require_approval=False,
    )


@contextmanager
def opened(database: Database, vault: Vault, reader: Reader, http: Client) -> Iterator[Site]:
    """A site on this database, which is emptied, with PEOPLE in it."""
    emptied(database)
    wiring = wired(database, vault, reader, http)
    works = Works(database=database, vault=vault, reader=reader, http=http, public_url=None)
    with ExitStack() as stack, serving(create_app(wiring)) as url:
        site = Site(wiring, works, url, stack)
        assert set(PEOPLE.values()) == set(ROLES)
        for name, role in PEOPLE.items():
            site.person(name, role)
        yield site
        stack.close()
