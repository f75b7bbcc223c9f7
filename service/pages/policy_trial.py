"""`/policies/try`: which of the newest answers each rule of a document would be true for, while it is being written."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from service.pages import found
from service.pages.found import Record
from service.preview import MOST_LOOKED_AT, Preview, preview
from service.route.certificates import Gate, gates
from service.route.expression import Expression, Matches, clauses
from service.route.policy import Policy
from service.store.tables import now

DAYS = 7
_SHOWN = 3
_SEARCHED = 5_000  # answers that are searched for a pattern, which takes ten times as long as asking the database
_SECONDS = 4  # for all rules together; those that were not reached are asked one by one
_CANCELLED = "57014"


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule or a bypass and the answers its condition is true for; None where there was no time to look."""

    name: str
    kind: str
    seen: Preview | None
    newest: Sequence[Record] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """All that were tried, in the order of the document."""

    rules: Sequence[Tried]

    @property
    def said(self) -> str:
        """The outcome in one line, for those who hear it."""
        return "; ".join(f"{one.name}: {one.seen.matching:,}" for one in self.rules[:5] if one.seen) or "Not looked at."


def tried(session: Session, policy: Policy, only: Collection[str]) -> Trial:
    """Ask the newest answers of the last days about each rule and bypass, or about `only` those of these names.

    Every condition is asked alone: what a rule before it makes, or that it stops there, does not count. Nothing that
    the session held before is kept.
    """
    values = gates(session).over(policy)
    named = [("rule", one.name, one.when) for one in policy.rules]
    named += [("bypass", one.name, one.when) for one in policy.bypass]
    wanted = [one for one in named if not only or one[1] in only]
    seen = dict(_asked(session, sorted(wanted, key=lambda one: _searches(one[2])), values))
    newest = [feedback_id for one in seen.values() for feedback_id in one.newest]
    records: Mapping[UUID, Record] = found.by_ids(session, newest) if newest else {}
    return Trial([_tried(kind, name, seen.get((kind, name)), records) for kind, name, _ in named])


def _tried(kind: str, name: str, seen: Preview | None, records: Mapping[UUID, Record]) -> Tried:
    return Tried(name, kind, seen, [records[key] for key in seen.newest if key in records] if seen else ())


def _searches(when: Expression) -> bool:
    return any(isinstance(clause, Matches) for clause in clauses(when))


def _asked(
    session: Session, named: Sequence[tuple[str, str, Expression]], values: Mapping[str, Gate]
) -> Iterator[tuple[tuple[str, str], Preview]]:
    """Each condition with its answer, as long as there is time; one that takes too long has none."""
    since, end = now() - timedelta(days=DAYS), time.monotonic() + _SECONDS
    for kind, name, when in named:
        left = end - time.monotonic()
        if left <= 0:
            return
        try:
            session.execute(text(f"SET LOCAL statement_timeout = {max(int(left * 1_000), 100)}"))
            most = _SEARCHED if _searches(when) else MOST_LOOKED_AT
            yield (kind, name), preview(session, when, values, since, _SHOWN, most)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _CANCELLED:
                raise
        finally:
            session.rollback()  # ends what was set for this one look
