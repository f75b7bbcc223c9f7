"""What the commands of `heed policy` share: the session, publishing, and how mistakes and refusals are told."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from sqlmodel import Session

from service import policies
from service.classify import Reader
from service.cli.actor import actor
from service.cli.output import print_json
from service.installation import open_installation
from service.route import versions
from service.route.findings import InvalidPolicy, PolicyWarning
from service.route.folder import UnreadableFolder
from service.settings import Settings

Version = Annotated[
    int, typer.Argument(help="A version, as `heed policy list` shows it.", metavar="VERSION", min=1, max=2**31 - 1)
]
Comment = Annotated[str, typer.Option(help="Why.", metavar="WHY")]


@contextmanager
def opened_session(settings: Settings) -> Iterator[Session]:
    """A session of the installation; what cannot be done now is told in a sentence, with exit 1."""
    with open_installation(settings, pool=2) as opened:
        try:
            with opened.database.session() as session:
                yield session
        except (
            versions.UnknownVersion,
            versions.OwnPolicy,
            versions.NotNow,
            policies.BrokenExamples,
            UnreadableFolder,
            OSError,
        ) as error:
            typer.echo(_told(error), err=True)
            raise typer.Exit(1) from error


def _told(error: Exception) -> str:
    if isinstance(error, policies.BrokenExamples):
        each = "\n".join(f"  {one.detail}" for one in error.broken)
        return f"Not activated: its examples have to hold first.\n{each}"
    if isinstance(error, OSError):
        return f"{error.filename} cannot be written ({error.strerror})."
    return str(error)


def refuse(file: Path, error: InvalidPolicy, code: int, as_json: bool) -> NoReturn:
    """Tell every mistake of a document with its place, and end with this exit code."""
    if as_json:
        print_json({"errors": error.errors, "warnings": []})
    for one in error.errors:
        hint = f"; {one.suggestion}" if one.suggestion else ""
        print(f"{file}:{one.line}:{one.column}: {one.detail}{hint}", file=sys.stderr)
    raise typer.Exit(code)


def warn(file: Path, warnings: Sequence[PolicyWarning]) -> None:
    for one in warnings:
        print(f"{file}:{one.line}:{one.column}: warning: {one.detail}", file=sys.stderr)


def publish(
    session: Session, settings: Settings, file: Path, document: bytes, comment: str | None, as_json: bool
) -> versions.Published:
    try:
        return policies.publish(
            session, Reader(settings.model, settings.taxonomy), document, by=actor(), comment=comment
        )
    except InvalidPolicy as error:
        refuse(file, error, 1, as_json)


def tell_published(file: Path, published: versions.Published, as_json: bool) -> None:
    if as_json:
        print_json(published)
        return
    warn(file, published.warnings)
    number = published.version
    print(f"Published as version {number}; `heed policy activate {number} --comment WHY` lets it decide.")
