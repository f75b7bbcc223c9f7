"""What became of the topics of earlier versions, and old labels read as labels of today."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


class UnknownTopic(ValueError):
    """A label names a topic that no version of the taxonomy knows; the message says which."""


@dataclass(frozen=True, slots=True)
class Step:
    """How the topics of `version` went over into those of the next one.

    `split` maps an old topic to its parts, `merge` a new one to those it was made of, `renamed` an old name to its
    new one; `retired` topics are gone, `added` ones had nothing before them. What is named nowhere stayed as it was.
    """

    version: int
    split: tuple[tuple[str, tuple[str, ...]], ...] = ()
    merge: tuple[tuple[str, tuple[str, ...]], ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    retired: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def before(self) -> tuple[str, ...]:
        """Every old topic that did not stay as it was, as often as the step names it."""
        merged = [old for _, olds in self.merge for old in olds]
        return (*(old for old, _ in self.split), *merged, *(old for old, _ in self.renamed), *self.retired)

    @property
    def after(self) -> tuple[str, ...]:
        """Every topic the step leads to, as often as it is named."""
        parts = [part for _, parts in self.split for part in parts]
        return (*parts, *(new for new, _ in self.merge), *(new for _, new in self.renamed), *self.added)

    def successors(self, topic: str) -> tuple[str | None, ...]:
        """What a topic of before may be afterwards: one topic, the parts of a split one, or None for a retired one."""
        if topic in self.retired:
            return (None,)
        for old, parts in self.split:
            if topic == old:
                return parts
        renamed = dict(self.renamed) | {old: new for new, olds in self.merge for old in olds}
        return (renamed.get(topic, topic),)


@dataclass(frozen=True, slots=True)
class Carried:
    """A text's labels in today's topics: those it has, and those nobody can tell without reading it again."""

    topics: frozenset[str]
    unknown: frozenset[str]


def carry(topics: Collection[str], version: int | None, current: Sequence[str], steps: Sequence[Step]) -> Carried:
    """Labels given under an earlier version as labels under the current one.

    A merged topic becomes its new name. Of a split topic any part may hold, and whether a topic that was added later
    holds was never asked: these are unknown, which is not 'no'. Without a `version` the labels are of today, unless one
    of them is an old name.

    Raises:
        UnknownTopic: a name that neither the current version nor a step knows.
    """
    taken = _steps_since(topics, version, current, steps)
    possible: list[frozenset[str | None]] = [frozenset({topic}) for topic in topics]
    unasked: frozenset[str | None] = frozenset()
    for step in taken:
        possible = [_after(one, step) for one in possible]
        unasked = _after(unasked, step) | frozenset(step.added)
    sure = frozenset(name for one in possible if len(one) == 1 for name in one if name is not None)
    open_ends = frozenset(name for one in [*possible, unasked] for name in one if name is not None) - sure
    strange = sorted((sure | open_ends) - frozenset(current))
    if strange:
        raise UnknownTopic(
            f"no version of the taxonomy has the topic {strange[0]!r}: correct the name, or say under 'replaces' "
            "what became of it"
        )
    return Carried(sure, open_ends)


def _after(names: frozenset[str | None], step: Step) -> frozenset[str | None]:
    return frozenset(new for name in names for new in ((None,) if name is None else step.successors(name)))


def _steps_since(
    topics: Collection[str], version: int | None, current: Sequence[str], steps: Sequence[Step]
) -> Sequence[Step]:
    if version is not None:
        return [step for step in steps if step.version >= version]
    old = frozenset(topics) - frozenset(current)
    starts = [max((place for place, step in enumerate(steps) if name in step.before), default=None) for name in old]
    known = [place for place in starts if place is not None]
    return steps[min(known) :] if known else ()
