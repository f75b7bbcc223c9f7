"""Alembic's migrations: the schema, step by step, Procrastinate's among them."""
