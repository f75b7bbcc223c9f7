"""Records that people have reviewed: drawn, labelled and settled, as the rows of a sample."""

from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

from builders import record
from sqlmodel import Session, col, select

from service.classify import Reader, classify
from service.lab.labels.evidence import newest_binding
from service.store.lab_tables import HumanLabel, LabelCard, LabelSample
from service.store.tables import Classification, Feedback, among


def read(
    admin, database, reader: Reader, said: Mapping[str, Sequence[str]], source: str = "store-survey"
) -> dict[str, UUID]:
    """Push records, by external id what each answers, and classify them; their ids."""
    bodies = [
        record(name, None, source=source, verbatims=[{"text": one} for one in answers])
        for name, answers in said.items()
    ]
    admin.post("/v1/feedback", json=bodies).raise_for_status()
    with Session(database.engine, expire_on_commit=False) as session:
        named = select(Feedback.external_id, Feedback.id).where(
            col(Feedback.external_id).in_(said), col(Feedback.source) == source
        )
        found = dict(session.exec(named).all())
        classify(session, reader, list(found.values()))
    return found


def review(
    session: Session,
    right: Mapping[UUID, str],
    axis: str = "sentiment",
    pool: Literal["audit", "targeted"] = "targeted",
    raters: Sequence[str] = ("rea",),
) -> list[LabelCard]:
    """Let people say of each record which label is right: a sample that is settled."""
    binding = newest_binding(session)
    assert binding is not None
    sample = LabelSample(
        axis=axis,
        pool=pool,
        size=len(right),
        seed=1,
        design="test",
        design_document={},
        pool_size=len(right),
        pool_digest="",
        created_by="ada",
        state="done",
        classifier=binding.classifier,
        model_digest=binding.model_digest,
        taxonomy=binding.taxonomy,
        preparation=binding.preparation,
    )
    session.add(sample)
    session.flush()
    rows = session.exec(
        select(Classification, Feedback.source)
        .join(Feedback, col(Feedback.id) == col(Classification.feedback_id))
        .where(among(Classification.feedback_id, set(right)))
    )
    cards = [
        LabelCard(
            sample_id=sample.id,
            feedback_id=row.feedback_id,
            revision=row.revision,
            probabilities=row.document[axis]["probabilities"],
            calibrator=row.calibrator,
            source=source,
            language="en",
            inclusion_probability=1.0 if pool == "audit" else None,
            state="settled",
        )
        for row, source in rows
    ]
    session.add_all(cards)
    session.flush()
    session.add_all(
        [
            HumanLabel(card_id=card.id, rater=rater, labels=[right[card.feedback_id]], blind=True)
            for card in cards
            for rater in raters
        ]
    )
    session.flush()
    return cards
