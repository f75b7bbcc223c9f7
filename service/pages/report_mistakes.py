"""Where heed goes wrong about a label: what it takes for what, and the texts behind each pair."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from service.pages import found
from service.store.lab_tables import HumanLabel, LabelCard
from service.store.tables import among

SHOWN = 12  # texts of a pair
_NONE = "none of these"


@dataclass(frozen=True, slots=True)
class Pair:
    """So many answers that heed took for one thing and people for another; `records` are some of them.

    `passes`: heed acts on them although it should not; else it does not although it should.
    """

    said: str
    right: str
    passes: bool
    count: int
    records: Sequence[found.Record]


@dataclass(frozen=True, slots=True)
class _Parted:
    feedback_id: UUID
    said: str
    right: str
    passes: bool


def pairs(session: Session, samples: Collection[UUID], label: str, threshold: float) -> list[Pair]:
    """The pairs on which heed, acting from `threshold` on, and people part in these samples; the largest first."""
    cards = session.exec(
        select(LabelCard).where(among(LabelCard.sample_id, samples), col(LabelCard.state) == "settled")
    ).all()
    said = _said(session, cards)
    parted = [one for card in cards if (one := _part(card, said[card.id], label, threshold))]
    counted = Counter((one.said, one.right, one.passes) for one in parted)
    shown = {pair: [one.feedback_id for one in parted if (one.said, one.right, one.passes) == pair] for pair in counted}
    records = found.by_ids(session, [one for ids in shown.values() for one in ids[:SHOWN]])
    return [
        Pair(*pair, count, [records[one] for one in shown[pair][:SHOWN] if one in records])
        for pair, count in sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    ]


def _said(session: Session, cards: Sequence[LabelCard]) -> Mapping[UUID, Sequence[HumanLabel]]:
    standing = select(HumanLabel).where(
        among(HumanLabel.card_id, [card.id for card in cards]),
        col(HumanLabel.undone_at).is_(None),
        col(HumanLabel.skip).is_(None),
        col(HumanLabel.unsure).is_(False),
    )
    said: defaultdict[UUID, list[HumanLabel]] = defaultdict(list)
    for one in session.exec(standing.order_by(col(HumanLabel.id))):
        said[one.card_id].append(one)
    return said


def _part(card: LabelCard, said: Sequence[HumanLabel], label: str, threshold: float) -> _Parted | None:
    """How heed and people part on a settled card; None where they agree about the label."""
    right = _right(said)
    sure = card.probabilities.get(label, 0.0)
    passes = sure >= threshold
    if right is None or passes == (label in right):
        return None
    likeliest = max(card.probabilities, key=lambda name: card.probabilities[name], default=label)
    instead = f"not sure enough of {label}" if likeliest == label else likeliest
    return _Parted(card.feedback_id, label if passes else instead, ", ".join(right) or _NONE, passes)


def _right(said: Sequence[HumanLabel]) -> list[str] | None:
    """The labels that are right: as an adjudicator decided, else as most who answered blind say; None: nobody did."""
    decided = [one for one in said if one.adjudicated]
    if decided:
        return sorted(decided[-1].labels)
    blind = [one for one in said if one.blind]
    votes = Counter(label for one in blind for label in set(one.labels))
    return sorted(label for label, count in votes.items() if 2 * count > len(blind)) if blind else None
