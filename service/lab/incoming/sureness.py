"""How sure the model was of a label in what came in lately: by day for what-if, and in bins to see drift."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import text
from sqlmodel import Session

from calibration.thresholds.precision import GRID
from calibration.thresholds.what_if import Traffic

DAYS = 28
MOST = 100_000  # records looked at, the newest: a run must not wait for more
_LATELY = """
    WITH lately AS MATERIALIZED (
        SELECT id, source, revision, received_at FROM feedback
        WHERE received_at >= :since AND received_at < :until AND withdrawn_at IS NULL AND NOT history
            AND source = ANY (:sources)
        ORDER BY received_at DESC LIMIT :most
    ), read AS (
        SELECT DISTINCT ON (lately.id) lately.received_at, coalesce(
            CASE WHEN :axis = 'topic' THEN (topics ->> :label)::float
            ELSE (document #>> ARRAY[:axis, 'probabilities', :label])::float END, 0) AS sure
        FROM lately JOIN classification
            ON classification.feedback_id = lately.id AND classification.revision = lately.revision
        WHERE NOT degraded AND document ->> 'abstain' IS NULL
        ORDER BY lately.id, classification.id DESC
    )
"""
_DAY = "floor(extract(epoch FROM received_at - CAST(:since AS timestamptz)) / 86400)::int"
_BY_DAY = text(f"{_LATELY} SELECT {_DAY}, floor(100 * sure + 1e-9)::int, count(*) FROM read GROUP BY 1, 2")  # noqa: S608 (our own text)
_BIN = "width_bucket(sure, CAST(:cuts AS float[]))"
_IN_BINS = text(f"{_LATELY} SELECT {_BIN}, count(*) FROM read GROUP BY 1")  # noqa: S608 (our own text)


def traffic(session: Session, axis: str, label: str, at: datetime, sources: Collection[str]) -> Traffic:
    """By day, how many records of these sources came and how many were this sure: whole days, four weeks at most.

    Every position of the ladder is a whole per cent, so that counting by per cent loses nothing.
    """
    rows = session.execute(_BY_DAY, _asked(axis, label, at - timedelta(days=DAYS), at, sources)).all()
    first = min((day for day, _, _ in rows), default=DAYS)
    counts = np.zeros((DAYS - first, 101), dtype=np.int64)
    for day, sure, count in rows:
        counts[day - first, min(sure, 100)] += count
    at_or_above = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    return Traffic(GRID, counts.sum(axis=1), at_or_above[:, np.rint(GRID * 100).astype(np.int64)])


def in_bins(
    session: Session,
    axis: str,
    label: str,
    since: datetime,
    until: datetime,
    sources: Collection[str],
    cuts: Sequence[float],
) -> list[int]:
    """How many records fell into each of the bins that `cuts` separate; what lies on a cut belongs to the bin above."""
    asked = _asked(axis, label, since, until, sources) | {"cuts": list(cuts)}
    found = {row[0]: int(row[1]) for row in session.execute(_IN_BINS, asked)}
    return [found.get(place, 0) for place in range(len(cuts) + 1)]


def _asked(axis: str, label: str, since: datetime, until: datetime, sources: Collection[str]) -> dict[str, object]:
    period = {"since": since, "until": until, "most": MOST}
    return {"axis": axis, "label": label, "sources": sorted(sources), **period}
