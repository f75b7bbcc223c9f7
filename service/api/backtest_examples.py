"""The examples of `/v1/backtests` in the OpenAPI document."""

from typing import Any

_FEEDBACK_ID = "0199a0f0-1c00-7000-8000-000000000001"
_AT = "2026-11-20T10:00:02Z"

BACKTEST_ASKED: dict[str, Any] = {"since": "2026-10-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}
BACKTESTING = {"id": "0199a0f0-1c00-7000-8000-000000000006"}
BACKTEST_LISTED: dict[str, Any] = {
    **BACKTESTING,
    "policy_version": 3,
    "against_version": 2,
    **BACKTEST_ASKED,
    "state": "done",
    "reason": None,
    "records": 1,
    "done": 1,
    "created_by": "ada",
    "created_at": _AT,
    "finished_at": _AT,
}
_APPEARS: dict[str, Any] = {"now": 0, "then": 1, "appears": 1, "vanishes": 0, "changed": 0}
BACKTEST_CASE: dict[str, Any] = {
    "feedback_id": _FEEDBACK_ID,
    "change": "appears",
    "kind": "follow_up",
    "rule": "detractor-follow-up",
    "owner": "jan",
    "day": "2026-10-20",
    "words": "Parcel came two weeks late and broken.",
}
BACKTEST: dict[str, Any] = {
    **BACKTEST_LISTED,
    "result": {
        "records": 1,
        "unread": 0,
        "differing": 1,
        "kinds": [{"kind": "follow_up", **_APPEARS}],
        "rules": [{"rule": "detractor-follow-up", "kind": "follow_up", **_APPEARS}],
        "owners": [
            {
                "owner": "jan",
                **_APPEARS,
                "capacity": 25,
                "busiest_now": 0,
                "busiest_then": 1,
                "days_above_now": 0,
                "days_above_then": 0,
            }
        ],
        "days": [{"day": "2026-10-20", "kind": "follow_up", **_APPEARS}],
        "load": [{"owner": "jan", "day": "2026-10-20", "now": 0, "then": 1}],
        "queue": {
            "handling": {"follow_up": 20},
            "missed_now": 0,
            "missed_then": 0,
            "misses": [
                {
                    "sla": "detractor",
                    "owner": "jan",
                    "target": "acknowledge",
                    "items_now": 0,
                    "items_then": 1,
                    "missed_now": 0,
                    "missed_then": 0,
                }
            ],
            "assumptions": ["Everybody works at one item at a time, the one that is due first."],
        },
        "promises": {
            "sentence": "The threshold negative has no certificate, so nothing can be promised about how many items "
            "are wrong."
        },
        "assumptions": ["Records count by when they were received, in their newest revision."],
        "cases": 1,
        "seconds": 0.7,
        "processes": 1,
    },
}
BACKTEST_CANCELLED: dict[str, Any] = {
    **BACKTEST_LISTED,
    "state": "cancelled",
    "reason": "Cancelled by ada.",
    "result": None,
}
