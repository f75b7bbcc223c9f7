"""The examples of `/v1/calibration/runs` in the OpenAPI document."""

from typing import Any

_AT = "2026-11-20T10:00:02Z"
_SAMPLE = "0199a0f0-1c00-7000-8000-000000000011"

RUN_ASKED: dict[str, Any] = {
    "axis": "sentiment",
    "label": "negative",
    "promise": {"precision": 0.9, "confidence": 0.95},
}
RUNNING = {"id": "0199a0f0-1c00-7000-8000-000000000010"}
RUN_LISTED: dict[str, Any] = {
    **RUNNING,
    **RUN_ASKED,
    "source": None,
    "comment": None,
    "state": "done",
    "reason": None,
    "headline": "No promise yet: negative.",
    "created_by": "ada",
    "created_at": _AT,
    "finished_at": _AT,
}
_UNKNOWN = {"reason": "no text was judged by two people", "n": 0, "procedure": "percent agreement"}
_REFUSED: dict[str, Any] = {
    "status": "refused",
    "reason_code": "too few labels",
    "reason": "18 checked answers that the model gives 0.3 or more, 29 needed even if all are right.",
    "have": 18,
    "need": 29,
    "tested": False,
    "label_next": {
        "axis": "sentiment",
        "label": "negative",
        "source": None,
        "size": 16,
        "minutes": 6,
        "sentence": "Label 11 more from 0.3 up: draw a sample of 16 cards, then start a run again.",
    },
}
_AGREEMENT: dict[str, Any] = {
    "overlap": 0,
    "percent": _UNKNOWN,
    "alpha": _UNKNOWN,
    "ac1": _UNKNOWN,
    "kappa": _UNKNOWN,
    "raters": [],
    "ceiling": None,
    "model": None,
}
_LABEL: dict[str, Any] = {
    "label": "negative",
    "sentence": f"No promise possible yet: {_REFUSED['reason']}",
    "attempt": 1,
    "precision": 0.9,
    "confidence": 0.95,
    "threshold": _REFUSED,
    "checks": [{"name": "blind", "holds": True, "finding": "18 texts were judged blind."}],
    "ladder": [{"threshold": 0.3, "n": 18, "correct": None, "lower_bound": None, "outcome": "too few"}],
    "counts": {
        "cards": 18,
        "texts": 18,
        "blind": 18,
        "sample": 18,
        "unsettled": 0,
        "third": 0,
        "disputed": 0,
        "open": 0,
        "unread": 0,
        "adjudicated": 0,
        "majority": 0,
    },
    "agreement": _AGREEMENT,
    "held_back": "What the model got right is shown once the promise can be tested.",
    "metrics": None,
    "reliability": [],
    "segments": [],
    "mistakes": [],
    "what_if": [],
    "procedure": "fixed-sequence test of 70 thresholds from strict to lenient, exact binomial p-values",
}
RUN: dict[str, Any] = {
    **RUN_LISTED,
    "thresholds": {"negative": _REFUSED},
    "metrics": {"negative": None},
    "agreement": {"negative": _AGREEMENT},
    "reliability": {"negative": []},
    "result": {
        "axis": "sentiment",
        "source": None,
        "promise": RUN_ASKED["promise"],
        "headline": RUN_LISTED["headline"],
        "notes": ["Corrections and what became of reviews are no labels: they never count here."],
        "labels": [_LABEL],
        "read_as": {
            "classifier": "heed-en@1",
            "model_digest": "3f1b0c9a5d7e",
            "taxonomy": "default@1",
            "preparation": "characters@1",
            "calibrators": {"store-survey": "identity@1"},
        },
        "sources": ["store-survey"],
        "languages": ["en"],
        "samples": [_SAMPLE],
        "designs": ["atline-3f1b0c9a5d7e"],
        "rows": 18,
        "labels_digest": "5d41402abc4b2a76b9719d911017c592",
        "seed": 7,
        "agreement_floor": 0.667,
        "at": _AT,
        "not_covered": ["single customers or single texts: it is a promise about many"],
    },
}
