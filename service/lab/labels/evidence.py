"""What people said about the cards of samples, as the labels that the statistics judge."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from calibration.labels.label import Label, Pool
from service.classify import words
from service.route.certificates import ReadBy
from service.store.lab_tables import HumanLabel, LabelCard, LabelSample, LabelSlot
from service.store.tables import Classification, Feedback, FeedbackRevision, among

# Whoever has an answer here is heard. An open card is not settled yet, and a card that is gone is nobody's any more;
# one that waits for a third person or an adjudicator stays, and counts as wrong until then: it is one of the hard ones.
# So is an open one that somebody passed on, or who passes the hard ones on would leave a sample of the easy ones.
HEARD = ("settled", "third", "disputed")

Beliefs = Mapping[UUID, Mapping[str, float]]  # by card: the probability of each label of the axis
Believed = Callable[[Sequence[LabelCard]], Beliefs]


@dataclass(frozen=True, slots=True)
class Binding:
    """The way a record is read: whatever was proved, was proved for one of these."""

    classifier: str
    model_digest: str
    taxonomy: str
    preparation: str

    def under(self, calibrator: str) -> ReadBy:
        """The same, corrected by a calibrator."""
        return ReadBy(calibrator=calibrator, **asdict(self))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Labels, one for each card, label of the axis and person, and where they come from.

    `cards` are those that were heard, of `drawn` (which have a reading, `read`). Of them `third` wait for a third
    person, `disputed` for an adjudicator, and `passed_on` for somebody who does not pass them on. Of the others `open`
    wait for answers, and `unread` have no reading under the calibrators that were asked for.
    """

    labels: tuple[Label, ...]
    samples: tuple[LabelSample, ...]
    cards: tuple[LabelCard, ...]
    drawn: tuple[LabelCard, ...]
    read: Beliefs
    third: frozenset[UUID]
    disputed: frozenset[UUID]
    passed_on: frozenset[UUID]
    open: frozenset[UUID]
    unread: frozenset[UUID]


def newest_binding(session: Session) -> Binding | None:
    """How the newest record was read, by a model that was not standing in for another; None before the first."""
    newest = session.exec(
        select(Classification)
        .where(col(Classification.degraded).is_(False))
        .order_by(col(Classification.id).desc())
        .limit(1)
    ).first()
    return None if newest is None else binding_of(newest)


def binding_of(row: Classification) -> Binding:
    """How this record was read."""
    return Binding(row.classifier, row.model_digest or "", row.taxonomy, row.preparation or "")


def stood_by() -> tuple[ColumnElement[bool], ...]:
    """What keeps of human labels those that somebody gave and did not take back."""
    return col(HumanLabel.undone_at).is_(None), col(HumanLabel.skip).is_(None)


def as_drawn(cards: Sequence[LabelCard]) -> Beliefs:
    """What the model believed when the cards were drawn."""
    return {card.id: card.probabilities for card in cards}


def labels_of(
    session: Session,
    axis: str,
    *,
    binding: Binding,
    label: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    without: Collection[UUID] = (),
    pool: Pool = "audit",
    believed: Believed = as_drawn,
) -> Evidence:
    """All labels on an axis that were given to cards read like `binding`.

    Args:
        session: where they are stored.
        axis: what was asked.
        binding: how the cards were read.
        label: only what is said of this label. A sample that was drawn for one label says nothing of another: its
            items had other chances. (None: every label, each from the samples drawn for it or for the whole axis.)
        source: only cards of this source.
        since: only samples drawn after this moment.
        without: samples to leave out.
        pool: audit, or targeted; what is targeted is for training, and speaks of every label.
        believed: the probabilities of cards, where they are not those of the draw; it may leave cards out.

    The inclusion probability is relative to the largest of its sample: a sample is a random draw from a pool of its
    own, and pools are not weighted against each other.
    """
    drawn_so = _samples(session, axis, binding, label, since, pool)
    samples = tuple(sample for sample in drawn_so if sample.id not in without)
    drawn = _cards(session, samples, source)
    read = believed(drawn)
    passed_on = _passed_on(session, drawn) if pool == "audit" else frozenset()
    heard = list(
        {
            card.feedback_id: card
            for card in drawn
            if card.id in read and (card.state in HEARD or card.id in passed_on)
        }.values()
    )  # of a record that was drawn again after it was revised, the newer card
    return Evidence(
        labels=tuple(_labels(session, samples, heard, read, label)),
        samples=samples,
        cards=tuple(heard),
        drawn=tuple(card for card in drawn if card.id in read),
        read=read,
        third=frozenset(card.id for card in heard if card.state == "third"),
        disputed=frozenset(card.id for card in heard if card.state == "disputed"),
        passed_on=frozenset(card.id for card in heard if card.state == "open"),
        open=frozenset(card.id for card in drawn if card.state == "open") - passed_on,
        unread=frozenset(card.id for card in drawn) - read.keys(),
    )


def _samples(
    session: Session, axis: str, binding: Binding, label: str | None, since: datetime | None, pool: Pool
) -> tuple[LabelSample, ...]:
    wanted = [
        col(LabelSample.axis) == axis,
        col(LabelSample.pool) == pool,
        col(LabelSample.classifier) == binding.classifier,
        col(LabelSample.model_digest) == binding.model_digest,
        col(LabelSample.taxonomy) == binding.taxonomy,
        col(LabelSample.preparation) == binding.preparation,
    ]
    if label is not None and pool == "audit":
        wanted.append(col(LabelSample.label).is_(None) | (col(LabelSample.label) == label))
    if since is not None:
        wanted.append(col(LabelSample.created_at) > since)
    return tuple(session.exec(select(LabelSample).where(*wanted).order_by(col(LabelSample.id))))


