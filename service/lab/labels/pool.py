"""The pool of a sample: every record that may be drawn, each distinct text once, read in pieces from the database."""

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import TextClause, text
from sqlmodel import Session

from calibration.arrays import Floats, Integers
from service.lab.labels.evidence import Binding

PIECE = 20_000  # records read by one statement: no statement takes long, however large the pool
# Equal words, whatever their letters' case, width and spacing, are one text.
# What most texts do not need (a list of answers, NFKC of plain letters, spacing) is not done: it took twice the time.
_KEY = r"""(
    SELECT hashtextextended(lower(btrim(
        CASE WHEN said.text ~ '\s\s|[^\S ]' THEN regexp_replace(said.text, '\s+', ' ', 'g') ELSE said.text END)), 0)
    FROM (
        SELECT CASE WHEN octet_length(one.text) = length(one.text) THEN one.text ELSE normalize(one.text, NFKC) END
        FROM (SELECT CASE WHEN jsonb_array_length(r.body -> 'verbatims') = 1 THEN r.body #>> '{verbatims,0,text}' ELSE (
            SELECT string_agg(v ->> 'text', ' ' ORDER BY n)
            FROM jsonb_array_elements(r.body -> 'verbatims') WITH ORDINALITY AS answers(v, n)
        ) END OFFSET 0) AS one(text) OFFSET 0
    ) AS said(text)
)"""
_READ_AS = """k.classifier = :classifier AND coalesce(k.model_digest, '') = :model_digest
    AND k.taxonomy = :taxonomy AND coalesce(k.preparation, '') = :preparation"""
_OF_WISH = """f.withdrawn_at IS NULL
    AND (CAST(:source AS text) IS NULL OR f.source = :source)
    AND (CAST(:since AS timestamptz) IS NULL OR f.received_at >= :since)"""


@dataclass(frozen=True, slots=True)
class Wish:
    """Of which records: read by this binding, of this source, received since then, labelled on this axis."""

    axis: str
    binding: Binding
    source: str | None
    since: datetime | None

    def values(self) -> dict[str, Any]:
        """As the statements take it."""
        return {**asdict(self.binding), "source": self.source, "since": self.since}


@dataclass(frozen=True, slots=True)
class Pool:
    """Records by id, rising, and a score of each, shape (n,): a label's probability, or how unsure the model is."""

    ids: Sequence[str]
    scores: Floats


@dataclass(frozen=True, slots=True)
class Census:
    """How many records there are, and how many of them can be drawn from: to say why a pool is empty."""

    records: int
    readable: int


def probabilities_of(axis: str) -> str:
    """The SQL of a classification's probabilities on an axis: an object by label."""
    return "k.topics" if axis == "topic" else f"(k.document -> '{axis}' -> 'probabilities')"


def audit_pool(session: Session, wish: Wish, label: str | None) -> Pool:
    """Each distinct text that no audit sample of this axis and binding has asked about; scored by `label`, or 0."""
    read = _read(session, wish, "0::float8" if label is None else _probability(wish.axis, "label"), {"label": label})
    return _distinct(read, _keys(session, _CARDS_OF_BINDING, axis=wish.axis, **asdict(wish.binding)))


def targeted_pool(session: Session, wish: Wish, labels: Sequence[str]) -> Pool:
    """Each distinct text that nobody was asked about, scored by how unsure the model is: 1 at a half, 0 at 0 and 1.

    Of several labels the one it is least sure of counts. What was audited must never train what it judges, and what a
    targeted sample of this axis and model holds teaches nothing new; what one left open when it was closed may return.
    """
    named = {f"label_{number}": label for number, label in enumerate(labels)}
    unsure = ", ".join(f"1 - abs(2 * {_probability(wish.axis, name)} - 1)" for name in named)
    asked = {"axis": wish.axis, "classifier": wish.binding.classifier, "model_digest": wish.binding.model_digest}
    taken = np.concatenate([_keys(session, _AUDITED), _keys(session, _TARGETED, **asked)])
    return _distinct(_read(session, wish, f"greatest({unsure})", named), taken)


