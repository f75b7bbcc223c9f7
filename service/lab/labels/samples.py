"""Samples: texts drawn to be labelled, with the chance each of them had, and all it takes to draw them again."""

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlmodel import Session, col, select

from calibration.sampling.design import AtLine, Targeted, Uniform, design_id
from calibration.sampling.draw import AuditDraw, draw_at_line, draw_uniform
from calibration.sampling.targeted import TargetedDraw, draw_targeted
from calibration.thresholds.precision import GRID
from models.taxonomies.taxonomy import Taxonomy
from service.lab.labels.cards import lay_out
from service.lab.labels.choices import Choices, UnknownAxis, choices
from service.lab.labels.corrections import corrected
from service.lab.labels.evidence import Binding, newest_binding
from service.lab.labels.order import asked_of_two, by_lot
from service.lab.labels.pool import Pool, Wish, audit_pool, census, readings, spread, targeted_pool
from service.store import audit, jobs
from service.store.lab_tables import LabelCard, LabelSample
from service.store.tables import Source

LARGEST = 10_000
POOLS = ("audit", "targeted")
_DRAWING = 0x68656566  # any constant: one sample is drawn at a time, or two would hold the same text
_FOR_REFERENCE = 5_000  # records of the pool whose probabilities are kept in bins, where a whole axis is asked

Design = Uniform | AtLine | Targeted


class InvalidSample(Exception):
    """No sample can be drawn as asked; `field` is the wish that has to change, the message says why and how."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


class DrawingNow(Exception):
    """Another sample is being drawn; the message says so."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A wish for a sample. `label` None asks about the whole axis; `overlap` is the share of cards asked of two."""

    axis: str
    label: str | None
    size: int
    pool: str
    source: str | None = None
    since: datetime | None = None
    seed: int | None = None
    overlap: float | None = None
    purpose: str = "asked"


def await_draw(session: Session) -> None:
    """Wait until nobody draws a sample; until its transaction ends nobody but this session does.

    For who has nobody to ask to come again: `draw` does not wait.
    """
    session.execute(_PATIENT)
    session.execute(_AFTER_OTHERS, {"key": _DRAWING})


def draw(session: Session, wanted: Wanted, taxonomy: Taxonomy, *, by: str, at: datetime) -> LabelSample:
    """Draw a sample and lay its cards out to be labelled; the caller commits.

    The same pool and seed give the same sample: `draw_again` does it from the row.

    Raises:
        InvalidSample: nothing can be drawn so; says which wish has to change.
        DrawingNow: another one is being drawn.
    """
    asked = _asked(session, wanted, taxonomy)
    binding = _binding(session, wanted, taxonomy)
    if not session.execute(_ALONE, {"key": _DRAWING}).scalar_one():
        raise DrawingNow("Another sample is being drawn: draw this one when that is there, in a minute at most.")
    wish = Wish(wanted.axis, binding, wanted.source, wanted.since)
    pool = read_pool(session, wanted, wish, asked)
    if not pool.ids:
        raise InvalidSample("source" if wanted.source else "pool", _what_would_fill(session, wish))
    seed = secrets.randbits(53) if wanted.seed is None else wanted.seed
    design = _design(wanted)
    drawn = drawn_from(pool, design, seed, _corrected(session, wanted))
    sample = LabelSample(
        axis=wanted.axis,
        label=wanted.label,
        pool=wanted.pool,
        size=len(drawn.ids),
        source=wanted.source,
        since=wanted.since,
        seed=seed,
        design=design_id(design),
        design_document={"kind": type(design).__name__, **asdict(design)},
        pool_size=len(pool.ids),
        pool_digest=drawn.pool_digest,
        reference=_reference(session, wish, wanted, pool, asked),
        **asdict(binding),
        purpose=wanted.purpose,
        created_by=by,
        created_at=at,
    )
    session.add(sample)
    session.flush()
    lay_out(session, sample, wish, drawn, asked_of_two(sample.size, _overlap(wanted)))
    facts = {"axis": wanted.axis, "label": wanted.label, "pool": wanted.pool, "size": sample.size, "seed": seed}
    audit.record(session, by, "sample.drawn", str(sample.id), **facts, pool_digest=sample.pool_digest)
    return sample


