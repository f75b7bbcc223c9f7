"""A certificate in force, as a run of enough labels would have issued it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from service.store.lab_tables import CalibrationRun, Certificate
from service.store.tables import now

RUNGS = [0.7, 0.8, 0.9]
CERTIFICATE: Mapping[str, Any] = {
    "axis": "sentiment",
    "label": "negative",
    "sources": ["shop"],
    "languages": ["en"],
    "classifier": "keywords@1",
    "model_digest": "",
    "taxonomy": "default@1",
    "preparation": "",
    "calibrators": {"shop": "identity@1"},
    "designs": ["uniform"],
    "samples": [],
    "threshold": 0.8,
    "rungs": RUNGS,
    "proved": [
        {"threshold": rung, "n": n, "correct": n - 1, "lower_bound": 0.9}
        for rung, n in zip(RUNGS, (90, 80, 70), strict=True)
    ],
    "precision": 0.9,
    "confidence": 0.95,
    "n": 80,
    "correct": 79,
    "lower_bound": 0.9,
    "procedure": "fixed sequence",
    "seed": 1,
}


def proof(session: Session, *, by: str, **changes: Any) -> Certificate:
    """A certificate that is not issued yet, and the run behind it: sentiment negative from 0.7, 0.8 or 0.9 on."""
    run = CalibrationRun(axis="sentiment", precision=0.9, confidence=0.95, state="done", created_by=by)
    session.add(run)
    session.flush()
    made = Certificate(**CERTIFICATE, run_id=run.id, expires_at=now() + timedelta(weeks=26))
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def certificate(session: Session, *, by: str, **changes: Any) -> Certificate:
    """A certificate in force, at 0.8."""
    made = proof(session, by=by, **changes)
    session.add(made)
    session.flush()
    return made