def taught(
    session: Session, axis: str, binding: Binding, sources: Collection[str], records: Collection[UUID]
) -> frozenset[str]:
    """Of these records, those whose words a targeted sample of their source has asked about: ids.

    A calibrator of one of these `sources` that was fitted on this model may have been fitted to them.
    """
    if not sources or not records:
        return frozenset()
    asked = {"axis": axis, "classifier": binding.classifier, "model_digest": binding.model_digest}
    found = session.execute(_TAUGHT, {**asked, "sources": list(sources), "records": list(records)})
    return frozenset(found.scalars())


def census(session: Session, wish: Wish) -> Census:
    """Count what there is, and what of it was read by the model that reads now and says something."""
    found = session.execute(_CENSUS, wish.values()).one()
    return Census(found.records, found.readable)


def spread(scores: Floats) -> dict[str, Any]:
    """How scores are spread, to see drift against: `counts` of the bins between `cuts`, which are deciles.

    There are nine cuts, or fewer where many scores are equal; a score on a cut belongs to the bin above it.
    """
    cuts = np.unique(np.quantile(scores, np.linspace(0.1, 0.9, 9))) if scores.size else np.zeros(0)
    counts = np.bincount(np.searchsorted(cuts, scores, side="right"), minlength=cuts.size + 1)
    return {"cuts": cuts.tolist(), "counts": counts.tolist()}


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """What the model made of a record."""

    feedback_id: UUID
    revision: int
    probabilities: Mapping[str, float]
    calibrator: str
    source: str
    language: str


def readings(session: Session, wish: Wish, ids: Sequence[str]) -> list[ReadRecord]:
    """What the model made of these records, by the newest reading of each."""
    statement = text(f"""
        SELECT DISTINCT ON (k.feedback_id) k.feedback_id, k.revision, {probabilities_of(wish.axis)} AS probabilities,
            k.calibrator, f.source, k.document -> 'language' ->> 'code' AS language
        FROM classification k JOIN feedback f ON f.id = k.feedback_id
        WHERE k.feedback_id = ANY(CAST(:ids AS uuid[])) AND {_READ_AS} AND NOT k.degraded
        ORDER BY k.feedback_id, k.revision DESC, k.id DESC
    """)  # noqa: S608 (an axis of our own)
    return [ReadRecord(*row) for row in session.execute(statement, {**asdict(wish.binding), "ids": list(ids)})]


def _probability(axis: str, parameter: str) -> str:
    return f"coalesce(({probabilities_of(axis)} ->> CAST(:{parameter} AS text))::float8, 0)"


@dataclass(frozen=True, slots=True)
class _Read:
    ids: list[str]
    keys: Integers
    scores: Floats


def _read(session: Session, wish: Wish, score: str, named: Mapping[str, str | None]) -> _Read:
    statement = _piece(score)
    values = {**wish.values(), **{name: one for name, one in named.items() if one is not None}}
    ids: list[str] = []
    keys, scores = array("q"), array("d")
    after = "00000000-0000-0000-0000-000000000000"
    while (last := session.execute(_LAST_OF_PIECE, {"after": after, "many": PIECE}).scalar()) is not None:
        for record, key, value in session.execute(statement, {**values, "after": after, "last": last}):
            ids.append(record)
            keys.append(key)
            scores.append(value)
        after = last
    return _Read(ids, np.array(keys, dtype=np.int64), np.array(scores, dtype=np.float64))


_LAST_OF_PIECE = text("""
    SELECT id::text FROM (SELECT id FROM feedback WHERE id > CAST(:after AS uuid) ORDER BY id LIMIT :many) AS piece
    ORDER BY id DESC LIMIT 1
""")


