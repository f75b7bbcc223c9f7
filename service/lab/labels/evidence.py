"""What people said about the cards of samples, as the labels that the statistics judge."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from calibration.labels.label import Label, Pool
from service.classify import verbatims
from service.store.lab_tables import HumanLabel, LabelCard, LabelSample
from service.store.tables import Classification, Feedback, FeedbackRevision, among

# Whoever has an answer here is heard. An open card is not settled yet, and a card that is gone is nobody's any more;
# one that waits for a third person or an adjudicator stays, and counts as wrong until then: it is one of the hard ones.
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


@dataclass(frozen=True, slots=True)
class Evidence:
    """Labels, one for each card, label of the axis and person, and where they come from.

    `cards` are those that were heard; of them `third` wait for a third person, and `disputed` for an adjudicator. Of
    the others `open` wait for answers, and `unread` have no reading under the calibrators that were asked for.
    """

    labels: tuple[Label, ...]
    samples: tuple[LabelSample, ...]
    cards: tuple[LabelCard, ...]
    third: frozenset[UUID]
    disputed: frozenset[UUID]
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
    heard = list(
        {card.feedback_id: card for card in drawn if card.id in read and card.state in HEARD}.values()
    )  # of a record that was drawn again after it was revised, the newer card
    return Evidence(
        labels=tuple(_labels(session, samples, heard, read, label)),
        samples=samples,
        cards=tuple(heard),
        third=frozenset(card.id for card in heard if card.state == "third"),
        disputed=frozenset(card.id for card in heard if card.state == "disputed"),
        open=frozenset(card.id for card in drawn if card.state == "open"),
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
            found += [_answered(about, one) for one in said[card.id]]
    return found


def _answered(about: Label, said: HumanLabel) -> Label:
    right = None if said.unsure else about.label in said.labels
    return replace(about, human=right, rater=said.rater, blind=said.blind, adjudicated=said.adjudicated)


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
    """The words of each record and revision: its answers, a blank line between them."""
    wanted = {(card.feedback_id, card.revision) for card in cards}
    found = session.exec(
        select(FeedbackRevision.feedback_id, FeedbackRevision.revision, FeedbackRevision.body).where(
            among(FeedbackRevision.feedback_id, {feedback for feedback, _ in wanted})
        )
    )
    return {
        (feedback, revision): "\n\n".join(one.text for one in verbatims(body))
        for feedback, revision, body in found
        if (feedback, revision) in wanted
    }


def _said(session: Session, cards: Sequence[LabelCard]) -> Mapping[UUID, Sequence[HumanLabel]]:
    """What people said about each card and stand by, in order; who passed a card on has said nothing."""
    standing = select(HumanLabel).where(
        among(HumanLabel.card_id, [card.id for card in cards]),
        col(HumanLabel.undone_at).is_(None),
        col(HumanLabel.skip).is_(None),
    )
    said: defaultdict[UUID, list[HumanLabel]] = defaultdict(list)
    for one in session.exec(standing.order_by(col(HumanLabel.id))):
        said[one.card_id].append(one)
    return said
