"""The examples of `/v1/calibration/certificates` and `/v1/calibration/gates` in the OpenAPI document."""

from typing import Any

_AT = "2026-11-03T10:00:02Z"
_CERTIFICATE_ID = "0199a0f0-1c00-7000-8000-000000000011"
_RUN_ID = "0199a0f0-1c00-7000-8000-000000000012"
_CHANGE_ID = "0199a0f0-1c00-7000-8000-000000000013"
_HOLD_ID = "0199a0f0-1c00-7000-8000-000000000014"

CERTIFICATE: dict[str, Any] = {
    "id": _CERTIFICATE_ID,
    "run_id": _RUN_ID,
    "axis": "sentiment",
    "label": "negative",
    "state": "live",
    "sources": ["store-survey"],
    "languages": ["en"],
    "classifier": "heed-en@1",
    "model_digest": "9f86d081884c7d65",
    "taxonomy": "default-1",
    "preparation": "2",
    "calibrators": {"store-survey": "identity@1"},
    "designs": ["at-line-3f1b0c9a"],
    "samples": ["0199a0f0-1c00-7000-8000-000000000015"],
    "threshold": 0.83,
    "rungs": [0.83, 0.9],
    "proved": [
        {"threshold": 0.83, "n": 112, "correct": 108, "lower_bound": 0.92},
        {"threshold": 0.9, "n": 80, "correct": 79, "lower_bound": 0.942},
    ],
    "precision": 0.9,
    "confidence": 0.95,
    "attempt": 1,
    "n": 112,
    "correct": 108,
    "lower_bound": 0.92,
    "procedure": "fixed-sequence test of 70 thresholds from strict to lenient, exact binomial p-values",
    "seed": 7,
    "issued_at": _AT,
    "expires_at": "2027-05-04T10:00:02Z",
    "ended_at": None,
}
CHANGE: dict[str, Any] = {
    "id": _CHANGE_ID,
    "axis": "sentiment",
    "label": "negative",
    "source": "store-survey",
    "language": None,
    "certificate_id": _CERTIFICATE_ID,
    "hold_id": None,
    "action": "move",
    "before": 0.9,
    "after": 0.83,
    "loosens": True,
    "reason": "Too much is left to people.",
    "by": "ana",
    "at": _AT,
    "state": "waiting",
    "decided_by": None,
    "decided_at": None,
    "comment": None,
}
DONE = {**CHANGE, "state": "done", "decided_by": "ben", "decided_at": _AT, "comment": "I looked at the errors."}
DECLINED = {**DONE, "state": "declined", "comment": "Not before the holidays."}
ASKED: dict[str, Any] = {
    "axis": "sentiment",
    "label": "negative",
    "action": "move",
    "threshold": 0.83,
    "source": "store-survey",
    "reason": "Too much is left to people.",
}
HELD: dict[str, Any] = {
    "axis": "sentiment",
    "label": "negative",
    "action": "hold",
    "language": "en",
    "reason": "The wording of the survey has changed.",
}
COMMENT: dict[str, Any] = {"comment": "I looked at the errors."}
GATE: dict[str, Any] = {
    "axis": "sentiment",
    "label": "negative",
    "cells": [
        {
            "threshold": "negative",
            "source": "store-survey",
            "language": "en",
            "state": "review",
            "value": None,
            "certificate": _CERTIFICATE_ID,
            "reason": "The promise was withdrawn on 5 Nov 2026: 9 of 40 texts were wrong.",
        },
        {
            "threshold": "negative",
            "source": None,
            "language": None,
            "state": "uncertified",
            "value": 0.8,
            "certificate": None,
            "reason": None,
        },
    ],
    "certificates": [CERTIFICATE],
    "holds": [
        {
            "id": _HOLD_ID,
            "source": "store-survey",
            "language": "en",
            "certificate_id": _CERTIFICATE_ID,
            "cause": "alarm",
            "reason": "9 of 40 texts were wrong.",
            "by": "heed",
            "at": "2026-11-05T06:00:00Z",
        }
    ],
    "waiting": [CHANGE],
    "history": [CHANGE],
}
GATES: dict[str, Any] = {"items": [GATE]}