def _piece(score: str) -> TextClause:
    """The records of a piece by id: the newest reading of each, where the model says something.

    A piece has two ends, on all three tables: with one alone PostgreSQL reads the whole rest of them for every piece.
    """
    return text(f"""
        SELECT DISTINCT ON (f.id) f.id::text, {_KEY}, {score}
        FROM feedback f
        JOIN classification k ON k.feedback_id = f.id AND k.revision = f.revision
        JOIN feedback_revision r ON r.feedback_id = f.id AND r.revision = f.revision
        WHERE f.id > CAST(:after AS uuid) AND f.id <= CAST(:last AS uuid)
            AND k.feedback_id > CAST(:after AS uuid) AND k.feedback_id <= CAST(:last AS uuid)
            AND r.feedback_id > CAST(:after AS uuid) AND r.feedback_id <= CAST(:last AS uuid)
            AND {_OF_WISH} AND {_READ_AS} AND NOT k.degraded AND k.document ->> 'abstain' IS NULL
            AND jsonb_array_length(r.body -> 'verbatims') > 0
        ORDER BY f.id, k.id DESC
    """)  # noqa: S608 (our own expressions; what a caller names is a parameter)


_CARDS = f"""
    SELECT DISTINCT {_KEY} FROM label_sample s
    JOIN label_card c ON c.sample_id = s.id
    JOIN feedback_revision r ON r.feedback_id = c.feedback_id AND r.revision = c.revision
    WHERE s.pool = 'audit'
"""  # noqa: S608 (as above)
_AUDITED = text(_CARDS)
_CARDS_OF_BINDING = text(f"""{_CARDS} AND s.axis = :axis AND s.classifier = :classifier
    AND s.model_digest = :model_digest AND s.taxonomy = :taxonomy AND s.preparation = :preparation""")
_OF_MODEL = """s.pool = 'targeted' AND s.axis = :axis AND s.classifier = :classifier
    AND s.model_digest = :model_digest"""
_TARGETED = text(f"""
    SELECT DISTINCT {_KEY} FROM label_sample s
    JOIN label_card c ON c.sample_id = s.id
    JOIN feedback_revision r ON r.feedback_id = c.feedback_id AND r.revision = c.revision
    WHERE {_OF_MODEL} AND (s.state <> 'closed' OR c.state <> 'open')
""")  # noqa: S608 (as above)
_TAUGHT = text(f"""
    SELECT f.id::text FROM feedback f
    JOIN feedback_revision r ON r.feedback_id = f.id AND r.revision = f.revision
    WHERE f.id = ANY(:records) AND f.source = ANY(:sources) AND (f.source, {_KEY}) IN (
        SELECT c.source, {_KEY} FROM label_sample s
        JOIN label_card c ON c.sample_id = s.id
        JOIN feedback_revision r ON r.feedback_id = c.feedback_id AND r.revision = c.revision
        WHERE {_OF_MODEL} AND c.state NOT IN ('open', 'gone')
    )
""")  # noqa: S608 (as above)
_CENSUS = text(f"""
    SELECT count(*) AS records, count(*) FILTER (WHERE EXISTS (
        SELECT 1 FROM classification k WHERE k.feedback_id = f.id AND k.revision = f.revision
            AND {_READ_AS} AND NOT k.degraded AND k.document ->> 'abstain' IS NULL
    )) AS readable
    FROM feedback f WHERE {_OF_WISH}
""")  # noqa: S608 (as above)


def _keys(session: Session, statement: TextClause, **values: str) -> Integers:
    return np.array(session.execute(statement, values).scalars().all(), dtype=np.int64)


def _distinct(read: _Read, taken: Integers) -> Pool:
    """The first record of each text, as ids rise."""
    keys, first = np.unique(read.keys, return_index=True)
    rows = np.sort(first[~np.isin(keys, taken)])
    return Pool([read.ids[row] for row in rows], read.scores[rows])
