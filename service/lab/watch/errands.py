"""The lab's own jobs, each safe to be run again."""

from uuid import UUID

import structlog
from sqlmodel import Session

from models.taxonomies.taxonomy import Taxonomy
from service.lab.recalibration import refit
from service.lab.runs import run as runs
from service.lab.watch import alarms, weekly, what_changed
from service.store.database import Database
from service.store.tables import now

log = structlog.get_logger(__name__)


def calibrate(database: Database, run: UUID) -> None:
    """Judge labels, and tell who may agree to what they prove where that waits for a second person."""
    runs.run(database, run, now())
    with database.session() as session:
        what_changed.tell_awaited(session, now())


def watch(database: Database) -> None:
    """An audit sample is labelled: look whether every promise still stands."""
    with database.session() as session:
        alarms.raise_alarms(session, now())


def refit_source(database: Database, source: str) -> None:
    """A targeted sample is labelled: correct the probabilities of its source by it."""
    with database.session() as session:
        done = refit.refit(session, source, now())
    log.info("calibrator.refitted", source=source, calibrator=done.calibrator, state=done.state, **done.reasons)


def week(database: Database, taxonomy: Taxonomy) -> None:
    """Draw, watch, refit and tell what a week is for."""
    with database.session() as session:
        weekly.weekly(session, taxonomy, now())


def defer_lost(session: Session) -> int:
    """Defer the runs and the week again that nobody is at; how many."""
    return runs.defer_lost(session) + weekly.defer_lost(session)


def tell_voided(database: Database) -> None:
    """Tell those in charge of certificates that say nothing of what is read now."""
    with database.session() as session:
        what_changed.tell_voided(session, now())