def _cards(session: Session, samples: Sequence[LabelSample], source: str | None) -> list[LabelCard]:
    wanted = [
        among(LabelCard.sample_id, [sample.id for sample in samples]),
        col(LabelCard.state) != "gone",
        col(Feedback.withdrawn_at).is_(None),
    ]
    if source is not None:
        wanted.append(col(LabelCard.source) == source)
    found = select(LabelCard).join(Feedback, col(Feedback.id) == col(LabelCard.feedback_id)).where(*wanted)
    return list(session.exec(found.order_by(col(LabelCard.id))))


def _passed_on(session: Session, drawn: Sequence[LabelCard]) -> frozenset[UUID]:
    """The open cards that somebody passed on."""
    skipped = select(HumanLabel.card_id).where(
        among(HumanLabel.card_id, [card.id for card in drawn if card.state == "open"]),
        col(HumanLabel.undone_at).is_(None),
        col(HumanLabel.skip).is_not(None),
    )
    return frozenset(session.exec(skipped))


def answers_of(session: Session, cards: Collection[UUID]) -> tuple[tuple[frozenset[str], ...], ...]:
    """Of each card that two or more people judged blind and were sure of, the labels that each of them gave.

    Whoever was asked only since others differed is left out, and of somebody's repeat the first answer counts.
    """
    third = select(LabelSlot.id).where(among(LabelSlot.card_id, cards), col(LabelSlot.kind) == "third")
    wanted = select(HumanLabel).where(
        among(HumanLabel.card_id, cards),
        col(HumanLabel.blind),
        col(HumanLabel.adjudicated).is_(False),
        col(HumanLabel.unsure).is_(False),
        *stood_by(),
        col(HumanLabel.slot_id).is_(None) | col(HumanLabel.slot_id).not_in(third),
    )
    said: defaultdict[UUID, dict[str, frozenset[str]]] = defaultdict(dict)
    for one in session.exec(wanted.order_by(col(HumanLabel.id))):
        said[one.card_id].setdefault(one.rater, frozenset(one.labels))
    return tuple(tuple(answers[rater] for rater in sorted(answers)) for answers in said.values() if len(answers) > 1)


def _labels(
    session: Session,
    samples: Sequence[LabelSample],
    heard: Sequence[LabelCard],
    read: Beliefs,
    label: str | None,
) -> list[Label]:
    sample_of = {sample.id: sample for sample in samples}
    likeliest = _largest_chances(session, samples)
    texts = _texts(session, heard)
    said = _said(session, heard)
    decide = _tiebreaks(session, heard)
    found = []
    for card in heard:
        sample = sample_of[card.sample_id]
        chance = card.inclusion_probability
        for name, probability in read[card.id].items():
            if (label or name) != name or (sample.pool == "audit" and (sample.label or name) != name):
                continue
            about = Label(
                id=str(card.feedback_id),
                text=texts[card.feedback_id, card.revision],
                axis=sample.axis,
                label=name,
                probability=probability,
                human=None,
                pool=cast(Pool, sample.pool),
                inclusion_probability=None if chance is None else chance / likeliest[sample.id],
                source=card.source,
                language=card.language,
            )
            found += [replace(_answered(about, one), tiebreak=one.slot_id in decide) for one in said[card.id]]
    return found


def _answered(about: Label, said: HumanLabel) -> Label:
    right = None if said.unsure or said.skip is not None else about.label in said.labels
    return replace(about, human=right, rater=said.rater, blind=said.blind, adjudicated=said.adjudicated)


def _tiebreaks(session: Session, cards: Sequence[LabelCard]) -> frozenset[UUID | None]:
    """The showings to a third person, who is asked only where two differ or doubt."""
    third = select(LabelSlot.id).where(
        among(LabelSlot.card_id, [card.id for card in cards]), col(LabelSlot.kind) == "third"
    )
    return frozenset(session.exec(third))


def _largest_chances(session: Session, samples: Sequence[LabelSample]) -> dict[UUID, float]:
    largest = (
        select(LabelCard.sample_id, func.max(LabelCard.inclusion_probability))
        .where(
            among(LabelCard.sample_id, [sample.id for sample in samples]),
            col(LabelCard.inclusion_probability).is_not(None),
        )
        .group_by(col(LabelCard.sample_id))
    )
    return {sample: chance for sample, chance in session.exec(largest) if chance is not None}


def _texts(session: Session, cards: Sequence[LabelCard]) -> dict[tuple[UUID, int], str]:
    """The words of each record and revision."""
    wanted = {(card.feedback_id, card.revision) for card in cards}
    found = session.exec(
        select(FeedbackRevision.feedback_id, FeedbackRevision.revision, FeedbackRevision.body).where(
            among(FeedbackRevision.feedback_id, {feedback for feedback, _ in wanted})
        )
    )
    return {(feedback, revision): words(body) for feedback, revision, body in found if (feedback, revision) in wanted}


def _said(session: Session, cards: Sequence[LabelCard]) -> Mapping[UUID, Sequence[HumanLabel]]:
    """What people said about each card and stand by, in order.

    Who passed a card on has said nothing, and for as long as it is open leaves a doubt.
    """
    still_open = [card.id for card in cards if card.state == "open"]
    standing = select(HumanLabel).where(
        among(HumanLabel.card_id, [card.id for card in cards]),
        col(HumanLabel.undone_at).is_(None),
        col(HumanLabel.skip).is_(None) | among(HumanLabel.card_id, still_open),
    )
    said: defaultdict[UUID, list[HumanLabel]] = defaultdict(list)
    for one in session.exec(standing.order_by(col(HumanLabel.id))):
        said[one.card_id].append(one)
    return said
