"""The names an expression may mention, and what to say of one that it may not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

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
    return f"{name} is not declared" if name.startswith(OPEN_FIELDS) else f"there is no field {name}"