def read_pool(session: Session, wanted: Wanted, wish: Wish, asked: Choices) -> Pool:
    """The records that may be drawn, by the pool that is wanted."""
    if wanted.pool == "audit":
        return audit_pool(session, wish, wanted.label)
    labels = [choice.label for choice in asked.labels] if wanted.label is None else [wanted.label]
    return targeted_pool(session, wish, labels)


def drawn_from(pool: Pool, design: Design, seed: int, first: frozenset[str] = frozenset()) -> AuditDraw | TargetedDraw:
    """What this design and seed draw of a pool; `first` are records that come before all others in a targeted draw."""
    match design:
        case Uniform():
            return draw_uniform(pool.ids, design, seed=seed)
        case AtLine():
            return draw_at_line(pool.ids, pool.scores, design, seed=seed)
        case Targeted():
            raised = pool.scores + 2.0 * np.array([one in first for one in pool.ids], dtype=np.float64)
            return draw_targeted(pool.ids, raised, design, seed=seed)


def close(session: Session, sample: LabelSample, at: datetime, *, by: str) -> None:
    """Show nobody any more cards of a sample that is not done; what was said stays. The caller commits."""
    session.refresh(sample, with_for_update={"key_share": True})
    if sample.state == "open":
        sample.state, sample.closed_at = "closed", at
        session.add(sample)
        audit.record(session, by, "sample.closed", str(sample.id))


def settle(session: Session, sample_id: UUID, at: datetime) -> None:
    """Note that a sample is done, where none of its cards waits for anybody, and let what it says be computed.

    A sample that was done, and of which a card waits again, is open again. The caller commits.
    """
    several = session.execute(_UNSETTLED, {"sample": sample_id, "many": _NEARLY}).scalar_one()
    if several == _NEARLY:
        return
    # Whoever settles the last card but one at the same moment does not see it settled: one looks after the other.
    sample = session.exec(
        select(LabelSample).where(col(LabelSample.id) == sample_id).with_for_update(key_share=True),
        execution_options={"populate_existing": True},
    ).one()
    left = session.execute(_UNSETTLED, {"sample": sample_id, "many": 1}).scalar_one()
    if sample.state == "done" and left:
        sample.state, sample.closed_at = "open", None
    elif sample.state == "open" and not left:
        sample.state, sample.closed_at = "done", at
        _tell(session, sample)
    session.add(sample)
    session.flush()


# Of a million records a draw is worked out for seconds in which the server hears nothing of us.
_ALONE = text("""
    SELECT pg_try_advisory_xact_lock(:key), set_config('idle_in_transaction_session_timeout', '5min', true)
""")
_PATIENT = text("SELECT set_config('lock_timeout', '5min', true)")
_AFTER_OTHERS = text("SELECT pg_advisory_xact_lock(:key)")
_NEARLY = 64  # more than people answer in the same moment
_UNSETTLED = text(
    "SELECT count(*) FROM (SELECT 1 FROM label_card WHERE sample_id = :sample"
    " AND state IN ('open', 'third', 'disputed') LIMIT :many) AS waiting"
)


def _tell(session: Session, sample: LabelSample) -> None:
    if sample.pool == "audit":
        jobs.defer(session, "watch", once="watch")
        return
    cards = select(LabelCard.source).where(col(LabelCard.sample_id) == sample.id).distinct()
    for source in sorted(session.exec(cards)):
        jobs.defer(session, "refit", source=source, once=f"refit:{source}")


