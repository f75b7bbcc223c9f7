"""labels.csv: a row per item, label and rater, read with the place of every mistake, and written."""

import csv
import io
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar, cast

from calibration.labels.label import POOLS, Fault, InvalidLabels, Label, Pool

REQUIRED = ("id", "text", "axis", "label", "probability", "human")
OPTIONAL = ("rater", "pool", "inclusion_probability", "blind", "source", "language", "adjudicated", "tiebreak")
DELIMITERS = (",", ";", "\t")
LONGEST_CELL = 1_000_000  # characters; a text is at most 100,000
_ANSWERS = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
T = TypeVar("T")


def read_csv(raw: bytes) -> list[Label]:
    r"""The labels of a CSV file in UTF-8, with commas, semicolons or tabs between its columns.

    Columns `id,text,axis,label,probability,human`; optional `rater,pool,inclusion_probability,blind,source,language,
    adjudicated,tiebreak`, in any order; others are ignored. `human` is 1, 0 or empty for 'not sure'; `pool` is `audit`,
    `targeted` or empty; `blind`, `adjudicated` and `tiebreak` are 1, 0 or empty. For 1 and 0
    `1.0` and `true` will do as well, as other programs write them.

    Raises:
        InvalidLabels: with the row and column of every mistake.

    >>> read_csv(b"id,text,axis,label,probability,human\nr-1,Late again,sentiment,negative,0.93,1")[0].human
    True
    """
    rows = _rows(_decoded(raw))
    header = [name.strip().casefold() for name in next(rows, [])]
    _check_header(header)
    labels: list[Label] = []
    faults: list[Fault] = []
    for number, cells in enumerate(rows, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            wrong = f"has {len(cells)} cells, the header has {len(header)}"
            faults.append(Fault(number, "", f"{wrong}: put a text that holds a delimiter in double quotes"))
            continue
        row = _Row(number, dict(zip(header, cells, strict=True)), faults)
        label = row.label()
        if not row.bad:
            labels.append(label)
    if not faults and not labels:
        faults.append(Fault(0, "", "holds a header and no labels"))
    if faults:
        raise InvalidLabels(faults)
    return labels


def write_csv(labels: Iterable[Label]) -> bytes:
    """The same labels as a CSV file in UTF-8, every column present.

    >>> write_csv([Label("r-1", "Late", "sentiment", "negative", 0.93, True)]).splitlines()[1]
    b'r-1,Late,sentiment,negative,0.93,1,,,,,,,0,0'
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")  # RFC 4180; after "\n" alone a lone "\r" would go unquoted
    writer.writerow((*REQUIRED, *OPTIONAL))
    writer.writerows([_cell(getattr(label, column)) for column in (*REQUIRED, *OPTIONAL)] for label in labels)
    return file.getvalue().encode()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise InvalidLabels([Fault(row, "", "is not UTF-8: save the file as 'CSV UTF-8'")]) from error


def _rows(text: str) -> Iterator[list[str]]:
    header = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=header.count)
    before = csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error as error:
        hint = ": is a double quote never closed?" if "unexpected end" in str(error) else ""
        raise InvalidLabels([Fault(len(rows) + 1, "", f"is no readable CSV ({error}){hint}")]) from error
    finally:
        csv.field_size_limit(before)
    return iter(rows)


def _check_header(header: Sequence[str]) -> None:
    twice = [name for name, times in Counter(header).items() if times > 1]
    faults = [Fault(1, "", f"the column {_shown(name)} occurs twice in the header") for name in twice]
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        faults.append(Fault(1, "", f"the header lacks {', '.join(missing)}; it needs {','.join(REQUIRED)}"))
    if faults:
        raise InvalidLabels(faults)


class _Row:
    """One row while it is read: each reading notes its fault instead of ending the file."""

    def __init__(self, number: int, cells: Mapping[str, str], faults: list[Fault]) -> None:
        self.number, self.cells, self.faults, self.bad = number, cells, faults, False

    def label(self) -> Label:
        return Label(
            id=self.read("id", self._filled),
            text=self.cells["text"],
            axis=self.read("axis", self._filled),
            label=self.read("label", self._filled),
            probability=self.read("probability", _probability),
            human=self.read("human", _answer),
            rater=self.cells.get("rater", "").strip(),
            pool=self.read("pool", _pool),
            inclusion_probability=self.read("inclusion_probability", _inclusion),
            blind=self.read("blind", _answer),
            source=self.cells.get("source", "").strip(),
            language=self.cells.get("language", "").strip(),
            adjudicated=bool(self.read("adjudicated", _answer)),
            tiebreak=bool(self.read("tiebreak", _answer)),
        )

    def read(self, column: str, reading: Callable[[str], T]) -> T:
        try:
            return reading(self.cells.get(column, "").strip())
        except ValueError as error:
            self.bad = True
            self.faults.append(Fault(self.number, column, str(error)))
            return cast(T, None)  # the row is dropped

    @staticmethod
    def _filled(cell: str) -> str:
        if not cell:
            raise ValueError("is empty")
        return cell


def _number(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    return value


def _probability(cell: str) -> float:
    value = _number(cell)
    if not 0 <= value <= 1:
        point = ", with a point for the comma" if "," in cell else ""
        raise ValueError(f"must be a number from 0 to 1 such as 0.93{point}, not {_shown(cell)}")
    return value


def _inclusion(cell: str) -> float | None:
    if not cell:
        return None
    value = _number(cell)
    if not 0 < value <= 1:
        raise ValueError(f"must be above 0 and at most 1, or empty, not {_shown(cell)}")
    return value


def _answer(cell: str) -> bool | None:
    if not cell:
        return None
    if cell.casefold() not in _ANSWERS:
        raise ValueError(f"must be 1, 0 or empty, not {_shown(cell)}")
    return _ANSWERS[cell.casefold()]


def _pool(cell: str) -> Pool | None:
    if not cell:
        return None
    if cell not in POOLS:
        raise ValueError(f"must be audit, targeted or empty, not {_shown(cell)}")
    return cast(Pool, cell)


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:39] + "…")
