"""Run the classifier on feedback's verbatims and keep what it said: one pass, every axis, a row per revision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select
from uuid_utils.compat import uuid7

from models.characters import PREPARATION
from models.classifier import Classifier
from models.document import combine, describe, document_of
from models.fallback import Fallback, load_or_fall_back
from models.fitted import Fitted, open_topics
from models.prediction import Classification as Belief
from models.prediction import DocumentClassification, Reading, Verbatim
from service.reading_pool import PER_THREAD, Line, ReadingPool, usable_threads
from service.source_maps import NONE, Calibrators, SourceMaps, live
from service.store import jobs
from service.store.tables import Classification, Feedback, FeedbackRevision, among, now


@dataclass(frozen=True, slots=True)
class Answered:
    """A feedback revision's open answers, ready to be read, and what corrects the probabilities of its source."""

    feedback_id: UUID
    revision: int
    verbatims: tuple[Verbatim, ...]
    maps: SourceMaps = NONE


@dataclass(frozen=True, slots=True)
class Understood:
    """What was read: each verbatim, the whole record as one reading, and the document of the contract.

    `readings` are as the model gave them, before any calibrator; `whole` and `document` are corrected by `calibrator`.
    """

    readings: tuple[Reading, ...]
    whole: Reading
    document: DocumentClassification
    calibrator: str


