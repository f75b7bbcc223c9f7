"""What the demo's help desk knows, and how it keeps it from one run to the next in a JSON file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

LARGEST_FILE = 32 * 1024 * 1024


@dataclass(frozen=True)
class Ticket:
    """What the help desk knows of one work item."""

    id: str
    webhook_id: str
    work_item: str
    title: str
    body: str
    priority: str
    comments: tuple[str, ...] = ()
    repeats: int = 0  # how often its creation was sent again


@dataclass(frozen=True)
class Memory:
    """A desk between two runs: the port it had, its tickets, and the work item of each message by `webhook-id`."""

    port: Annotated[int, Field(ge=1024, le=65535)]
    tickets: tuple[Ticket, ...] = ()  # oldest first
    seen: Mapping[str, str] = field(default_factory=dict)


_MEMORY = TypeAdapter(Memory)


def recall(file: Path) -> Memory | None:
    """What the last run left; None where there is no file, or none that a desk wrote to its end."""
    try:
        if not file.is_file() or file.stat().st_size > LARGEST_FILE:
            return None
        memory = _MEMORY.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
    items = {ticket.work_item for ticket in memory.tickets}
    whole = len(items) == len(memory.tickets) and items.issuperset(memory.seen.values())
    return memory if whole else None


def keep(file: Path, memory: Memory) -> None:
    """Write it in one step, readable for us alone: a reader finds the whole of the old or the whole of the new.

    Raises:
        OSError: the file cannot be written.
    """
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600, exist_ok=False)
    fresh.write_text(json.dumps(asdict(memory)))
    fresh.replace(file)
