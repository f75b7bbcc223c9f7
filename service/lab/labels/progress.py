"""Progress: how far the labels of samples have come, in numbers alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class Progress:
    """Cards by how they stand, and what people said about them and stand by."""

    open: int = 0
    third: int = 0
    disputed: int = 0
    settled: int = 0
    gone: int = 0
    labels: int = 0
    people: int = 0


def progress(session: Session, samples: Sequence[UUID]) -> Mapping[UUID, Progress]:
    """How far each of these samples has come."""
    found: dict[UUID, dict[str, int]] = {one: {} for one in samples}
    for sample, state, many in session.execute(_CARDS, {"samples": list(samples)}):
        found[sample][state] = many
    for sample, labels, people in session.execute(_LABELS, {"samples": list(samples)}):
        found[sample] |= {"labels": labels, "people": people}
    return {sample: Progress(**numbers) for sample, numbers in found.items()}


_CARDS = text("""
    SELECT sample_id, state, count(*) FROM label_card
    WHERE sample_id = ANY(CAST(:samples AS uuid[])) GROUP BY sample_id, state
""")
_LABELS = text("""
    SELECT c.sample_id, count(*), count(DISTINCT l.rater) FROM human_label l JOIN label_card c ON c.id = l.card_id
    WHERE c.sample_id = ANY(CAST(:samples AS uuid[])) AND l.undone_at IS NULL AND l.skip IS NULL GROUP BY c.sample_id
""")
