"""`heed users`: the people who sign in to the pages."""

import io
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from pydantic import ValidationError

from service.cli.actor import actor
from service.cli.output import AsJson, print_json, print_table
from service.ingest.wording import sentence
from service.installation import open_installation
from service.people.access import ROLES
from service.people.preferences import Preferences, change
from service.people.users import InvalidUser, add_user
from service.people.users import activate as let_in
from service.people.users import list_users as everybody
from service.settings import Settings
from service.store.tables import now
from service.work import leaving

app = typer.Typer(help="People who sign in to the pages: add, list, set, deactivate, activate.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="What they sign in with.")]
_LONGEST_LINE = 10_000  # characters; more is no password, and is told so
_SHOWN = ("name", "roles", "active", "created_at")


@app.command()
def add(
    name: Name,
    role: Annotated[list[str], typer.Option(help=f"One of {', '.join(ROLES)}; may be given several times.")],
    as_json: AsJson = False,
) -> None:
    """Make an account. The password is asked for on a terminal, else read from the first line of standard input."""
    password = _password(name)
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        row = add_user(session, name=name, roles=role, password=password, actor=actor())
        made = {"id": row.id, "name": row.name, "roles": row.roles}
    if as_json:
        print_json(made)
    else:
        print(f"{name} can sign in now, as {' and '.join(role)}.")


def _password(name: str) -> str:
    if sys.stdin.isatty():
        answer: str = typer.prompt(f"Password for {name}", hide_input=True, confirmation_prompt=True)
        return answer
    if isinstance(sys.stdin, io.TextIOWrapper):  # what is no text is refused as a password, whatever the locale
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
    return sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """Everybody with an account; never their passwords."""
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        shown = [row.model_dump(include={"id", *_SHOWN}) for row in everybody(session)]
    if as_json:
        print_json({"items": shown, "next": None})
    else:
        print_table(_SHOWN, [[row["name"], ", ".join(row["roles"]), row["active"], row["created_at"]] for row in shown])


@app.command("set")
def set_preferences(
    name: Name,
    manager: Annotated[str | None, typer.Option(help="Who hears of it when they miss a promise.")] = None,
    zone: Annotated[str | None, typer.Option(help="Where they are, such as Europe/Warsaw.")] = None,
    hours: Annotated[
        list[str] | None, typer.Option(help='When they may be told things: "mon-fri 09:00-17:00"; several times.')
    ] = None,
    absent_from: Annotated[str | None, typer.Option(help="Away from then on: 2026-12-23T00:00:00Z.")] = None,
    absent_until: Annotated[str | None, typer.Option(help="Back then.")] = None,
    substitute: Annotated[str | None, typer.Option(help="Who is told in their place while they are away.")] = None,
    destination: Annotated[str | None, typer.Option(help="Where they are told things, beside the pages.")] = None,
    digest: Annotated[str | None, typer.Option(help="Told once a day, all together, at this time: 09:00.")] = None,
    alerts: Annotated[str | None, typer.Option(help="Of new work they are told so often a day at most.")] = None,
) -> None:
    """Change somebody's settings; an empty text ("") takes one away."""
    given = {
        "manager": manager,
        "zone": zone,
        "hours": None if hours is None else _hours(hours),
        "absent_from": absent_from,
        "absent_until": absent_until,
        "substitute": substitute,
        "destination": destination,
        "digest": digest,
        "alerts": int(alerts) if alerts and alerts.isdecimal() else alerts,
    }
    wanted = _preferences({field: value or None for field, value in given.items() if value is not None})
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        change(session, name, wanted, by=actor())
    print(f"{name}: {', '.join(wanted.given) or 'nothing'} changed.")


def _hours(written: Sequence[str]) -> dict[str, list[str]]:
    """Read `mon-fri 09:00-12:30 13:00-17:00`; days said twice have all the hours said of them."""
    read: dict[str, list[str]] = {}
    for line in written:
        days, *spans = line.split() or [""]
        if days:
            read.setdefault(days, []).extend(spans)
    return read


def _preferences(given: Mapping[str, object]) -> Preferences:
    try:
        return Preferences.model_validate(given)
    except ValidationError as error:
        wrong = " ".join(f"{one['loc'][0]}: {sentence(one)}" for one in error.errors())
        raise InvalidUser(f"Nothing was changed. {wrong}") from error


@app.command()
def deactivate(name: Name) -> None:
    """Lock somebody out at once; their open items go to whoever takes them instead, and the admins are told."""
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        items = leaving.deactivate(session, name=name, actor=actor(), at=now())
    print(f"{name} can no longer sign in. Open items that went to others: {items}.")


@app.command()
def activate(name: Name) -> None:
    """Let somebody sign in again, with the password they had."""
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        let_in(session, name=name, actor=actor())
    print(f"{name} can sign in again.")
