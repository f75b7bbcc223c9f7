"""The examples of the OpenAPI document: what is asked and what is answered, each valid for its model."""

from collections.abc import Mapping
from typing import Any

_FEEDBACK_ID = "0199a0f0-1c00-7000-8000-000000000001"
_DECISION_ID = "0199a0f0-1c00-7000-8000-000000000002"
_ITEM_ID = "0199a0f0-1c00-7000-8000-000000000003"
_DELIVERY_ID = "0199a0f0-1c00-7000-8000-000000000004"
_AT = "2026-11-20T10:00:02Z"
_DUE = "2026-11-21T10:00:02Z"

RECORD: dict[str, Any] = {
    "source": "store-survey",
    "external_id": "r-1001",
    "submitted_at": "2026-11-20T10:00:00Z",
    "scores": {"nps": 3, "csat": 2},
    "verbatims": [{"question": "Why?", "text": "Parcel came two weeks late and broken."}],
    "customer": {"id": "c-77", "tier": "gold", "region": "emea"},
    "context": {"product_line": "kettles", "site": "Lodz", "lot": "L-204"},
    "consent": {"contact": True},
    "language": "en",
}
INGESTED = {
    "results": [{"id": _FEEDBACK_ID, "source": "store-survey", "external_id": "r-1001", "status": "new"}],
}
LISTED = {
    "id": _FEEDBACK_ID,
    "source": "store-survey",
    "external_id": "r-1001",
    "revision": 1,
    "state": "routed",
    "reason": None,
    "received_at": "2026-11-20T10:00:01Z",
}
RETRIED = {**LISTED, "state": "received"}

TEXTS: dict[str, Any] = {"texts": ["Parcel came two weeks late and broken."], "questions": ["Why?"]}
_READ: dict[str, Any] = {
    "classifier": "heed-en@1",
    "sentiment": {"label": "negative", "probabilities": {"negative": 0.91, "neutral": 0.07, "positive": 0.02}},
    "topics": [{"label": "delivery", "probability": 0.88, "threshold": 0.5}],
    "type": {"probabilities": {"complaint": 0.9, "praise": 0.02, "question": 0.03, "suggestion": 0.05}},
    "urgency": {"label": "normal", "probabilities": {"low": 0.2, "normal": 0.6, "high": 0.2}},
    "language": {"code": "en", "probability": 0.99},
    "mixed": False,
    "truncated": False,
    "degraded": False,
    "abstain": None,
    "spans": [{"verbatim": 0, "start": 12, "end": 26, "axis": "topic", "label": "delivery", "probability": 0.8}],
}
CLASSIFIED = {"results": [_READ]}

_EXPLAINED = {
    "rule": "detractor-follow-up",
    "clauses": [{"text": "scores.nps <= 6", "value": 3, "result": True}],
}
DECISION: dict[str, Any] = {
    "id": _DECISION_ID,
    "feedback_id": _FEEDBACK_ID,
    "revision": 1,
    "policy_version": 2,
    "classifier": "heed-en@1",
    "calibrator": None,
    "taxonomy": "default-1",
    "calendar": None,
    "thresholds": {"topic.delivery": {"value": 0.5, "certified": False, "certificate": None}},
    "case": {"scores": {"nps": 3}},
    "rules": [{**_EXPLAINED, "result": True, "outcome": "fired", "because": None}],
    "review": [],
    "mode": "live",
    "decided_at": _AT,
    "format": 2,
    "input": "3f1b0c9a5d7e",
    "plans": [
        {
            "kind": "follow_up",
            "rules": ["detractor-follow-up"],
            "mandatory": True,
            "priority": "high",
            "tags": [],
            "group": None,
            "sla": None,
            "deliver": [],
            "key": [],
            "join": None,
        }
    ],
    "bypass": None,
}
WHY_NOT: dict[str, Any] = {
    "rule": "detractor-follow-up",
    "outcome": "not_fired",
    "sentence": "It would have fired had NPS been 6 or less; it was 7.",
    "because": None,
    "change": {"name": "scores.nps", "was": 7, "needed": 6},
    "lacking": [],
}
REPLAYED = {"identical": True, "differences": []}

