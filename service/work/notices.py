"""What people are told: on the pages, and by a destination of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class News:
    """Something a person is to be told about an item, once; `any_hour`: also outside their hours."""

    person: str
    kind: str
    words: str
    once_key: str
    item: UUID | None = None
    harm: float = 0
    level: int | None = None
    any_hour: bool = False


def tell(session: Session, news: Sequence[News], at: datetime) -> None:
    """Note what people are to be told from `at` on; the caller commits."""