def _asked(session: Session, wanted: Wanted, taxonomy: Taxonomy) -> Choices:
    try:
        asked = choices(wanted.axis, taxonomy)
    except UnknownAxis as error:
        raise InvalidSample("axis", str(error)) from error
    known = [choice.label for choice in asked.labels]
    if wanted.label is not None and wanted.label not in known:
        named = ", ".join(known)
        raise InvalidSample("label", f"There is no {wanted.axis} '{wanted.label}': choose of {named}.")
    if wanted.pool not in POOLS:
        raise InvalidSample("pool", f"There is no pool '{wanted.pool}': choose audit or targeted.")
    if not 1 <= wanted.size <= LARGEST:
        raise InvalidSample("size", f"A sample has 1 to {LARGEST:,} cards.")
    if wanted.overlap is not None and not 0 <= wanted.overlap <= 1:
        raise InvalidSample("overlap", "This is the share of cards that two people see: 0 to 1.")
    if wanted.source is not None and session.get(Source, wanted.source) is None:
        raise InvalidSample("source", f"There is no source '{wanted.source}'.")
    return asked


def _binding(session: Session, wanted: Wanted, taxonomy: Taxonomy) -> Binding:
    binding = newest_binding(session)
    if binding is None:
        raise InvalidSample("pool", "Nothing has been read yet: send feedback with texts first, and let it be read.")
    if not binding.model_digest:  # what is said of these would count for nothing once the first new text is read
        raise InvalidSample(
            "pool",
            "Nothing has been read since heed learned to note which model read it: let new feedback be read first.",
        )
    if wanted.axis == "topic" and binding.taxonomy != taxonomy.identity:
        raise InvalidSample(
            "axis",
            f"The topics have changed ({binding.taxonomy} before, {taxonomy.identity} now), and nothing has been read "
            "with the new ones: wait for new feedback.",
        )
    return binding


def _what_would_fill(session: Session, wish: Wish) -> str:
    found = census(session, wish)
    those = f" of source '{wish.source}'" if wish.source else ""
    those += f" received since {wish.since:%d %b %Y}" if wish.since else ""
    said = f"There is nothing to draw: {_so_many(found.records, 'record is', 'records are')} there{those}, withdrawn "
    said += f"ones left out; {_so_many(found.readable, 'says', 'say')} something and "
    said += f"{'was' if found.readable == 1 else 'were'} read by {wish.binding.classifier} as it is now"
    if found.readable:
        said += ", and every such text is a card of a sample already"
    wider = " Or choose an earlier `since`." if wish.since else " Or leave `source` out." if wish.source else ""
    return f"{said}. New feedback fills the pool.{wider}"


def _so_many(n: int, one: str, more: str) -> str:
    return f"{n:,} {one if n == 1 else more}"


def _design(wanted: Wanted) -> Design:
    if wanted.pool == "targeted":
        return Targeted(wanted.size)
    if wanted.label is None:
        return Uniform(wanted.size)
    return AtLine(wanted.size, line=float(GRID[0]))


def _overlap(wanted: Wanted) -> float | None:
    """Targeted cards train: a second opinion on them is worth less than another card."""
    return 0.0 if wanted.pool == "targeted" and wanted.overlap is None else wanted.overlap


def _corrected(session: Session, wanted: Wanted) -> frozenset[str]:
    if wanted.pool == "audit":
        return frozenset()
    return frozenset(str(one) for one in corrected(session, wanted.axis))


def _reference(session: Session, wish: Wish, wanted: Wanted, pool: Pool, asked: Choices) -> dict[str, Any]:
    """By label, how the pool's probabilities are spread, in bins (`pool.spread`)."""
    if wanted.pool == "audit" and wanted.label is not None:
        return {wanted.label: spread(pool.scores)}
    some = by_lot(pool.ids, _FOR_REFERENCE, seed=0, purpose="reference")
    read = [one.probabilities for one in readings(session, wish, sorted(some))]
    labels = [choice.label for choice in asked.labels] if wanted.label is None else [wanted.label]
    return {label: spread(np.array([one.get(label, 0.0) for one in read])) for label in labels}
