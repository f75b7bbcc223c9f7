"""An empty database for what begins from nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from os import getpid

import pytest
from sqlalchemy import text

from service.store.database import Database, connect

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Empty(Database):
    """A database that nothing has touched, and its address for other processes."""

    conninfo_url: str


@pytest.fixture
def empty_database(server_url: str) -> Iterator[Empty]:
    name = f"heed_empty_{getpid()}_{next(_numbers)}"
    server = connect(server_url, pool=1)
    alone = server.engine.execution_options(isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = server.engine.url.set(database=name).render_as_string(hide_password=False)
    database = connect(url, pool=5)
    yield Empty(database.engine, database.lookups, database.conninfo, url)
    database.engine.dispose()
    with alone.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.engine.dispose()
