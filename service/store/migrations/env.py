"""Alembic's entry: runs on the connection that `service.store.migrate` hands it."""

from alembic import context
from sqlmodel import SQLModel

from service.store import lab_tables, tables  # noqa: F401 (they fill the metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_type=True,
)
context.run_migrations()
