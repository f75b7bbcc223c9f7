"""`heed keys`: API keys for sources, people and programs."""

from typing import Annotated
from uuid import UUID

import typer
from sqlmodel import col, select

from service.cli.actor import actor
from service.cli.output import AsJson, print_json, print_table
from service.installation import open_installation
from service.people.access import ROLES, create_key, revoke_key
from service.settings import Settings
from service.store.tables import ApiKey

app = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Who or what will use it.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")],
    source: Annotated[str | None, typer.Option(help="Bind a source key to this one source.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key. It is shown this once; only its digest is kept."""
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        made = create_key(session, opened.vault, name=name, role=role, source=source, actor=actor())
    if as_json:
        print_json(made)
    else:
        print(made.key)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """All keys, newest first; never the keys themselves."""
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        rows = session.exec(select(ApiKey).order_by(col(ApiKey.created_at).desc())).all()
        shown = [row.model_dump(exclude={"digest"}) for row in rows]
    if as_json:
        print_json({"items": shown, "next": None})
    else:
        columns = ("id", "name", "role", "source", "created_at", "revoked_at")
        print_table(columns, [[row[column] for column in columns] for row in shown])


@app.command()
def revoke(
    key_id: Annotated[UUID, typer.Argument(help="The key's id, as `heed keys list` shows it.")], as_json: AsJson = False
) -> None:
    """Make a key useless from the next request on."""
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        revoked = revoke_key(session, key_id, actor=actor())
    if not revoked:
        typer.echo(f"There is no live key with id {key_id}: `heed keys list` shows them.", err=True)
        raise typer.Exit(1)
    if as_json:
        print_json({"id": key_id, "revoked": True})
    else:
        print(f"Key {key_id} opens nothing any more.")
