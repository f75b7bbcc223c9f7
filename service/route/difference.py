"""What differs between two policies, part by part and field by field, and the same in sentences. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from calibration.promise import Promise
from service.route import difference_words as words
from service.route.clock_words import interval_words
from service.route.clocks import Duration, Interval
from service.route.expression import FieldOf, Shape, text_of
from service.route.policy import Named, Policy

Kind = Literal["added", "removed", "changed", "moved"]
SECTIONS = ("rules", "bypass", "slas", "calendars", "groups", "thresholds", "fields", "examples")
_SINGLE = ("name", "review", "fallback")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field, spelled as the document does; None where it is not there. `then.sla`, `tiers.gold.resolve`."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one named part. `section` is the document's key, `policy` for its single values."""

    section: str
    name: str
    kind: Kind
    fields: tuple[FieldChange, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes, section by section, in the order of the newer policy; nothing where both say the same."""

    changes: tuple[Change, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it in plain English."""
        return tuple(sentence for change in self.changes for sentence in change.sentences)


def difference(before: Policy, after: Policy) -> Difference:
    """Compare what two policies say; how their documents are laid out does not count."""
    changes = [*_single(before, after)]
    for section in SECTIONS:
        changes += _named(section, _parts(before, section), _parts(after, section), before, after)
        if section in words.ORDERED:
            changes += _moved(section, list(_parts(before, section)), list(_parts(after, section)))
    return Difference(tuple(changes))


def _parts(policy: Policy, section: str) -> Mapping[str, object]:
    held: object = getattr(policy, section)
    return held if isinstance(held, Mapping) else {one.name: one for one in getattr(policy, section)}


def _single(before: Policy, after: Policy) -> Iterator[Change]:
    for name in _SINGLE:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            fields = (FieldChange(name, old, new),)
            yield Change(
                "policy", name, "changed", fields, words.single(name, old, new, after.fallback or after.review)
            )


def _named(
    section: str, old: Mapping[str, object], new: Mapping[str, object], before: Policy, after: Policy
) -> Iterator[Change]:
    for previous, (name, part) in zip([None, *new], new.items(), strict=False):
        if name not in old:
            fields = _compared({}, _spelled(part))
            yield Change(section, name, "added", fields, words.added(section, name, part, previous))
        elif part != old[name]:
            fields = _compared(_spelled(old[name]), _spelled(part))
            yield Change(section, name, "changed", fields, words.changed(section, name, old[name], part, before, after))
    for name in old:
        if name not in new:
            yield Change(
                section, name, "removed", _compared(_spelled(old[name]), {}), words.removed(section, name, old[name])
            )


def _moved(section: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    """Parts that stand elsewhere among those both policies have."""
    ours, theirs = [name for name in old if name in new], [name for name in new if name in old]
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    kept = {name for block in matcher.get_matching_blocks() for name in theirs[block.b : block.b + block.size]}
    for name in theirs:
        if name not in kept:
            fields = (FieldChange("place", str(old.index(name) + 1), str(new.index(name) + 1)),)
            following = new[new.index(name) + 1 :]
            yield Change(
                section, name, "moved", fields, words.moved(section, name, following[0] if following else None)
            )


def _compared(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[FieldChange, ...]:
    names = dict.fromkeys([*new, *old])
    return tuple(FieldChange(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def _spelled(part: object) -> dict[str, str]:
    return dict(_flat("", part))


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    """Every value inside, with its path and as the document spells it; what says nothing is left out."""
    if value is None or value is False or value in ((), {}):
        return
    simple = _simple(value)
    if simple is not None:
        yield path or ("group" if isinstance(value, Named) else "type"), simple
        return
    for key, inner in _inside(value):
        here = f"{path}.{key}" if path else key
        if key == "when":
            yield here, text_of(inner)
        else:
            yield from _flat(here, inner)


def _inside(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(key), inner) for key, inner in value.items())
    elif isinstance(value, Shape):
        names = (name for name in type(value).model_fields if name not in {"name", "kind"})
        yield from ((name, getattr(value, name)) for name in names)
    elif isinstance(value, Sequence):
        yield from ((str(number), inner) for number, inner in enumerate(value, 1))


def _simple(value: object) -> str | None:
    """A value that is one word or a list of words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, Duration):
        return f"{value.amount}{value.unit}"
    if isinstance(value, Interval):
        return interval_words(value)
    if isinstance(value, FieldOf | Named):
        return value.name
    if isinstance(value, Promise):
        return f"precision {value.precision:g} at confidence {value.confidence:g}"
    if isinstance(value, Sequence):
        parts = [_simple(inner) for inner in value]
        said = [part for part in parts if part is not None]
        return ", ".join(said) if len(said) == len(parts) else None
    return None
