"""An installation for one benchmark: a home of its own and a database of its own, both gone afterwards."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.bench.figures import BenchFailed
from service.installation import Opened, open_installation
from service.people.access import create_key
from service.settings import Settings
from service.store.database import connect


@dataclass(frozen=True, slots=True)
class Scratch:
    """An opened installation, the environment in which other programs find it, and a key to it."""

    opened: Opened
    environment: Mapping[str, str]
    key: str


@contextmanager
def scratch(settings: Settings) -> Iterator[Scratch]:
    """Make an installation beside the configured one, on the same server where `HEED_DATABASE_URL` names one.

    Raises:
        BenchFailed: the server does not let us make a database.
    """
    with _home() as home, _database(settings) as address:
        changed = {"home": home, "database_url": address, "secret_key": None}
        with open_installation(settings.model_copy(update=changed)) as opened:
            with opened.database.session() as session:
                key = create_key(session, opened.vault, name="bench", role="source", actor="bench").key
            yield Scratch(opened, _environment(opened.settings), key)


@contextmanager
def _home() -> Iterator[Path]:
    with TemporaryDirectory(prefix="heed-bench-") as folder:
        home = Path(folder)
        try:
            yield home
        finally:
            if (home / "postgres").is_symlink():  # as root the embedded server may keep its data behind it
                shutil.rmtree((home / "postgres").resolve())


@contextmanager
def _database(settings: Settings) -> Iterator[SecretStr | None]:
    if settings.database_url is None:
        yield None
        return
    name = f"heed_bench_{os.getpid()}"
    server = connect(settings.database_url.get_secret_value(), pool=1)
    plain = server.engine.execution_options(isolation_level="AUTOCOMMIT")
    try:
        with plain.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except DBAPIError as error:
        raise BenchFailed(
            f"The benchmark needs a database of its own and cannot make one ({str(error.orig).strip()}): "
            "let the user of HEED_DATABASE_URL create databases, or leave it unset to use the embedded server."
        ) from error
    try:
        yield SecretStr(server.engine.url.set(database=name).render_as_string(hide_password=False))
    finally:
        with plain.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.engine.dispose()


def _environment(settings: Settings) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("HEED_")}
    own = {
        "HEED_HOME": str(settings.home),
        "HEED_MODEL": settings.model,
        "HEED_WORKER_SLOTS": str(settings.worker_slots),
        "HEED_MOST_WAITING": "100_000_000",  # a benchmark's flood is what it is there for
    }
    if settings.database_url is not None:
        own["HEED_DATABASE_URL"] = settings.database_url.get_secret_value()
    return others | own
