"""`heed deliveries`: what was sent where, and once more."""

from typing import Annotated, Literal
from uuid import UUID

import typer
from sqlmodel import Session, col, select

from service.api.shapes import delivery_out
from service.cli.actor import actor
from service.cli.output import AsJson, print_json, print_table
from service.deliver.outbox import replay as send_again
from service.installation import open_installation
from service.settings import Settings
from service.store import audit
from service.store.tables import Delivery

app = typer.Typer(help="Deliveries: list, replay.", no_args_is_help=True)


@app.command("list")
def list_deliveries(
    state: Annotated[
        Literal["pending", "delivered", "dead"] | None, typer.Option(help="Only those in this state.")
    ] = None,
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
        shown = [delivery_out(row) for row in session.exec(query)]
    if as_json:
        print_json({"items": shown, "next": None})
    else:
        columns = ("id", "destination", "state", "attempts", "next_at", "external_ref", "last_error")
        print_table(columns, [[getattr(one, column) for column in columns] for one in shown])


@app.command()
def replay(
    delivery_id: Annotated[list[UUID], typer.Argument(help="One or more ids of dead deliveries.")],
    as_json: AsJson = False,
) -> None:
    """Send dead deliveries once more, under the same idempotency keys."""
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        rows = [_dead(session, one) for one in dict.fromkeys(delivery_id)]
        for row in rows:
            send_again(session, row)
            audit.record(session, actor(), "delivery.replayed", str(row.id), destination=row.destination)
    if as_json:
        print_json({"items": [delivery_out(row) for row in rows]})
    else:
        print(f"{len(rows)} will be sent again.")


def _dead(session: Session, delivery_id: UUID) -> Delivery:
    row = session.get(Delivery, delivery_id, with_for_update=True)
    if row is None or row.state != "dead":
        found = row.state if row else "unknown"
        typer.echo(f"Delivery {delivery_id} is {found}: only a dead one is replayed, and none was.", err=True)
        raise typer.Exit(1)
    return row
