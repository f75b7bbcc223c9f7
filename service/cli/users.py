"""`heed users`: the people who sign in to the pages."""

import io
import sys
from typing import Annotated

import typer

from service.cli.actor import actor
from service.cli.output import AsJson, print_json, print_table
from service.installation import open_installation
from service.people.access import ROLES
from service.people.users import add_user
from service.people.users import list_users as everybody
from service.settings import Settings

app = typer.Typer(help="People who sign in to the pages: add, list.", no_args_is_help=True)
_LONGEST_LINE = 10_000  # characters; more is no password, and is told so
_SHOWN = ("name", "roles", "active", "created_at")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What they sign in with.")],
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
