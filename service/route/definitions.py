"""What a policy defines for its rules to name: fields and thresholds."""

import keyword
import unicodedata
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar, cast

from calibration.promise import Promise
from models.prediction import SENTIMENTS, TYPES, URGENCIES, Axis
from service.route.case import FIELDS, OPEN_FIELDS, FieldType
from service.route.findings import Findings
from service.route.marked import Scalar, Table
from service.route.policy import Threshold
from service.route.section import Section, plain_text
from service.route.suggestion import did_you_mean

Made = TypeVar("Made")
_TYPES = ("text", "number", "boolean")


def named_tables(table: Table | None, findings: Findings) -> Iterator[tuple[Scalar, Table]]:
    """Yield the definitions of a section, name and mapping."""
    for key, part in table.entries if table else ():
        plain_text(Scalar(key.mark, key.text, '"'), "a name", findings)
        if isinstance(part, Table):
            yield key, part
        else:
            findings.error(part.mark, f"{key.text} is a mapping")


def each(table: Table | None, findings: Findings, read: Callable[[Scalar, Table], Made | None]) -> dict[str, Made]:
    made = {key.text: read(key, part) for key, part in named_tables(table, findings)}
    return {name: value for name, value in made.items() if value is not None}


def read_fields(table: Table | None, findings: Findings) -> dict[str, FieldType]:
    """Read `fields`: the open fields that rules may use, with their types."""
    declared = dict[str, FieldType]()
    for key, part in table.entries if table else ():
        kind = part.value if isinstance(part, Scalar) else None
        name = next((key.text.removeprefix(prefix) for prefix in OPEN_FIELDS if key.text.startswith(prefix)), None)
        if key.text in FIELDS:
            findings.error(key.mark, f"{key.text} is always there and needs no declaration")
        elif name is None:
            findings.error(key.mark, f"only context.X and customer.attributes.X are declared, not {key.text}")
        elif not name.isidentifier() or keyword.iskeyword(name) or unicodedata.normalize("NFKC", name) != name:
            findings.error(key.mark, f"rules cannot spell {name}: a name is letters, digits and _, no word of Python")
        elif kind not in _TYPES:
            meant = did_you_mean(str(kind), _TYPES)
            findings.error(part.mark, f"the type of {key.text} is text, number or boolean", meant)
        else:
            declared[key.text] = cast("FieldType", kind)
    return declared


def labels_of(axis: str, topics: Collection[str]) -> Collection[str]:
    """Give the labels an axis knows."""
    return {"sentiment": SENTIMENTS, "type": TYPES, "urgency": URGENCIES, "topic": topics}[axis]


def read_thresholds(table: Table | None, topics: Collection[str], findings: Findings) -> dict[str, Threshold]:
    """Read `thresholds`."""

    def read(_key: Scalar, part: Table) -> Threshold | None:
        needed = ("axis", "label")
        section = Section(part, findings, (*needed, "promise", "uncertified"), needed)
        axis, label = section.choice("axis", ("sentiment", "topic", "type", "urgency")), section.text("label")
        if axis is not None and label is not None and label not in (known := labels_of(axis, topics)):
            detail = f"the axis {axis} has no label {label}"
            findings.error(section.mark("label"), detail, did_you_mean(label, known))
        promise = _promise(section.section("promise"), findings)
        value = section.number("uncertified")
        if value is not None and not 0 <= value <= 1:
            findings.error(section.mark("uncertified"), "a threshold is a probability from 0 to 1")
        if axis is None or label is None:
            return None
        return Threshold(axis=cast("Axis", axis), label=label, promise=promise, uncertified=value)

    return each(table, findings, read)


def _promise(table: Table | None, findings: Findings) -> Promise | None:
    if table is None:
        return None
    keys = ("precision", "confidence")
    section = Section(table, findings, keys, keys)
    precision, confidence = section.number("precision"), section.number("confidence")
    if precision is None or confidence is None:
        return None
    try:
        return Promise(precision, confidence)
    except ValueError as error:
        wrong = "precision" if str(error).startswith("precision") else "confidence"
        findings.error(section.mark(wrong), str(error))
        return None


def uncertified_words(name: str, threshold: Threshold) -> str:
    """What the author of a threshold without a certificate should know."""
    promise, value = threshold.promise, threshold.uncertified
    used = "its rules go to review" if value is None else f"{value:g} is used"
    if promise is None:
        return f"threshold {name} has no promise, so it can never be certified; {used}"
    return (
        f"threshold {name} is uncertified: its promise (precision {promise.precision:g} at confidence "
        f"{promise.confidence:g}) needs at least {promise.labels_needed()} blind labels; until then {used}"
    )
