"""The names an expression may mention, and what to say of one that it may not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

from service.route.case import FIELDS, OPEN_FIELDS, FieldType
from service.route.suggestion import did_you_mean


@dataclass(frozen=True, slots=True)
class Names:
    """What an expression may mention beside the published fields: declared fields, thresholds and topics."""

    fields: Mapping[str, FieldType] = field(default_factory=dict)
    thresholds: Collection[str] = ()
    topics: Collection[str] = ()


def field_type(name: str, declared: Mapping[str, FieldType]) -> FieldType | None:
    """Give the type of a published or declared field, None for any other name."""
    return FIELDS[name].type if name in FIELDS else declared.get(name)


def unknown_field(name: str, declared: Mapping[str, FieldType]) -> tuple[str, str | None]:
    """Say why a field cannot be used, and what may have been meant."""
    if name.startswith(OPEN_FIELDS):
        near = did_you_mean(name, declared, likeness=0.85)  # the prefix alone makes any two look alike
        return lacking(name), near or f"declare it, for example under fields: {{{name}: text}}"
    return lacking(name), did_you_mean(name, [*FIELDS, *declared])


def lacking(name: str) -> str:
    """Say in one sentence why a field cannot be used."""
    said = f"{name} is not declared" if name.startswith(OPEN_FIELDS) else f"there is no field {name}"
    foreign = next((sign for sign in name if not sign.isascii()), None)
    return said if foreign is None else f"{said} (its {foreign} is no letter of English: U+{ord(foreign):04X})"


class Function(NamedTuple):
    """A function of the rule language: how it is written, what it gives (a condition is true, false or unknown)."""

    written: str
    gives: Literal["number", "condition", "text"]
    about: str


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "topic": Function('topic("delivery")', "number", "how sure the classifier is that the text is about a topic"),
        "threshold": Function('threshold("negative")', "number", "the value a threshold of this policy has today"),
        "known": Function("known(scores.nps)", "condition", "whether a value is there at all; never unknown itself"),
        "matches": Function(
            'matches(text, "(?i)refund")',
            "condition",
            "whether a pattern (RE2) is found anywhere in the text or in a text field; (?i) ignores case",
        ),
        "any_of": Function(
            "any_of(scores.csat, scores.stars) <= 2",
            "condition",
            "whether one of several is enough: conditions, values in a comparison, or a field and a list of values",
        ),
        "count_recent": Function(
            'count_recent("follow_up", days=30)',
            "number",
            "how many items of a kind were made for this customer in the last 1 to 3650 days; missing without customer",
        ),
        "days_since_last": Function(
            'days_since_last("ticket")',
            "number",
            "the days since the newest item of a kind was made for this customer; missing where there never was one",
        ),
    }
)
TEXT = Function("text", "text", "all that was written in open answers; it can only be searched, with matches()")


class Published(NamedTuple):
    """A line of what rules may use, for people: a field or function, its type, what it is, between which values."""

    written: str
    type: str
    about: str
    low: float | None = None
    high: float | None = None


def published(declared: Mapping[str, FieldType]) -> tuple[Published, ...]:
    """List all that rules may use: the published fields, those a policy declares, the text and the functions."""
    return (
        *(Published(name, one.type, one.about, one.low, one.high) for name, one in FIELDS.items()),
        *(Published(name, kind, "declared by this policy") for name, kind in declared.items()),
        *(Published(one.written, one.gives, one.about) for one in (TEXT, *FUNCTIONS.values())),
    )
