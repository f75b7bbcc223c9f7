"""Where each field of a mapping goes in a feedback record, and how its cells are read."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from service.ingest.cells import amount, flag, guessed_scalar, language, scalar, score, text, word
from service.ingest.moments import moment

Group = Literal["record", "scores", "customer", "attributes", "context", "consent", "verbatims"]
Read = Callable[[object], object]

_VERBATIM = re.compile(r"verbatims\.(0|[1-9]\d?)\.(question|text)", re.ASCII)
_SIMPLE: Mapping[str, Read] = {
    "source": word,  # only ever compared with the import's
    "external_id": word,
    "revision": score,
    "submitted_at": moment,
    "language": language,
    "scores.nps": score,
    "scores.csat": score,
    "scores.stars": score,
    "scores.ces": score,
    "customer.id": word,
    "customer.email": word,
    "customer.tier": word,
    "customer.region": word,
    "customer.account_value": amount,
    "consent.contact": flag,
}
_NAMED: Mapping[str, Group] = {"customer.attributes.": "attributes", "context.": "context"}
FIELDS: Sequence[str] = (*_SIMPLE, "verbatims.0.text", "verbatims.0.question")


@dataclass(frozen=True, slots=True)
class Place:
    """A field's place: its group, its name there, which of the verbatims, and how a cell becomes its value."""

    group: Group
    key: str
    read: Read
    verbatim: int = 0


def place_of(field: str, *, typed: bool = False) -> Place | None:
    """The place of a field such as `verbatims.0.text`; None where there is no such field.

    Args:
        field: its dotted name.
        typed: the file says which of its cells are texts and which are numbers.
    """
    if read := _SIMPLE.get(field):
        group, _, key = field.rpartition(".")
        return Place(group or "record", key, read)  # type: ignore[arg-type] # the groups of the table above
    if found := _VERBATIM.fullmatch(field):
        return Place("verbatims", found[2], text, int(found[1]))
    for prefix, named in _NAMED.items():
        if field.startswith(prefix) and 0 < len(field) - len(prefix) <= 128:
            return Place(named, field.removeprefix(prefix), scalar if typed else guessed_scalar)
    return None
