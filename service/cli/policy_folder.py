"""`heed policy export` and `heed policy import`: a policy in a folder, so that it can live in git."""

from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import col, select

from service import policies
from service.classify import Reader
from service.cli.output import AsJson, print_json
from service.cli.policy_steps import Version, opened_session, publish, refuse, tell_published
from service.route import versions
from service.route.findings import InvalidPolicy
from service.route.folder import DOCUMENT, read_folder, write_folder
from service.settings import Settings
from service.store.tables import Policy

Folder = Annotated[Path, typer.Argument(help="A folder with policy.yaml and about.json.", file_okay=False)]


def export_version(version: Version, folder: Folder) -> None:
    """Write a version into a folder, for git: policy.yaml as it was written, about.json with where it came from."""
    with opened_session(Settings()) as session:
        versions.fetch(session, version)
        document, about = write_folder(session.get_one(Policy, version), folder)
    print(f"Wrote {document} and {about}.")


def import_folder(
    folder: Folder,
    comment: Annotated[str | None, typer.Option(help="Why this version; else the comment in about.json.")] = None,
    as_json: AsJson = False,
) -> None:
    """Publish a folder's policy.yaml as the next version, unless the newest one says the same already."""
    settings, file = Settings(), folder / DOCUMENT
    with opened_session(settings) as session:
        held = read_folder(folder)
        newest = session.exec(select(Policy).order_by(col(Policy.version).desc()).limit(1)).one()
        stored = versions.fetch(session, newest.version)  # its digest may be of an earlier heed, which knew fewer keys
        if versions.digest_of(stored) == _digest(file, held.document, settings, as_json):
            same = f"The newest version, {newest.version}, says the same already: nothing was published."
            print_json({"version": newest.version, "warnings": []}) if as_json else print(same)
            return
        published = publish(session, settings, file, held.document, comment or held.comment, as_json)
    tell_published(file, published, as_json)


def _digest(file: Path, document: bytes, settings: Settings, as_json: bool) -> str:
    try:
        return versions.digest_of(policies.check(Reader(settings.model, settings.taxonomy), document).policy)
    except InvalidPolicy as error:
        refuse(file, error, 1, as_json)
