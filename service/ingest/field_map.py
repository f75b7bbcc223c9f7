"""Which column holds which field: guessed from a file, checked, and used to make records of its rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from service.ingest.cells import Unusable, shown
from service.ingest.field_guess import guess
from service.ingest.field_places import FIELDS, Read, place_of
from service.ingest.file_rows import Row
from service.ingest.record import FeedbackRecord, digest_of
from service.ingest.wording import told

__all__ = ["CellError", "FieldMap", "InvalidMap", "check", "guess", "translate"]  # guess: one import for all of a map

FieldMap = Mapping[str, str]  # our field -> column
_MOST_CONTEXT = 50
_LONGEST_QUESTION = 2_000
_UNNAMED = "row"  # stands in for an id until the content is known


class InvalidMap(Exception):
    """The map does not fit the file. Holds every problem as (field, sentence)."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__(" ".join(f"{field}: {detail}" if field else detail for field, detail in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class CellError:
    """Why a row makes no record; `column` is None where it is the row as a whole."""

    row: int
    column: str | None
    detail: str


def check(field_map: FieldMap, columns: Sequence[str]) -> None:
    """Make sure that a map names fields and columns that there are, and enough of them.

    Raises:
        InvalidMap: it does not.
    """
    problems = [*_unknown(field_map, columns), *_clashes(field_map)]
    places = [place for field in field_map if (place := place_of(field))]
    if not any(place.group == "scores" or (place.group, place.key) == ("verbatims", "text") for place in places):
        problems.append(
            ("", "No score and no verbatim is mapped: name a column for verbatims.0.text or for a score (scores.nps).")
        )
    if problems:
        raise InvalidMap(problems)


