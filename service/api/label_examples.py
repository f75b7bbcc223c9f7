"""The examples of samples, cards, labels and disputes in the OpenAPI document."""

from typing import Any

_AT = "2026-11-20T10:00:02Z"
_SAMPLE_ID = "0199a0f0-1c00-7000-8000-000000000021"
_CARD = "0199a0f0-1c00-7000-8000-000000000022"
_CARD_ID = "0199a0f0-1c00-7000-8000-000000000023"
_WORDS = "Parcel came two weeks late and broken."
_VERBATIMS = [{"question": "Why?", "text": _WORDS}]
_CHOICES = ["negative", "neutral", "positive"]
_MEANINGS = [{"label": label, "meaning": ""} for label in _CHOICES]
_SENTIMENT = "Which feeling do these words express?"

SAMPLE_ASKED: dict[str, Any] = {"axis": "sentiment", "label": "negative", "size": 60, "pool": "audit", "seed": 7}
SAMPLE_DRAWN = {
    "id": _SAMPLE_ID,
    "size": 60,
    "design": "atline-9e107d9d372b",
    "seed": 7,
    "pool_digest": "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
}
SAMPLE: dict[str, Any] = {
    **SAMPLE_DRAWN,
    "axis": "sentiment",
    "label": "negative",
    "pool": "audit",
    "source": None,
    "since": None,
    "design_document": {"kind": "AtLine", "labels": 60, "line": 0.3, "uniform_share": 0.3},
    "pool_size": 4210,
    "classifier": "heed-en@1",
    "taxonomy": "default@1",
    "purpose": "asked",
    "state": "open",
    "created_by": "ada",
    "created_at": _AT,
    "closed_at": None,
    "progress": {"open": 21, "third": 3, "disputed": 1, "settled": 35, "gone": 0, "labels": 61, "people": 2},
}
CARD: dict[str, Any] = {
    "card": _CARD,
    "text": _WORDS,
    "question": _SENTIMENT,
    "axis": "sentiment",
    "choices": _CHOICES,
    "meanings": _MEANINGS,
    "verbatims": _VERBATIMS,
    "lease_until": "2026-11-20T10:15:02Z",
    "done": 12,
    "total": 60,
}
LABELLED: dict[str, Any] = {"card": _CARD, "labels": ["negative"]}
KEPT: dict[str, Any] = {
    "id": "0199a0f0-1c00-7000-8000-000000000024",
    **LABELLED,
    "unsure": False,
    "skip": None,
    "flag": None,
    "blind": True,
    "at": _AT,
}
UNDO_ASKED: dict[str, Any] = {"card": _CARD}
UNDONE = {"card": _CARD}
REVEALED: dict[str, Any] = {
    "card": _CARD,
    "model": {"negative": 0.91, "neutral": 0.07, "positive": 0.02},
    "colleagues": [{"who": "A", "labels": ["neutral"], "unsure": False, "flag": None}],
}
DISPUTE: dict[str, Any] = {
    "card_id": _CARD_ID,
    "sample": _SAMPLE_ID,
    "axis": "sentiment",
    "question": _SENTIMENT,
    "choices": _CHOICES,
    "meanings": _MEANINGS,
    "text": _WORDS,
    "verbatims": _VERBATIMS,
    "answers": [
        {"who": "A", "labels": ["negative"], "unsure": False, "flag": None},
        {"who": "B", "labels": ["neutral"], "unsure": False, "flag": None},
        {"who": "C", "labels": [], "unsure": True, "flag": "It is about another shop."},
    ],
    "third": False,
}
DISPUTES = {"items": [DISPUTE]}
DECIDED_ASKED: dict[str, Any] = {
    "labels": ["negative"],
    "reason": "A broken parcel is a complaint, however calmly it is told.",
    "sentence": "A complaint in calm words is negative.",
}
DECIDED: dict[str, Any] = {
    "id": "0199a0f0-1c00-7000-8000-000000000025",
    "card_id": _CARD_ID,
    "labels": ["negative"],
    "reason": DECIDED_ASKED["reason"],
    "guideline": "0199a0f0-1c00-7000-8000-000000000026",
    "at": _AT,
}