class Reader:
    """A classifier, its topics and the threads that read; the classifier is loaded on first use, once per process.

    Where its files are refused, the keyword baseline stands in and marks what it reads as degraded. `line` is for those
    who ask from outside: texts wait in it, or are sent away.
    """

    def __init__(self, classifier: str, topics: Path | None = None) -> None:
        """Open the topics.

        Args:
            classifier: as `models.catalog.load` knows it.
            topics: as `models.fitted.open_topics` reads them.

        Raises:
            BadTaxonomy, HeadRefused: as in `open_topics`.
        """
        self._name = classifier
        self._loaded: Classifier | None = None
        self._lock = Lock()
        threads = usable_threads()
        self._pool = ReadingPool(threads)
        self.line = Line(PER_THREAD * threads)
        self._topics = open_topics(topics)
        self.taxonomy = self._topics.taxonomy

    @property
    def classifier(self) -> Classifier:
        """The classifier, loaded.

        Raises:
            UnknownClassifier: no classifier has this name, or not in this version.
            HeadRefused: the topics were fitted on another model.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = self._joined(load_or_fall_back(self._name))
            return self._loaded

    def _joined(self, classifier: Classifier) -> Classifier:
        if self._topics.head is None or isinstance(classifier, Fallback):
            return classifier
        return Fitted(classifier, self._topics.head)

    @property
    def trouble(self) -> str | None:
        """Why the configured model does not read, in one sentence; None while it does."""
        classifier = self.classifier
        return classifier.reason if isinstance(classifier, Fallback) else None

    def warm_up(self) -> None:
        """Load now and read a sentence, so that nobody waits for it later.

        Raises:
            UnknownClassifier, HeadRefused: as in `classifier`.
        """
        self.read([Verbatim("The parcel came late.")])

    def read(self, verbatims: Sequence[Verbatim]) -> list[Belief]:
        """What `POST /v1/classify` answers: one classification per text, in order; nothing is stored.

        Of no source, so no calibrator corrects it.
        """
        name = self.classifier.name
        return [describe(reading, name, self.taxonomy) for reading in self._readings(verbatims)]

    def understand(self, answers: Sequence[Answered]) -> list[Understood | None]:
        """Read whole records side by side; None for a record of scores only."""
        name = self.classifier.name
        readings = iter(self._readings([one for answer in answers for one in answer.verbatims]))
        understood: list[Understood | None] = []
        for answer in answers:
            own = [next(readings) for _ in answer.verbatims]
            if not answer.verbatims:
                understood.append(None)
            else:
                corrected = [answer.maps.apply(reading) for reading in own]
                whole = combine(corrected)
                shown = document_of(whole, corrected, name, self.taxonomy)
                understood.append(Understood(tuple(own), whole, shown, answer.maps.name))
        return understood

    def _readings(self, verbatims: Sequence[Verbatim]) -> list[Reading]:
        return self._pool.read(self.classifier, verbatims, self.taxonomy)


def classify(session: Session, reader: Reader, ids: Sequence[UUID]) -> None:
    """Classify those of these records that still wait for it, and defer their decision.

    The inference runs outside any transaction; what moved on meanwhile (a new revision, another run of this
    job) is left alone.
    """
    answers = _answers(session, ids, live(session, reader.classifier.name, reader.classifier.digest))
    session.rollback()
    understood = reader.understand(answers)
    waiting = _still_waiting(session, answers)
    pairs = [(a, u) for a, u in zip(answers, understood, strict=True) if a.feedback_id in waiting]
    rows = [_row(reader, answer, read) for answer, read in pairs if read is not None]
    if rows:
        session.connection().execute(insert(Classification).on_conflict_do_nothing(), rows)
    moved = [answer.feedback_id for answer, _ in pairs]
    if moved:
        session.execute(
            text("UPDATE feedback SET stage = 'classified', stage_since = :at, attempts = 0 WHERE id = ANY(:ids)"),
            {"at": now(), "ids": moved},
        )
        jobs.defer(session, "decide", ids=[str(one) for one in moved])
    session.commit()


def _answers(session: Session, ids: Sequence[UUID], calibrators: Calibrators) -> list[Answered]:
    found = session.exec(
        select(Feedback.id, Feedback.revision, Feedback.source, FeedbackRevision.body)
        .join(FeedbackRevision, col(FeedbackRevision.feedback_id) == col(Feedback.id))
        .where(
            among(Feedback.id, ids),
            col(Feedback.stage) == "received",
            col(FeedbackRevision.revision) == col(Feedback.revision),
        )
        .order_by(col(Feedback.id))
    )
    return [
        Answered(feedback_id, revision, verbatims(body), calibrators.of(source))
        for feedback_id, revision, source, body in found
    ]


def verbatims(body: Mapping[str, Any]) -> tuple[Verbatim, ...]:
    """The open answers of a stored record."""
    language = body.get("language")
    return tuple(Verbatim(one["text"], one.get("question"), language) for one in body.get("verbatims", []))


def words(body: Mapping[str, Any]) -> str:
    """What a stored record says: its open answers, a blank line between them."""
    return "\n\n".join(one.text for one in verbatims(body))


def _still_waiting(session: Session, answers: Sequence[Answered]) -> set[UUID]:
    """Lock, in the order of their ids, the rows that nobody has moved meanwhile."""
    locked = session.exec(
        select(Feedback.id, Feedback.revision)
        .where(among(Feedback.id, [answer.feedback_id for answer in answers]), col(Feedback.stage) == "received")
        .order_by(col(Feedback.id))
        .with_for_update(key_share=True)
    )
    read = {(answer.feedback_id, answer.revision) for answer in answers}
    return {feedback_id for feedback_id, revision in locked if (feedback_id, revision) in read}


def _row(reader: Reader, answer: Answered, read: Understood) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "feedback_id": answer.feedback_id,
        "revision": answer.revision,
        "classifier": reader.classifier.name,
        "calibrator": read.calibrator,
        "model_digest": reader.classifier.digest,
        "preparation": PREPARATION,
        "taxonomy": reader.taxonomy.identity,
        "document": read.document.model_dump(mode="json"),
        "topics": dict(read.whole.topics),
        "logits": [{axis: list(values) for axis, values in one.logits.items()} for one in read.readings],
        "uncalibrated": _uncalibrated(read) if answer.maps is not NONE else None,
        "vector": list(read.whole.vector) if read.whole.vector is not None else None,
        "degraded": read.whole.degraded,
        "created_at": now(),
    }


def _uncalibrated(read: Understood) -> list[dict[str, dict[str, float]]]:
    """What a later calibrator is fitted on: no map is ever fitted to what another has corrected."""
    return [{"sentiment": dict(one.sentiment), "urgency": dict(one.urgency)} for one in read.readings]
