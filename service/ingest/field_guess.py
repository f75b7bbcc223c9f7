"""A first guess at which column holds which field: by the columns' names, checked against their values."""

import re
from collections.abc import Callable, Mapping, Sequence

from service.ingest.cells import Unusable, amount, flag, score
from service.ingest.field_names import as_name, is_score, is_text, known, like_id, like_time
from service.ingest.field_places import place_of
from service.ingest.moments import moment

_ENOUGH = 0.8  # of a column's values: a few of them may say "n/a"
_NEARLY_ALL = 0.95  # of the rows, in a column that is named as their id
_LONG = 50  # characters, on average, of what people wrote
_VERY_LONG = 200  # of one value: a name or a place is never that long
_LONGEST_ID = 256
_MOST_CONTEXT = 50
_MOST_VERBATIMS = 100
_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")

Values = Sequence[object]
Sample = Sequence[Mapping[str, object]]


def guess(columns: Sequence[str], sample: Sample) -> dict[str, str]:
    """Our field -> column, as far as names and values tell.

    Args:
        columns: of the file, in its order.
        sample: its first rows.
    """
    values = {column: _filled(column, sample) for column in columns}
    own = [column for column in columns if place_of(column)]
    # One dotted name, and these are records of the contract: their fields are what they say.
    chosen = {column: column for column in own} if any("." in column for column in own) else {}
    _take_named(chosen, values, len(sample))
    _take_likely(chosen, values, len(sample))
    _take_verbatims(chosen, values)
    _take_rest(chosen, values)
    return chosen


def _filled(column: str, sample: Sample) -> Values:
    found = (row.get(column) for row in sample)
    return [value for value in found if value is not None and not (isinstance(value, str) and not value.strip())]


def _left(chosen: Mapping[str, str], values: Mapping[str, Values]) -> list[str]:
    taken = set(chosen.values())
    return [column for column in values if column not in taken]


def _take_named(chosen: dict[str, str], values: Mapping[str, Values], rows: int) -> None:
    """Columns whose names say what they hold, the most telling names first."""
    told = [(found, column) for column in _left(chosen, values) if (found := known(column))]
    for (field, _), column in sorted(told, key=lambda one: one[0][1]):
        if field not in chosen and _fits(field, values[column], rows):
            chosen[field] = column


def _take_likely(chosen: dict[str, str], values: Mapping[str, Values], rows: int) -> None:
    """Columns whose names say less: some score, some id, some time."""
    for column in _left(chosen, values):
        here = values[column]
        if is_score(column):
            field = next((one for one in ("scores.csat", "scores.nps") if here and _fits(one, here, rows)), None)
        elif like_id(column):
            field = "external_id" if len(here) == rows and _tells_apart(here, rows) else None
        else:
            field = "submitted_at" if like_time(column) and here and _fits("submitted_at", here, rows) else None
        if field and field not in chosen:
            chosen[field] = column


def _take_verbatims(chosen: dict[str, str], values: Mapping[str, Values]) -> None:
    """Columns that people wrote into: so named, asked as a question, or long."""
    taken = sum(field.startswith("verbatims.") and field.endswith(".text") for field in chosen)
    texts = [column for column in _left(chosen, values) if _written(column, values[column])]
    for number, column in enumerate(texts[: _MOST_VERBATIMS - taken], taken):
        chosen[f"verbatims.{number}.text"] = column
    if "verbatims.0.text" not in chosen:
        chosen.pop("verbatims.0.question", None)


def _take_rest(chosen: dict[str, str], values: Mapping[str, Values]) -> None:
    room = _MOST_CONTEXT - sum(field.startswith("context.") for field in chosen)
    for column in _left(chosen, values)[: max(room, 0)]:
        name = plain = as_name(column)
        number = 1
        while f"context.{name}" in chosen:
            number += 1
            name = f"{plain}_{number}"
        chosen[f"context.{name}"] = column


def _written(column: str, here: Values) -> bool:
    texts = [value for value in here if isinstance(value, str) and not _reads(amount, value)]
    if len(texts) < _ENOUGH * len(here):
        return False
    if is_text(column):
        return True
    if not texts:
        return False
    wordy = sum(" " in value.strip() for value in texts) >= len(texts) / 2
    asked = column.rstrip().endswith("?") and len(set(texts)) > len(texts) / 2
    average = sum(map(len, texts)) / len(texts)
    return wordy and (asked or average > _LONG or max(map(len, texts)) > _VERY_LONG)


def _reads(read: Callable[[object], object], value: object) -> bool:
    try:
        read(value)
    except Unusable:
        return False
    return True


def _share(fits: Callable[[object], bool], here: Values) -> bool:
    return sum(map(fits, here)) >= _ENOUGH * len(here)


def _on_scale(low: int, high: int, *, whole: bool = False) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        try:
            number = score(value)
        except Unusable:
            return False
        return low <= number <= high and not (whole and number % 1)

    return fits


def _short(value: object) -> bool:
    return len(str(value)) <= _LONGEST_ID


_FITS: Mapping[str, Callable[[object], bool]] = {
    "revision": _on_scale(1, 2**31 - 1, whole=True),
    "language": lambda value: bool(_TAG.fullmatch(str(value).strip())),
    "scores.nps": _on_scale(0, 10, whole=True),
    "scores.csat": _on_scale(1, 5),
    "scores.stars": _on_scale(1, 5),
    "scores.ces": _on_scale(1, 7),
    "customer.email": lambda value: "@" in str(value),
    "customer.account_value": lambda value: _reads(amount, value),
    "consent.contact": lambda value: _reads(flag, value),
}


def _tells_apart(here: Values, least: float) -> bool:
    return len({str(value).strip() for value in here}) >= least and all(map(_short, here))


def _fits(field: str, here: Values, rows: int) -> bool:
    """Whether the values of a column can be those of a field."""
    if field == "external_id":
        # what it is called says so: a row without an id is told of, and need not cost the other rows theirs
        return len(here) >= _NEARLY_ALL * rows and _tells_apart(here, _NEARLY_ALL * len(here))
    if field == "submitted_at":  # one odd value, and the column is kept as it is: a wrong time would cost whole rows
        return all(_reads(moment, value) for value in here)
    return _share(_FITS.get(field, _short), here)
