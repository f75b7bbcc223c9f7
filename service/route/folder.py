"""A policy as a folder of two files, so that it can live in git: the document as written, and where it came from."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.route.canonical import utc_text
from service.store.tables import Policy

DOCUMENT, ABOUT = "policy.yaml", "about.json"
_LONGEST = 2_000


class UnreadableFolder(Exception):
    """The folder holds no exported policy; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What a folder holds: a document, and the comment of the version it was, if that is known."""

    document: bytes
    comment: str | None


def write_folder(row: Policy, folder: Path) -> tuple[Path, Path]:
    """Write a version; the same version gives the same bytes every time. The two files.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document, about = folder / DOCUMENT, folder / ABOUT
    document.write_bytes(row.document.encode())
    about.write_bytes(about_text(row).encode())
    return document, about


def about_text(row: Policy) -> str:
    """Where a version came from, as JSON with sorted keys, one to a line."""
    told = {
        "version": row.version,
        "name": row.name,
        "digest": row.digest,
        "author": row.created_by,
        "comment": row.comment,
        "published_at": utc_text(row.created_at),
    }
    return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_folder(folder: Path) -> Exported:
    """Read what `write_folder` wrote; `about.json` may be missing, the document may have been changed.

    Raises:
        UnreadableFolder: there is no document, or `about.json` is not what was exported.
    """
    document, about = folder / DOCUMENT, folder / ABOUT
    try:
        written = document.read_bytes()
    except OSError as error:
        raise UnreadableFolder(f"{document} cannot be read ({error.strerror}): it holds the policy.") from error
    if not about.exists():
        return Exported(written, None)
    try:
        told: Any = json.loads(about.read_bytes())
        comment = told.get("comment")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        remedy = "delete it, or export the version again"
        raise UnreadableFolder(f"{about} is not what `heed policy export` writes: {remedy}.") from error
    if comment is not None and (not isinstance(comment, str) or not 1 <= len(comment) <= _LONGEST):
        raise UnreadableFolder(f"{about}: comment is a text of 1 to {_LONGEST:,} characters, or null.")
    return Exported(written, comment)
