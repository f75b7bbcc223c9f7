"""Rater: who labels, and whether what they say can be blind."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from service.people.access import Caller


@dataclass(frozen=True, slots=True)
class Rater:
    """Somebody who labels. `blind`: no answer heed gives their roles holds a model's output."""

    name: str
    blind: bool


def rater_of(session: Session, caller: Caller) -> Rater:
    """Who labels; only a reviewer who is nothing else, by no key or account of that name, has not seen the answers."""
    blind = caller.roles == {"reviewer"} and session.execute(_SEES_MORE, {"name": caller.name}).first() is None
    return Rater(caller.name, blind)


_SEES_MORE = text("""
    SELECT 1 FROM "user" WHERE name = :name AND active AND roles <> ARRAY['reviewer']
    UNION ALL
    SELECT 1 FROM api_key WHERE name = :name AND revoked_at IS NULL AND role <> 'reviewer' LIMIT 1
""")
