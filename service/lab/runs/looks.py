"""Looks at labels: which attempt at a promise the next one is, and which labels it may use.

Why a promise holds although people look several times, as long as they do not choose when to look by what the labels
say of the model:

- A look that cannot test anything (too few labels, too few judged by two people) spends nothing and shows nothing of
  what the model got right. How many labels it still needs depends on no answer. So nobody can stop when it looks good.
- A look that tested spends the labels it used, whatever it found: samples drawn before it never count again.
- After one that tested, the next may err half as often (`Promise.at_attempt`), also where it certified: else who
  finds a threshold too strict could prove anew until a lucky sample lets more pass. All attempts at a promise together
  err at most twice as often as it says. The count begins anew with the first look after a certificate's whole life,
  where a fresh proof is due anyway.
- While a certificate is in force, the weekly samples are shown on its audit trail as they come in. They raise alarms
  and never certify. Other samples drawn meanwhile are shown there too: each beyond the first counts as an attempt,
  since somebody may have waited for the one that suits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from calibration.promise import MOST_ATTEMPTS
from service.lab.labels.evidence import Binding
from service.store.lab_tables import Certificate, LabelSample

LIFE = timedelta(weeks=26)  # of a certificate
_KEY = 0x68656C61  # any constant: one run writes down what it found at a time
_TESTED = text("""
    SELECT run.finished_at,
        one -> 'threshold' ->> 'status' = 'certified' AND run.finished_at <= now() - CAST(:life AS interval) AS outlived
    FROM calibration_run run, jsonb_array_elements(run.result -> 'labels') one
    WHERE run.axis = :axis AND run.state = 'done' AND one ->> 'label' = :label
        AND (one -> 'threshold' ->> 'status' = 'certified' OR (one -> 'threshold' ->> 'tested')::boolean)
        AND run.result -> 'read_as' ->> 'classifier' = :classifier
        AND run.result -> 'read_as' ->> 'model_digest' = :model_digest
        AND run.result -> 'read_as' ->> 'taxonomy' = :taxonomy
        AND run.result -> 'read_as' ->> 'preparation' = :preparation
        AND (run.source = :source OR run.source IS NULL OR CAST(:source AS text) IS NULL)
    ORDER BY run.finished_at
""")


@dataclass(frozen=True, slots=True)
class NextLook:
    """The next look at a label: its attempt, since when samples count, and those that never do.

    `spent` says that so many attempts were made that none of the error is left for another.
    """

    attempt: int
    since: datetime | None
    without: frozenset[UUID]
    spent: bool = False


def one_at_a_time(session: Session) -> None:
    """Wait until no other run writes down what it found; until the caller's transaction ends, none does."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _KEY})


def next_look(session: Session, axis: str, label: str, source: str | None, binding: Binding) -> NextLook:
    """Which attempt comes next, and on what; a look at all sources and one at a single source share their labels."""
    asked = {
        "axis": axis,
        "label": label,
        "source": source,
        "classifier": binding.classifier,
        "model_digest": binding.model_digest,
        "taxonomy": binding.taxonomy,
        "preparation": binding.preparation,
        "life": LIFE,
    }
    looks = session.execute(_TESTED, asked).all()
    outlived = [place for place, look in enumerate(looks, start=1) if look.outlived]
    before = len(looks) - (outlived[-1] if outlived else 0)
    since = looks[-1].finished_at if looks else None
    watched = _watched(session, axis, label, since)
    weekly = frozenset(sample.id for sample in watched if sample.purpose == "weekly")
    attempt = 1 + before + max(0, len(watched) - len(weekly) - 1)
    return NextLook(min(attempt, MOST_ATTEMPTS), since, weekly, spent=attempt > MOST_ATTEMPTS)


def _watched(session: Session, axis: str, label: str, since: datetime | None) -> Sequence[LabelSample]:
    """The samples whose answers were shown as they came in: drawn while a certificate of the label was in force."""
    drawn = col(LabelSample.created_at)
    ended = col(Certificate.ended_at)
    wanted = [
        col(LabelSample.axis) == axis,
        col(LabelSample.pool) == "audit",
        col(LabelSample.label).is_(None) | (col(LabelSample.label) == label),
        select(Certificate.id)
        .where(
            col(Certificate.axis) == axis,
            col(Certificate.label) == label,
            col(Certificate.state).in_(["live", "superseded"]),
            col(Certificate.classifier) == col(LabelSample.classifier),
            col(Certificate.model_digest) == col(LabelSample.model_digest),
            col(Certificate.issued_at) <= drawn,
            col(Certificate.expires_at) > drawn,
            ended.is_(None) | (ended > drawn),
        )
        .exists(),
    ]
    if since is not None:
        wanted.append(drawn > since)
    return session.exec(select(LabelSample).where(*wanted)).all()
