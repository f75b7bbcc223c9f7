"""Bring the database to the newest schema, one process at a time; say whether it is there."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from service.store.database import Database, DatabaseUnusable, explain

_ONE_AT_A_TIME = 0x68656565  # any constant: two processes that start together must not both migrate


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@cache
def head() -> str:
    """The newest revision this version of heed knows."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise RuntimeError("heed was packaged without its migrations")
    return found


def current(connection: Connection) -> str | None:
    """The revision the database stands at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database) -> str:
    """Run every missing migration in one transaction and return the revision reached. Safe to run twice or at once.

    Raises:
        DatabaseUnusable: a migration was refused, or the database belongs to a newer heed.
    """
    config = _config()
    try:
        with database.engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
            stands = current(connection)
            known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
            if stands is not None and stands not in known:
                raise DatabaseUnusable(
                    f"The database was written by a newer heed (schema {stands}): start that version, "
                    "or restore the backup made before the upgrade."
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise DatabaseUnusable(explain(error, database.place)) from error
    return head()
