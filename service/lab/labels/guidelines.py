"""The sentences by which labels are given: numbered per axis, never changed, only ended; at first the shipped ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, TypeAdapter
from sqlalchemy import text
from sqlmodel import Session, col, func, select

from models.yaml_document import load_yaml
from service.lab.labels.choices import AXES
from service.route.versions import SYSTEM
from service.store import audit
from service.store.lab_tables import Guideline

LONGEST = 400  # characters of a sentence
_SHIPPED = Path(__file__).with_name("guidelines.yaml")
_NUMBERING = 0x68656569  # any constant: one sentence is numbered at a time


class InvalidGuideline(Exception):
    """A sentence cannot be kept as it is. `field` (axis, label, sentence) is what is wrong, the message says why."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


class _Sentence(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sentence: str
    label: str | None = None


def sentences(session: Session, axis: str) -> tuple[Guideline, ...]:
    """The sentences of an axis, also ended ones, by their number; the caller commits.

    An axis that has none yet is given the shipped ones first.
    """
    ensure_shipped(session)
    of_axis = select(Guideline).where(Guideline.axis == axis).order_by(col(Guideline.number))
    return tuple(session.exec(of_axis))


def ensure_shipped(session: Session) -> None:
    """Store the shipped sentences of every axis that never had a sentence; the caller commits."""
    if _bare(session):
        _number_alone(session)
        for axis in _bare(session):
            session.add_all(
                Guideline(axis=axis, number=number, label=one.label, sentence=one.sentence, created_by=SYSTEM)
                for number, one in enumerate(_shipped()[axis], 1)
            )
        session.flush()


def add(session: Session, axis: str, sentence: str, label: str | None, by: str) -> Guideline:
    """Keep a new sentence under the next number of its axis; the caller commits and has checked the label.

    Raises:
        InvalidGuideline: there is no such axis, or the sentence is empty, too long, or there already.
    """
    if axis not in AXES:
        raise InvalidGuideline("axis", f"There is no axis '{axis}': choose of {', '.join(AXES)}.")
    plain = " ".join(sentence.split())
    if not 1 <= len(plain) <= LONGEST:
        raise InvalidGuideline("sentence", f"A sentence has 1 to {LONGEST} characters; this one has {len(plain)}.")
    ensure_shipped(session)
    _number_alone(session)
    _refuse_twice(session, axis, plain)
    last = session.exec(select(func.max(Guideline.number)).where(Guideline.axis == axis)).one()
    row = Guideline(axis=axis, number=(last or 0) + 1, label=label, sentence=plain, created_by=by)
    session.add(row)
    audit.record(session, by, "guideline.added", str(row.id), axis=axis, number=row.number)
    return row


def end(session: Session, guideline_id: UUID, by: str, at: datetime) -> Guideline | None:
    """Let no more labels be given by a sentence; it stays to be read. None where there is none; the caller commits."""
    row = session.get(Guideline, guideline_id, with_for_update=True)
    if row is not None and row.ended_at is None:
        row.ended_at = at
        session.add(row)
        audit.record(session, by, "guideline.ended", str(row.id), axis=row.axis, number=row.number)
    return row


def _refuse_twice(session: Session, axis: str, sentence: str) -> None:
    same = select(Guideline.number).where(
        Guideline.axis == axis, Guideline.sentence == sentence, col(Guideline.ended_at).is_(None)
    )
    number = session.exec(same).first()
    if number is not None:
        raise InvalidGuideline("sentence", f"This sentence is there already, as number {number}: choose that one.")


def _bare(session: Session) -> list[str]:
    """The axes without any sentence."""
    known = set(session.exec(select(Guideline.axis).distinct()))
    return [axis for axis in _shipped() if axis not in known]


def _number_alone(session: Session) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _NUMBERING})


@cache
def _shipped() -> Mapping[str, Sequence[_Sentence]]:
    document = load_yaml(_SHIPPED.read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, tuple[_Sentence, ...]]).validate_python(document)
