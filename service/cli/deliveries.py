"""`heed deliveries`: what was sent where, and once more."""

import getpass
from typing import Annotated
from uuid import UUID

import typer
from sqlmodel import col, select

from service.cli.output import AsJson, print_json, print_table
from service.deliver.outbox import replay as send_again
from service.installation import open_installation
from service.settings import Settings
from service.store import audit
from service.store.tables import Delivery

app = typer.Typer(help="Deliveries: list, replay.", no_args_is_help=True)


@app.command("list")
def list_deliveries(
    state: Annotated[str | None, typer.Option(help="pending, delivered or dead.")] = None,
    destination: Annotated[str | None, typer.Option(help="Only to this destination.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: AsJson = False,
) -> None:
    """Deliveries, newest first; `--state dead` is the dead-letter list."""
    query = select(Delivery).order_by(col(Delivery.created_at).desc()).limit(limit)
    if state is not None:
        query = query.where(col(Delivery.state) == state)
    if destination is not None:
        query = query.where(col(Delivery.destination) == destination)
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        rows = session.exec(query).all()
    if as_json:
        print_json({"items": [row.model_dump() for row in rows], "next": None})
    else:
        columns = ("id", "destination", "state", "attempt", "next_at", "external_ref", "last_error")
        print_table(columns, [[getattr(row, column) for column in columns] for row in rows])


@app.command()
def replay(
    delivery_id: Annotated[list[UUID], typer.Argument(help="One or more ids of dead deliveries.")],
) -> None:
    """Send dead deliveries once more, under the same idempotency keys."""
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        rows = [session.get(Delivery, one, with_for_update=True) for one in delivery_id]
        for one, row in zip(delivery_id, rows, strict=True):
            if row is None or row.state != "dead":
                typer.echo(
                    f"Delivery {one} is {row.state if row else 'unknown'}: only a dead one is replayed.", err=True
                )
                raise typer.Exit(1)
        for row in rows:
            if row is not None:
                send_again(session, row)
                audit.record(session, f"cli:{getpass.getuser()}", "delivery.replayed", str(row.id))
    print(f"{len(delivery_id)} deliveries will be sent again.")
