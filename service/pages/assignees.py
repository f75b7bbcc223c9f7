"""Who work can be given to, and what is said of a name that is nobody's."""

from collections.abc import Collection
from difflib import get_close_matches

from sqlalchemy import text
from sqlmodel import Session, col, select

from service.deliver.plain_text import one_line
from service.route.policy import people_of
from service.route.versions import active_version, fetch
from service.store.tables import User

_MOST = 1_000  # accounts, and owners of open work, that are looked at
# One index step a name, however many items there are.
_OWNERS = text(
    """WITH RECURSIVE one AS (
        (SELECT owner FROM work_item WHERE owner IS NOT NULL ORDER BY owner LIMIT 1)
        UNION ALL
        SELECT (SELECT w.owner FROM work_item w WHERE w.owner > one.owner ORDER BY w.owner LIMIT 1)
        FROM one WHERE one.owner IS NOT NULL
    ) SELECT owner FROM one WHERE owner IS NOT NULL AND EXISTS (
        SELECT FROM work_item w WHERE w.owner = one.owner AND w.status IN ('open', 'acknowledged', 'waiting')
    ) LIMIT :most"""
)


def people(session: Session) -> list[str]:
    """Who work can be given to: the groups of the active policy, the accounts, and everybody who has open work."""
    accounts = session.exec(select(User.name).where(col(User.active)).order_by(col(User.name)).limit(_MOST))
    owners = session.execute(_OWNERS, {"most": _MOST}).scalars()
    return sorted({*people_of(fetch(session, active_version(session))), *accounts, *owners})


def nobody_called(name: str, known: Collection[str]) -> str | None:
    """Say that nobody known has this name, and who may be meant; None where somebody has it."""
    if name in known:
        return None
    by_folded = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), by_folded, 1) if len(name) <= 64 else []
    meant = f" Do you mean {one_line(by_folded[near[0]], 128)}?" if near else ""
    return f"There is no {one_line(name, 128)} here.{meant}"
