"""Where heed goes wrong about a label: what it takes for what, and the texts behind each pair."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from calibration.certification.gold import settle
from calibration.certification.items import Answer, Item
from service.lab.labels.evidence import stood_by
from service.pages import found
from service.store.lab_tables import Certificate, HumanLabel, LabelCard, LabelSample
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
    told = found.by_ids(session, [one for ids in shown.values() for one in ids[:SHOWN]])
    records = {one: record for one, record in told.items() if record.stage != "withdrawn"}
    return [
        Pair(*pair, count, [records[one] for one in shown[pair][:SHOWN] if one in records])
        for pair, count in sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    ]


def checked_since(session: Session, certificate: Certificate) -> Sequence[UUID]:
    """The samples drawn since a certificate was issued whose answers are shown as they come in."""
    return session.exec(
        select(LabelSample.id).where(
            col(LabelSample.axis) == certificate.axis,
            col(LabelSample.label).is_(None) | (col(LabelSample.label) == certificate.label),
            col(LabelSample.pool) == "audit",
            col(LabelSample.created_at) > certificate.issued_at,
            col(LabelSample.classifier) == certificate.classifier,
            col(LabelSample.model_digest) == certificate.model_digest,
        )
    ).all()


def _said(session: Session, cards: Sequence[LabelCard]) -> Mapping[UUID, Sequence[HumanLabel]]:
    standing = select(HumanLabel).where(
        among(HumanLabel.card_id, [card.id for card in cards]),
        *stood_by(),
    )
    said: defaultdict[UUID, list[HumanLabel]] = defaultdict(list)
    for one in session.exec(standing.order_by(col(HumanLabel.id))):
        said[one.card_id].append(one)
    return said


def _part(card: LabelCard, said: Sequence[HumanLabel], label: str, threshold: float) -> _Parted | None:
    """How heed and people part on a settled card; None where they agree about the label."""
    right = _right(card, said, label)
    sure = card.probabilities.get(label, 0.0)
    passes = sure >= threshold
    if right is None or passes == (label in right):
        return None
    likeliest = max(card.probabilities, key=lambda name: card.probabilities[name], default=label)
    instead = f"not sure enough of {label}" if likeliest == label else likeliest
    return _Parted(card.feedback_id, label if passes else instead, ", ".join(right) or _NONE, passes)


def _right(card: LabelCard, said: Sequence[HumanLabel], label: str) -> list[str] | None:
    """The labels that are right by the rule that a run judges by; None where it leaves open whether this one is."""
    gold = {name: settle(_item(card, said, name)).right for name in {label, *card.probabilities}}
    return None if gold[label] is None else sorted(name for name, right in gold.items() if right)


def _item(card: LabelCard, said: Sequence[HumanLabel], name: str) -> Item:
    return Item(
        ids=(str(card.feedback_id),),
        text="",
        probability=card.probabilities.get(name, 0.0),
        pool="audit",
        inclusion_probability=card.inclusion_probability,
        source=card.source,
        language=card.language,
        answers=tuple(
            Answer(one.rater, None if one.unsure else name in one.labels, one.blind, one.adjudicated) for one in said
        ),
    )
