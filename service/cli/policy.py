"""`heed policy`: check a policy file, publish it, see what is there, let a version decide."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from sqlmodel import col, select

from models.taxonomy import default_taxonomy
from service.cli.actor import actor
from service.cli.output import AsJson, print_json, print_table
from service.installation import open_installation
from service.route import versions
from service.route.findings import InvalidPolicy, PolicyWarning
from service.route.policy_document import check as check_document
from service.settings import Settings
from service.store.tables import Policy

app = typer.Typer(help="Policies: check, add, list, show, activate.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="A YAML file.", exists=True, dir_okay=False, readable=True)]
Version = Annotated[
    int, typer.Argument(help="A version, as `heed policy list` shows it.", metavar="VERSION", min=1, max=2**31 - 1)
]
CHECK_FAILED = 3


def _topics() -> list[str]:
    return default_taxonomy().labels


def _refuse(file: Path, error: InvalidPolicy, code: int, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"errors": error.errors, "warnings": []})
    for one in error.errors:
        hint = f"; {one.suggestion}" if one.suggestion else ""
        print(f"{file}:{one.line}:{one.column}: {one.detail}{hint}", file=sys.stderr)
    raise typer.Exit(code)


def _warn(file: Path, warnings: Sequence[PolicyWarning]) -> None:
    for one in warnings:
        print(f"{file}:{one.line}:{one.column}: warning: {one.detail}", file=sys.stderr)


@app.command()
def check(file: File, as_json: AsJson = False) -> None:
    """Say what is wrong with a policy file, with line and column; needs no database. Exit 3 when it does not hold."""
    try:
        checked = check_document(file.read_bytes(), _topics())
    except InvalidPolicy as error:
        _refuse(file, error, CHECK_FAILED, as_json)
    if as_json:
        print_json({"errors": [], "warnings": checked.warnings})
        return
    _warn(file, checked.warnings)
    print(f"Policy '{checked.policy.name}' is sound: {len(checked.policy.rules)} rules.")


@app.command()
def add(
    file: File, comment: Annotated[str | None, typer.Option(help="Why this version.")] = None, as_json: AsJson = False
) -> None:
    """Publish a policy file as the next version; it decides nothing until it is activated."""
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        try:
            published = versions.publish(session, file.read_bytes(), _topics(), by=actor(), comment=comment)
        except InvalidPolicy as error:
            _refuse(file, error, 1, as_json)
    if as_json:
        print_json(published)
    else:
        _warn(file, published.warnings)
        print(
            f"Published as version {published.version}; "
            f"`heed policy activate {published.version} --comment WHY` lets it decide."
        )


@app.command("list")
def list_versions(as_json: AsJson = False) -> None:
    """All versions, newest first."""
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        deciding = versions.active_version(session)
        rows = session.exec(select(Policy).order_by(col(Policy.version).desc())).all()
        shown = [{**row.model_dump(exclude={"tree", "document"}), "active": row.version == deciding} for row in rows]
    if as_json:
        print_json({"items": shown, "next": None})
    else:
        columns = ("version", "name", "active", "created_by", "created_at", "comment")
        print_table(columns, [[row[column] for column in columns] for row in shown])


@app.command()
def show(version: Version, as_json: AsJson = False) -> None:
    """A version as it was written."""
    with open_installation(Settings(), pool=2) as opened, opened.database.session() as session:
        row = session.get(Policy, version)
    if row is None:
        typer.echo(f"There is no policy of version {version}: `heed policy list` shows them.", err=True)
        raise typer.Exit(1)
    if as_json:
        print_json(row.model_dump())
    else:
        print(row.document, end="")


@app.command()
def activate(version: Version, comment: Annotated[str, typer.Option(help="Why now.")], as_json: AsJson = False) -> None:
    """Let a version decide everything from now on, in every process."""
    settings = Settings()
    with open_installation(settings, pool=2) as opened, opened.database.session() as session:
        try:
            versions.activate(session, version, by=actor(), comment=comment, need_approval=settings.require_approval)
        except (versions.UnknownVersion, versions.OwnPolicy) as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error
    if as_json:
        print_json({"version": version, "active": True})
    else:
        print(f"Version {version} decides from now on.")
