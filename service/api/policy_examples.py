"""The examples of `/v1/policies` in the OpenAPI document."""

from typing import Any

_AT = "2026-11-20T10:00:02Z"
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

POLICY: dict[str, Any] = {
    "name": "default",
    "rules": [
        {
            "name": "detractor-follow-up",
            "when": "scores.nps <= 6",
            "then": {"create": "follow_up", "mandatory": True},
        }
    ],
}
POLICY_YAML = """name: default
rules:
  - name: detractor-follow-up
    when: scores.nps <= 6
    then: {create: follow_up, mandatory: true}
"""
PUBLISHED: dict[str, Any] = {
    "version": 3,
    "warnings": [{"line": 5, "column": 45, "detail": "destination desk is not set up: what is sent there waits"}],
}
CHECKED = {"name": "default", "rules": 1, "digest": _DIGEST, "warnings": PUBLISHED["warnings"]}
ACTIVATION: dict[str, Any] = {"comment": "the rules of December"}
STAGED: dict[str, Any] = {"comment": "try it on some", "share": 0.1, "scope": {"region": ["emea"]}}
_FOR_EVERYONE = {"mode": "live", "share": 1.0, "scope": {}, "since": _AT, "by": "ben"}
ACTIVATED = {
    "version": 3,
    "name": "default",
    "active": True,
    "state": "active",
    "activations": [{**_FOR_EVERYONE, "comment": "the rules of December"}],
    "comment": None,
    "created_by": "ana",
    "created_at": "2026-11-19T16:00:00Z",
    "digest": _DIGEST,
    "activated_at": _AT,
    "activated_by": "ben",
    "activation_comment": "the rules of December",
}
ENDED = {**ACTIVATED, "active": False, "state": "retired", "activations": []}
_FIRED_EARLIER = "The rule detractor-follow-up now fires at NPS 7 or less instead of 6 or less."
POLICY_DIFFERENCE: dict[str, Any] = {
    "version": 3,
    "against": 2,
    "changes": [
        {
            "section": "rules",
            "name": "detractor-follow-up",
            "kind": "changed",
            "fields": [{"field": "when", "before": "scores.nps <= 6", "after": "scores.nps <= 7"}],
            "sentences": [_FIRED_EARLIER],
        }
    ],
    "sentences": [_FIRED_EARLIER],
}
POLICY_SHOWN = {**ACTIVATED, "document": POLICY_YAML, "tree": POLICY}
