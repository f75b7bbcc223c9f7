"""Labels gathered into questions ('is this negative?') and items: one per distinct text, with everybody's answers."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from calibration.labels.label import Fault, InvalidLabels, Label, Pool

_ABOUT_THE_ITEM = ("text", "probability", "pool", "inclusion_probability", "source", "language")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person said: right, wrong, or None for not sure.

    `adjudicated` if it settled a dispute, `tiebreak` if it was asked for only since others differed or doubted. `blind`
    is None where the file does not say. A person who saw the item twice has two answers: the repeat measures the
    person, it is no second opinion.
    """

    rater: str
    right: bool | None
    blind: bool | None
    adjudicated: bool
    tiebreak: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One distinct text. `ids` are all records that hold it, in order; the facts are those of the first."""

    ids: tuple[str, ...]
    text: str
    probability: float
    pool: Pool | None
    inclusion_probability: float | None
    source: str
    language: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that was answered about one label of one axis. `duplicates` counts records whose text was there."""

    axis: str
    label: str
    items: tuple[Item, ...]
    duplicates: int


def questions(labels: Sequence[Label]) -> tuple[Question, ...]:
    """Labels by axis and label, sorted; equal texts of one pool are one item, since two copies are no two proofs.

    Texts are equal when they are after NFKC, case folding and collapsing of spaces; an empty text equals only itself.
    Answers to copies count as answers to the one item. The order of the labels does not matter.

    Source: copies of a text are a cluster, and a cluster is no sample of its size: L. Kish, "Survey Sampling" (1965).

    Raises:
        InvalidLabels: two rows about the same id, axis and label tell different things about the item.

    >>> late = [Label(str(n), "Too  LATE" if n else "too late", "topic", "delivery", 0.9, True) for n in range(2)]
    >>> [(one.label, len(one.items), one.duplicates) for one in questions(late)]
    [('delivery', 1, 1)]
    """
    asked: defaultdict[tuple[str, str], list[Label]] = defaultdict(list)
    for label in labels:
        asked[label.axis, label.label].append(label)
    if faults := [fault for together in asked.values() for fault in _contradictions(together)]:
        raise InvalidLabels(faults)
    raters = _spellings(labels)
    return tuple(_question(axis, name, asked[axis, name], raters) for axis, name in sorted(asked))


def _spellings(labels: Iterable[Label]) -> dict[str, str]:
    """One spelling for each rater: "Ana" and "ana" are no two people who agree with each other."""
    spelled: dict[str, str] = {}
    for name in sorted({label.rater for label in labels}):
        spelled.setdefault(name.casefold(), name)
    return spelled


def _question(axis: str, name: str, labels: Sequence[Label], raters: Mapping[str, str]) -> Question:
    by_id: defaultdict[str, list[Label]] = defaultdict(list)
    for label in labels:
        by_id[label.id].append(label)
    copies: defaultdict[tuple[Pool | None, str], list[str]] = defaultdict(list)
    for identity in sorted(by_id):
        first = by_id[identity][0]
        copies[first.pool, _normal(first.text) or f"\0{identity}"].append(identity)
    items = tuple(_item([by_id[one] for one in identities], raters) for identities in copies.values())
    return Question(axis, name, items, duplicates=len(by_id) - len(items))


def _item(copies: Sequence[Sequence[Label]], raters: Mapping[str, str]) -> Item:
    first = copies[0][0]
    answers = [
        Answer(raters[one.rater.casefold()], one.human, one.blind, one.adjudicated, one.tiebreak)
        for copy in copies
        for one in copy
    ]
    return Item(
        ids=tuple(copy[0].id for copy in copies),
        answers=tuple(sorted(answers, key=_order)),
        **{name: getattr(first, name) for name in _ABOUT_THE_ITEM},
    )


def _order(answer: Answer) -> tuple[str, str, str, bool, bool]:
    return answer.rater, str(answer.right), str(answer.blind), answer.adjudicated, answer.tiebreak


def _contradictions(labels: Iterable[Label]) -> Iterator[Fault]:
    """Each id of which two rows tell different things, once for each column."""
    first: dict[str, Label] = {}
    told: set[tuple[str, str]] = set()
    for label in labels:
        other = first.setdefault(label.id, label)
        for column in _ABOUT_THE_ITEM:
            here, there = getattr(other, column), getattr(label, column)
            if here != there and (label.id, column) not in told:
                told.add((label.id, column))
                both = f"{_short(here)} and {_short(there)}"
                yield Fault(0, column, f"id {_short(label.id)}, {label.axis}:{label.label} says {both}: one is wrong")


def _short(value: object) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 60 else shown[:59] + "…"


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
