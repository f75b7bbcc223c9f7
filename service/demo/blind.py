"""The demo's sample to label blind: drawn once its feedback is read, and never a second time."""

from sqlmodel import Session, col, func, select

from models.taxonomies.taxonomy import default_taxonomy
from service.lab.labels.guidelines import ensure_shipped
from service.lab.labels.samples import Wanted, draw
from service.store.lab_tables import LabelCard, LabelSample
from service.store.tables import now

CARDS = 60
SEED = 2026  # the same cards in every demo
_DEMO = "demo"


def draw_once(session: Session) -> None:
    """Ask the reviewers about 60 answers, on the question that the demo's policy leaves open: is this one negative?"""
    ensure_shipped(session)
    drawn = select(LabelSample.id).where(col(LabelSample.created_by) == _DEMO)
    if session.exec(drawn).first() is None:
        wanted = Wanted(axis="sentiment", label="negative", size=CARDS, pool="audit", seed=SEED)
        draw(session, wanted, default_taxonomy(), by=_DEMO, at=now())


def unlabelled(session: Session) -> int:
    """Cards that wait for somebody's answer."""
    waiting = select(func.count()).select_from(LabelCard).where(col(LabelCard.state).in_(("open", "third")))
    return session.exec(waiting).one()
