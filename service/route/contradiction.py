"""Conditions that no record can make true, proved from what single fields can be; pure.

A condition is taken apart into what would have to be so for it to be definitely true. What cannot be proved in 500
steps, or of all pairs of rules together in 50,000, passes: this finds mistakes, it does not decide logic.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from operator import length_hint
from typing import NamedTuple

from service.route.expression import And, Expression, Fixed, Holds, Known, Not, Or, clauses, operand_text, operands
from service.route.policy import Rule
from service.route.possible import Needed, never_related, relation, why_impossible

_MOST_STEPS = 500
_MOST_IN_ALL = 50_000  # about a second; without it 200 long rules took 15


class _Every(NamedTuple):
    parts: tuple["_Needs", ...]


class _Some(NamedTuple):
    parts: tuple["_Needs", ...]


_Needs = Needed | _Every | _Some


class _TooLong(Exception):
    """The proof would take more steps than a check at publish may."""


def never_true(tree: Expression) -> str | None:
    """Say why no record can make a condition true, or None where one may (or where that takes too long to tell)."""
    return _refuted(_true(tree, wanted=True), iter(range(_MOST_STEPS)))


def implies(narrow: Expression, wide: Expression) -> bool:
    """Say whether a record that makes the first condition true makes the second true; False also where unproved."""
    if not _looked_at(wide) <= _looked_at(narrow):
        return False  # it asks something more, or what only a search through all cases could tell
    return _implies(narrow, wide, iter(range(_MOST_STEPS)))


def _implies(narrow: Expression, wide: Expression, steps: Iterator[int]) -> bool:
    needs = _Every((_true(narrow, wanted=True), _untrue(wide, wanted=True)))
    return narrow == wide or _refuted(needs, steps) is not None


class Shadow(NamedTuple):
    """A rule that can never fire, and the earlier one in whose shadow it stands."""

    late: Rule
    early: Rule

    @property
    def words(self) -> str:
        late, early = self.late.name, self.early.name
        why = "which stops there" if self.early.stop else f"which makes the {self.late.then.create}"
        return f"rule {late} can never fire: whenever it is true, so is {early} before it, {why}"


def shadows(rules: Sequence[Rule]) -> Iterator[Shadow]:
    """Yield each rule that can never fire because of an earlier one, once; it may still come under review.

    Where a policy takes too many steps, its later rules are not looked at.
    """
    steps, looked = iter(range(_MOST_IN_ALL)), [_looked_at(rule.when) for rule in rules]
    for index, late in enumerate(rules):
        if length_hint(steps) == 0:
            return
        for number, early in enumerate(rules[:index]):
            superseded = early.then.create == late.then.create and not late.stop
            asks_no_more = (early.stop or superseded) and looked[number] <= looked[index]
            if asks_no_more and _implies(late.when, early.when, islice(steps, _MOST_STEPS)):
                yield Shadow(late, early)
                break


def _looked_at(tree: Expression) -> set[str]:
    return {operand_text(one) for clause in clauses(tree) for one in operands(clause) if not isinstance(one, Fixed)}


def _true(tree: Expression, *, wanted: bool) -> _Needs:
    """What must be so for a tree to be definitely as wanted."""
    if isinstance(tree, Not):
        return _true(tree.item, wanted=not wanted)
    if isinstance(tree, And | Or):
        joined = _Every if isinstance(tree, And) is wanted else _Some
        return joined(tuple(_true(item, wanted=wanted) for item in tree.items))
    return Needed(tree, wanted)


def _untrue(tree: Expression, *, wanted: bool) -> _Needs:
    """What must be so for a tree not to be definitely as wanted: the opposite, or unknown for want of a value."""
    if isinstance(tree, Not):
        return _untrue(tree.item, wanted=not wanted)
    if isinstance(tree, And | Or):
        joined = _Some if isinstance(tree, And) is wanted else _Every
        return joined(tuple(_untrue(item, wanted=wanted) for item in tree.items))
    missing = () if isinstance(tree, Known) else tuple(one for one in operands(tree) if not isinstance(one, Fixed))
    return _Some((Needed(tree, not wanted), *(Needed(None, True, one) for one in missing)))  # noqa: FBT003 - a truth


def _refuted(needs: _Needs, steps: Iterator[int]) -> str | None:
    try:
        return _contradiction([needs], (), steps)
    except _TooLong:
        return None


def _contradiction(open_ones: list[_Needs], facts: tuple[Needed, ...], steps: Iterator[int]) -> str | None:
    """Try each way to meet what is open; None as soon as one works, else why the first did not."""
    if next(steps, None) is None:
        raise _TooLong
    waiting = list[_Some]()
    open_ones = list(open_ones)
    while open_ones:
        one = open_ones.pop(0)
        if isinstance(one, _Every):
            open_ones = [*one.parts, *open_ones]
        elif isinstance(one, _Some):
            waiting.append(one)
        else:
            facts = (*facts, one)
            if (reason := _clash(facts)) is not None:
                return reason
    if not waiting:
        return None
    first, *others = waiting
    reasons = list[str]()
    for part in first.parts:
        reason = _contradiction([part, *others], facts, steps)
        if reason is None:
            return None
        reasons.append(reason)
    return "; ".join(dict.fromkeys(reasons[:3])) or "an empty `or` is never true"


def _clash(facts: Sequence[Needed]) -> str | None:
    """Why the newest need cannot be met together with the others."""
    newest = facts[-1]
    if isinstance(newest.clause, Holds) and isinstance(newest.clause.item, Fixed):
        return None if (newest.clause.item.value is True) is newest.wanted else f"{newest.words} is never true"
    for seen in newest.seen:
        reason = why_impossible(seen, [need for need in facts if seen in need.seen])
        if reason is not None:
            return reason
    return _unrelated(newest, facts)


def _unrelated(newest: Needed, facts: Sequence[Needed]) -> str | None:
    compared = relation(newest)
    if compared is None:
        return None
    one, other, _ = compared
    alike = [(need, found[2]) for need in facts if (found := relation(need)) is not None and found[:2] == (one, other)]
    if not never_related(one, other, [sign for _, sign in alike]):
        return None
    if one == other:
        return f"{operand_text(one)} is compared with itself: {newest.words} is never true"
    return f"{' and '.join(need.words for need, _ in alike)} are never true at once"
