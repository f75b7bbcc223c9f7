"""The examples of people, their settings and their notices in the OpenAPI document."""

from typing import Any

_ITEM_ID = "0199a0f0-1c00-7000-8000-000000000003"
_AT = "2026-11-20T10:00:02Z"

PREFERENCES: dict[str, Any] = {
    "manager": "eva",
    "zone": "Europe/Warsaw",
    "hours": {"mon-fri": ["09:00-17:00"]},
    "absent_from": "2030-12-23T00:00:00Z",
    "absent_until": "2031-01-02T00:00:00Z",
    "substitute": "jan",
    "destination": "helpdesk",
    "digest": "09:00",
    "alerts": 20,
}
PERSON: dict[str, Any] = {
    "name": "ana",
    "roles": ["supervisor"],
    "active": True,
    "away": False,
    "created_at": "2026-11-19T16:00:00Z",
    **PREFERENCES,
}
NOTICE: dict[str, Any] = {
    "id": "0199a0f0-1c00-7000-8000-000000000006",
    "person": "eva",
    "kind": "escalated",
    "words": "Nobody has taken this up in time: Follow up: NPS 3",
    "level": 1,
    "work_item_id": _ITEM_ID,
    "created_at": _AT,
    "due_at": _AT,
    "told_at": _AT,
    "dropped": None,
    "seen_at": None,
    "acknowledged_at": None,
    "delivery_id": None,
}