def _unknown(field_map: FieldMap, columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    there = set(columns)
    for field, column in field_map.items():
        if place_of(field) is None:
            near = [*FIELDS, *(f"{group}.{field.partition('.')[2]}" for group in ("context", "customer.attributes"))]
            yield field, f"There is no such field{_meant(field, near)}: context.NAME takes anything else."
        if column not in there:
            yield field, f"The file has no column {shown(column)}{_meant(column, columns)}."


def _meant(word: str, names: Sequence[str]) -> str:
    close = get_close_matches(word, names, 1) if len(word) <= 100 else []
    return f" (did you mean {shown(close[0])}?)" if close else ""


def _clashes(field_map: FieldMap) -> Iterator[tuple[str, str]]:
    scored: dict[str, str] = {}
    for field, column in field_map.items():
        if field.startswith(("scores.", "verbatims.")) and scored.setdefault(column, field) != field:
            yield field, f"The column {shown(column)} is mapped to {scored[column]}, too: take one of them out."
        if field.endswith(".question") and field.replace(".question", ".text") not in field_map:
            yield field, f"A question needs its answer: map {field.replace('.question', '.text')}, too."
    for prefix in ("context.", "customer.attributes."):
        number = sum(field.startswith(prefix) for field in field_map)
        if number > _MOST_CONTEXT:
            yield prefix + "*", f"{number} columns are mapped here, at most {_MOST_CONTEXT} are kept: take some out."


_Slot = tuple[str, int]  # a group of fields; which of the verbatims
_Part = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A map made ready for a million rows."""

    slots: tuple[_Slot, ...]
    steps: tuple[tuple[str, int, str, Read], ...]  # column, number of the slot, key, how a cell is read
    questions: Mapping[int, str]
    identified: str | None  # the column of the external id


@lru_cache(maxsize=64)
def _plan(items: tuple[tuple[str, str], ...], typed: bool) -> _Plan:  # noqa: FBT001 (a key of the cache, private)
    placed = [(column, place) for field, column in items if (place := place_of(field, typed=typed))]
    slots = sorted({(place.group, place.verbatim) for _, place in placed})
    asked = {place.verbatim for _, place in placed if place.key == "question"}
    return _Plan(
        tuple(slots),
        tuple((column, slots.index((place.group, place.verbatim)), place.key, place.read) for column, place in placed),
        {
            place.verbatim: column[:_LONGEST_QUESTION]
            for column, place in placed
            if place.group == "verbatims" and place.verbatim not in asked and _asks(column)
        },
        dict(items).get("external_id"),
    )


def _asks(column: str) -> bool:
    return " " in column or column.endswith("?")


def translate(row: Row, field_map: FieldMap, *, source: str) -> FeedbackRecord | list[CellError]:
    """Make a record of a row, or tell everything that is wrong with it.

    A cell that is empty is absent. Without a mapped external id, a record is named after its row and its content, so
    that the same file twice makes duplicates.

    Args:
        row: as `file_rows.rows` gives it.
        field_map: as `check` accepts it.
        source: the name of the source; a mapped `source` must say the same.
    """
    if row.wrong is not None:
        return [CellError(row.number, None, row.wrong)]
    plan = _plan(tuple(field_map.items()), row.typed)
    parts, errors = _read(row, plan)
    record, kept = _assembled(parts, plan)
    if "source" in record and record["source"] != source:
        said = f"This row is from the source {shown(record['source'])}, not from '{source}': import it on its own."
        errors.append(CellError(row.number, field_map.get("source"), said))
    record["source"] = source
    if "external_id" not in record:
        if plan.identified is not None and not any(error.column == plan.identified for error in errors):
            errors.append(CellError(row.number, plan.identified, "This row has no id: fill the cell."))
        record["external_id"] = _UNNAMED
    try:
        made = FeedbackRecord.model_validate(record)
    except ValidationError as error:
        return errors + _found(row, field_map, error, kept, alone=not errors)
    if errors:
        return errors
    return made if plan.identified is not None else _named_after(row, made)


def _read(row: Row, plan: _Plan) -> tuple[list[_Part | None], list[CellError]]:
    """The values of the cells, one part for each slot of the plan."""
    parts: list[_Part | None] = [None] * len(plan.slots)
    errors: list[CellError] = []
    cells = row.cells
    for column, slot, key, read in plan.steps:
        cell = cells.get(column)
        if cell is None or (isinstance(cell, str) and (not cell or cell.isspace())):
            continue
        try:
            value = read(cell)
        except Unusable as error:
            errors.append(CellError(row.number, column, str(error)))
            continue
        part = parts[slot]
        if part is None:
            parts[slot] = {key: value}
        else:
            part[key] = value
    return parts, errors


def _assembled(parts: Sequence[_Part | None], plan: _Plan) -> tuple[dict[str, Any], list[int]]:
    """The parts as one record, and which verbatims of the map stand in it."""
    record: dict[str, Any] = {}
    verbatims: list[_Part] = []
    kept: list[int] = []
    for (group, number), part in zip(plan.slots, parts, strict=True):
        if part is None:
            continue
        if group == "verbatims":
            if "text" in part:
                kept.append(number)
                verbatims.append({"question": plan.questions[number], **part} if number in plan.questions else part)
        elif group == "record":
            record.update(part)
        else:
            record[group] = part
    if verbatims:
        record["verbatims"] = verbatims
    if attributes := record.pop("attributes", None):
        record["customer"] = {**record.get("customer", {}), "attributes": attributes}
    return record, kept


def _found(
    row: Row, field_map: FieldMap, error: ValidationError, kept: Sequence[int], *, alone: bool
) -> list[CellError]:
    """What pydantic finds, by column; that a record holds nothing is told only where nothing else is wrong."""
    errors: list[CellError] = []
    for wrong in told(error.errors(include_url=False, include_input=False)):
        steps = [step.replace("~1", "/").replace("~0", "~") for step in wrong.pointer.split("/")[1:]]
        if steps[:1] == ["verbatims"] and len(steps) > 1:
            steps[1] = str(kept[int(steps[1])])
        if steps or alone:
            errors.append(CellError(row.number, field_map.get(".".join(steps)), wrong.detail))
    return errors


def _named_after(row: Row, record: FeedbackRecord) -> FeedbackRecord:
    return record.model_copy(update={"external_id": f"row-{row.number}-{digest_of(record.canonical())[:12]}"})
