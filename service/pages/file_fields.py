"""Columns of a file and our fields, in plain words: what may be chosen, what was chosen, how rows look then. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.ingest.cells import example
from service.ingest.field_names import as_name
from service.ingest.importing import Understood
from service.ingest.record import FeedbackRecord

WORDS: Mapping[str, str] = {
    "verbatims.0.text": "what they wrote",
    "scores.nps": "NPS, 0 to 10",
    "scores.csat": "satisfaction (CSAT), 1 to 5",
    "scores.stars": "stars, 1 to 5",
    "scores.ces": "effort (CES), 1 to 7",
    "external_id": "the answer's own id",
    "submitted_at": "when they answered",
    "customer.id": "the customer's id",
    "customer.email": "the customer's email address",
    "customer.tier": "the customer's tier",
    "customer.region": "the customer's region",
    "customer.account_value": "the account's value",
    "consent.contact": "may be contacted",
    "language": "the language",
    "revision": "revision of the answer",
    "verbatims.0.question": "the question for what they wrote",
}
TEXTS = 5  # columns that people wrote in, which can be chosen
_SAMPLE = 3  # values of a column that are shown


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its number, its name, some of its values, what it is used for, what it may be used for."""

    number: int
    name: str
    values: tuple[str, ...]
    field: str
    options: tuple[tuple[str, str], ...]


def field_of(field: str) -> str:
    """A field in plain words."""
    group, _, key = field.partition(".")
    if field in WORDS:
        return WORDS[field]
    if group == "verbatims":
        number, _, part = key.partition(".")
        return f"{'what they wrote' if part == 'text' else 'the question for what they wrote'} ({int(number) + 1})"
    if field.startswith("customer.attributes."):
        return f"about the customer, as '{key.partition('.')[2]}'"
    return f"kept beside it, as '{key}'" if group == "context" else field


def columns_of(names: Sequence[str], mapping: Mapping[str, str], first: Sequence[Mapping[str, object]]) -> list[Column]:
    """Every column, as often as it is used, at least once."""
    uses: dict[str, list[str]] = {}
    for field, column in mapping.items():
        uses.setdefault(column, []).append(field)
    return [
        Column(number, name, _values(name, first), field, _options(name, field))
        for number, name in enumerate(names)
        for field in sorted(uses.get(name, [""]))
    ]


def _values(name: str, first: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    found = [example(cells[name]) for cells in first if cells.get(name) not in {None, ""}]
    return tuple(dict.fromkeys(found))[:_SAMPLE]


def _options(column: str, field: str) -> tuple[tuple[str, str], ...]:
    more = [f"verbatims.{number}.text" for number in range(1, TEXTS)]
    fields = dict.fromkeys(["", *WORDS, *more, f"context.{as_name(column)}", field])
    return tuple((one, field_of(one) if one else "not used") for one in fields)


def chosen(names: Sequence[str], texts: Callable[[str], list[str]]) -> tuple[dict[str, str], list[str]]:
    """The mapping that a form chose, and what two columns were chosen for."""
    mapping: dict[str, str] = {}
    picks = [(field, name) for number, name in enumerate(names) for field in texts(f"column-{number}") if field]
    wrong = [
        f"Both '{mapping[field]}' and '{name}' are chosen for {field_of(field)}: keep one."
        for field, name in picks
        if mapping.setdefault(field, name) != name
    ]
    return mapping, wrong


def shown_rows(
    first: Sequence[Understood], mapping: Mapping[str, str]
) -> tuple[list[str], list[tuple[Understood, list[str]]]]:
    """The headings in plain words, and for each row its values; what people wrote stands in one column."""
    order = [*WORDS, *sorted(mapping)]
    fields = [field for field in dict.fromkeys(order) if field in mapping and not field.startswith("verbatims.")]
    wrote = any(field.startswith("verbatims.") for field in mapping)
    headings = [*(["what they wrote"] if wrote else []), *map(field_of, fields)]
    return headings, [(one, _row(one.record, fields, wrote=wrote)) for one in first]


def _row(record: FeedbackRecord | None, fields: Sequence[str], *, wrote: bool) -> list[str]:
    if record is None:
        return []
    words = [" / ".join(one.text for one in record.verbatims)] if wrote else []
    return [*words, *(_value(record, field) for field in fields)]


def _value(record: FeedbackRecord, field: str) -> str:
    found: object = record
    steps = field.split(".", 2) if field.startswith("customer.attributes.") else field.split(".", 1)
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else getattr(found, step, None)
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, datetime):
        return f"{found:%d %b %Y, %H:%M}"
    return "" if found is None else example(found)
