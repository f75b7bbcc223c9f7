"""One heed installation, opened: settings to database, schema, secret key and default policy, in that order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from models.taxonomies.taxonomy import default_taxonomy
from service.route.versions import ensure_default
from service.settings import Settings
from service.store.database import Database, DatabaseUnusable, check, connect
from service.store.migrate import migrate
from service.store.postgres import hold
from service.store.tables import Installation, now
from service.store.vault import Vault, master_secret


class WrongSecretKey(Exception):
    """The database was set up with another secret key."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An installation ready for work."""

    settings: Settings
    database: Database
    vault: Vault


@contextmanager
def reach_database(settings: Settings, *, pool: int = 20) -> Iterator[Database]:
    """The configured database, or the embedded server for as long as the block runs; nothing is looked at yet.

    Raises:
        EmbeddedUnavailable: the embedded server cannot run here.
        DatabaseUnusable: the address is not one of PostgreSQL.
    """
    if settings.database_url is not None:
        database = connect(settings.database_url.get_secret_value(), pool=pool)
        try:
            yield database
        finally:
            database.engine.dispose()
        return
    with hold(settings.home) as embedded:
        database = connect(embedded.url, pool=pool)
        try:
            yield database
        finally:
            database.engine.dispose()


@contextmanager
def open_installation(settings: Settings, *, pool: int = 20) -> Iterator[Opened]:
    """Reach the database, bring its schema up to date, and check that our secret key is the one it knows.

    Raises:
        DatabaseUnusable, EmbeddedUnavailable, SecretKeyUnusable, WrongSecretKey: each one sentence with the remedy.
    """
    with reach_database(settings, pool=pool) as database:
        check(database)
        migrate(database)
        vault = open_vault(settings)
        with database.session() as session:
            _same_key(session, vault)
            # Our policy names a topic of our own; among topics of yours that is not there, its rule stays unknown.
            ensure_default(session, default_taxonomy().labels)
        yield Opened(settings, database, vault)


def open_vault(settings: Settings) -> Vault:
    """The vault of `HEED_SECRET_KEY`, else of the key file under `HEED_HOME`."""
    if settings.secret_key is not None:
        return Vault(settings.secret_key.get_secret_value().strip())  # a mounted secret often ends in a newline
    _make_home(settings.home)
    return Vault(master_secret(settings.home))


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(
            f"HEED_HOME {home} cannot be made ({error.strerror}): set HEED_HOME to a folder heed may write to."
        ) from error


def _same_key(session: Session, vault: Vault) -> None:
    session.execute(insert(Installation).values(id=1, key_id=vault.key_id, created_at=now()).on_conflict_do_nothing())
    if session.get_one(Installation, 1).key_id != vault.key_id:
        raise WrongSecretKey(
            "This database was set up with another secret key: give every process the same HEED_SECRET_KEY, "
            "or copy secret.key from the first machine's HEED_HOME."
        )
