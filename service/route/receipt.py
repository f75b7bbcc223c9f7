"""The receipt of a decision: canonical text that holds all it was made on, and its replay."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Literal

from service.route.canonical import canonical, utc_text
from service.route.case import Case
from service.route.decide import Decision, ResolvedThreshold, decide
from service.route.policy import Policy

Mode = Literal["live", "shadow", "history"]
_HOLIDAYS = version("holidays")
FORMAT = 2  # of what is written now; what was written in an earlier one replays in that for ever


@dataclass(frozen=True, slots=True)
class Provenance:
    """Whose decision it is, and by which versions. A record without text has no classifier, None.

    `input` is the digest of the answer that was decided on. `format` 1 had neither it, nor plans, a bypass, or why a
    rule that was true did not fire.
    """

    id: str
    feedback_id: str
    revision: int
    policy_version: int
    classifier: str | None
    calibrator: str | None
    taxonomy: str | None
    calendar: str | None
    mode: Mode
    decided_at: datetime
    input: str | None = None
    format: int = FORMAT


def receipt(decision: Decision, case: Case, provenance: Provenance) -> str:
    """Write the receipt as canonical JSON. The same values give the same bytes.

    Raises:
        ValueError: a time without zone, or a number in the case that is not finite.
    """
    told: dict[str, object] = {
        "id": provenance.id,
        "feedback_id": provenance.feedback_id,
        "revision": provenance.revision,
        "policy_version": provenance.policy_version,
        "classifier": provenance.classifier,
        "calibrator": provenance.calibrator,
        "taxonomy": provenance.taxonomy,
        "calendar": provenance.calendar,
        "thresholds": {name: value.to_json() for name, value in decision.thresholds.items()},
        "case": case.to_json(),
        "rules": [outcome.to_json() for outcome in decision.rules],
        "review": list(decision.review),
        "mode": provenance.mode,
        "decided_at": utc_text(provenance.decided_at),
    }
    if provenance.format >= FORMAT:
        told |= {
            "format": provenance.format,
            "input": provenance.input,
            "rules": [{**outcome.to_json(), "because": outcome.because} for outcome in decision.rules],
            "plans": [plan.to_json() for plan in decision.plans],
            "bypass": decision.bypass.to_json() if decision.bypass else None,
        }
    return canonical(told)


def calendars_of(policy: Policy, decision: Decision) -> str | None:
    """The calendars on which the clocks of a decision's plans run: `always, emea (holidays 0.109)`.

    None where no clock starts. Holidays come from a library, and a version of that may know them better.
    """
    levels = {policy.slas[plan.sla].calendar for plan in decision.plans if plan.sla in policy.slas}
    return ", ".join(_calendar(policy, name) for name in sorted(levels)) or None


def _calendar(policy: Policy, name: str) -> str:
    calendar = policy.calendars.get(name)
    return f"{name} (holidays {_HOLIDAYS})" if calendar is not None and calendar.holidays else name


def decided_on(text: str) -> tuple[Case, Mapping[str, ResolvedThreshold]]:
    """The values a stored decision was made on.

    Raises:
        KeyError, TypeError, ValueError: the text is no receipt.
    """
    told = json.loads(text)
    thresholds = {name: ResolvedThreshold(**value) for name, value in told["thresholds"].items()}
    return Case.from_json(told["case"]), thresholds


def replay(text: str, policy: Policy) -> str:
    """Decide again from what the receipt holds and write the new receipt: the same bytes where nothing differs.

    Raises:
        KeyError, TypeError, ValueError: the text is no receipt.
    """
    told = json.loads(text)
    case, thresholds = decided_on(text)
    provenance = Provenance(
        id=told["id"],
        feedback_id=told["feedback_id"],
        revision=told["revision"],
        policy_version=told["policy_version"],
        classifier=told["classifier"],
        calibrator=told["calibrator"],
        taxonomy=told["taxonomy"],
        calendar=told["calendar"],
        mode=told["mode"],
        decided_at=datetime.fromisoformat(told["decided_at"]),
        input=told.get("input"),
        format=told.get("format", 1),
    )
    return receipt(decide(policy, case, thresholds), case, provenance)