DELIVERY = {
    "id": _DELIVERY_ID,
    "work_item_id": _ITEM_ID,
    "destination": "helpdesk",
    "operation": "create",
    "state": "delivered",
    "attempts": 1,
    "next_at": None,
    "external_ref": "T-4711",
    "external_url": "https://desk.example.com/T-4711",
    "idempotency_key": _DELIVERY_ID,
    "last_error": None,
    "created_at": _AT,
}
SENT_AGAIN = {**DELIVERY, "state": "pending", "next_at": _DUE, "external_ref": None, "external_url": None}
WORK_ITEM: dict[str, Any] = {
    "id": _ITEM_ID,
    "kind": "follow_up",
    "status": "open",
    "mandatory": True,
    "title": "Follow up: NPS 3",
    "priority": "high",
    "owner": None,
    "tags": [],
    "rule": "detractor-follow-up",
    "feedback_ids": [_FEEDBACK_ID],
    "decision_id": _DECISION_ID,
    "created_at": _AT,
    "due_at": _DUE,
    "wait_until": None,
    "outcome": None,
    "root_cause": None,
    "offered_to": None,
    "offer_due_at": None,
    "harm": 3000.0,
    "bypass": {"name": "key-accounts", "reason": "The contract names a person.", "reviewed": None},
    "targets": {"acknowledge": {"due_at": _DUE, "met_at": None, "state": "running"}, "contact": None, "resolve": None},
    "why": [{**_EXPLAINED, "reason": None}],
    "events": [{"sequence": 1, "type": "created", "actor": "heed", "at": _AT, "data": {}}],
    "deliveries": [DELIVERY],
}
BACKLOG_ITEM: dict[str, Any] = {
    "id": _ITEM_ID,
    "title": 'Suggestion (delivery): "Let me choose the day of delivery."',
    "status": "open",
    "tags": ["delivery"],
    "score": 3.08,
    "factors": {"voices": 1, "account_value": 120000, "newest": "2026-11-20T10:00:01Z"},
    "evidence": [
        {
            "feedback_id": _FEEDBACK_ID,
            "text": "Let me choose the day of delivery.",
            "question": "What could we do better?",
            "source": "store-survey",
            "received_at": "2026-11-20T10:00:01Z",
        }
    ],
    "work_item_id": _ITEM_ID,
    "owner": None,
    "rule": "product-suggestion",
    "created_at": _AT,
}
EVENTS: Mapping[str, dict[str, Any]] = {
    "acknowledge": {"type": "acknowledge"},
    "assign": {"type": "assign", "owner": "ana"},
    "contact_attempt": {"type": "contact_attempt", "channel": "phone", "outcome": "reached"},
    "wait": {"type": "wait", "until": "2030-11-23T09:00:00Z", "comment": "The customer looks for the receipt."},
    "resume": {"type": "resume"},
    "resolve": {"type": "resolve", "outcome": "replaced", "root_cause": "packaging"},
    "hand_off": {"type": "hand_off", "owner": "sam", "comment": "You know this customer."},
    "accept": {"type": "accept"},
    "decline": {"type": "decline", "comment": "I am away from tomorrow."},
    "acknowledge_escalation": {"type": "acknowledge_escalation", "comment": "I call the customer today."},
    "review_bypass": {"type": "review_bypass", "fitting": True, "comment": "It was urgent."},
    "wrong_routing": {
        "type": "wrong_routing",
        "axis": "sentiment",
        "label": "negative",
        "right": "positive",
        "comment": "It is irony: they liked it.",
    },
    "judge": {"type": "judge", "rules": {"negative-text-ticket": True}, "comment": "It is ironic."},
    "reopen": {"type": "reopen", "comment": "The replacement was broken, too."},
}
REASSIGNMENT: dict[str, Any] = {"from": "jan", "to": "sam", "kind": "ticket", "comment": "Jan is on leave."}
REASSIGNED: dict[str, Any] = {"reassigned": 1, "left": 0, "items": [_ITEM_ID]}
STORY: dict[str, Any] = {
    **{name: LISTED[name] for name in ("id", "state", "reason", "received_at")},
    "feedback": {**RECORD, "revision": 1},
    "revisions": [1],
    "classification": {**_READ, "verbatims": [_READ]},
    "decision": DECISION,
    "work_items": [WORK_ITEM],
    "deliveries": [DELIVERY],
}
WITHDRAWN = {**STORY, "state": "withdrawn", "work_items": [{**WORK_ITEM, "status": "retracted", "due_at": None}]}

_WEBHOOK = {"base_url": "https://desk.example.com/heed"}
DESTINATION: dict[str, Any] = {"name": "helpdesk", "kind": "webhook", "settings": _WEBHOOK}
CHANGE: dict[str, Any] = {"settings": {"base_url": "https://desk.example.com/heed/v2"}, "enabled": True}
DESTINATION_SHOWN = {
    "name": "helpdesk",
    "kind": "webhook",
    "address": "https://desk.example.com/heed",
    "secret": None,
    "settings": _WEBHOOK,
    "enabled": True,
    "disabled_reason": None,
}
DESTINATION_MADE = {**DESTINATION_SHOWN, "secret": "whsec_c2hvd24gdGhpcyBvbmNl"}
TRIED = {"ok": False, "detail": "The other side answered 401: look at the secret."}

SOURCE: dict[str, Any] = {
    "name": "store-survey",
    "kind": "api",
    "address": "https://heed.example.com/v1/feedback",
    "settings": {},
    "created_at": "2026-11-19T16:00:00Z",
    "newest_at": _AT,
}

UPLOAD = {
    "file": "id,text,nps\nr-1001,Parcel came two weeks late and broken.,3\n",
    "source": "store-survey",
    "mapping": '{"external_id": "id", "verbatims.0.text": "text", "scores.nps": "nps"}',
    "history": "true",
}
IMPORTING = {"id": "0199a0f0-1c00-7000-8000-000000000005"}
IMPORT_LISTED: dict[str, Any] = {
    **IMPORTING,
    "source": "store-survey",
    "file_name": "december.csv",
    "history": True,
    "state": "done",
    "reason": None,
    "rows": 3,
    "new": 1,
    "duplicate": 1,
    "revision": 0,
    "stale": 0,
    "rejected": 1,
    "created_by": "survey platform",
    "created_at": _AT,
    "finished_at": _AT,
}
IMPORT: dict[str, Any] = {
    **IMPORT_LISTED,
    "layout": {
        "format": "csv",
        "encoding": "utf-8",
        "delimiter": ",",
        "sheet": None,
        "columns": ["id", "text", "nps"],
        "notes": [],
    },
    "mapping": {"external_id": "id", "verbatims.0.text": "text", "scores.nps": "nps"},
    "errors": [{"row": 3, "column": "nps", "detail": "At most 10 is allowed here."}],
}


def page(item: Mapping[str, Any]) -> dict[str, Any]:
    """A list's answer that holds this item and ends there."""
    return {"items": [item], "next": None}


def answer(status: int, example: Mapping[str, Any], *, conflict: str = "") -> dict[int | str, dict[str, Any]]:
    """What a route declares of its answers: an example of the good one, and when there is a 409 instead."""
    good: dict[int | str, dict[str, Any]] = {status: {"content": {"application/json": {"example": example}}}}
    return good | ({409: {"description": conflict}} if conflict else {})
