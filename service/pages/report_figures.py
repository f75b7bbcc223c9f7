"""The plots of a label's report, drawn from its newest run, its certificates and the checks since."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from calibration.monitoring.promise_broken import WATCH
from service.lab.runs.last_run import LabelFinding
from service.lab.watch.trail import trail as checks
from service.pages import report_facts as facts
from service.pages.report_canvas import Picture
from service.pages.report_plots import people_and_model, promise_ladder, reliability
from service.pages.report_trail import Trail, Week, audit_trail
from service.store.lab_tables import Certificate


@dataclass(frozen=True, slots=True)
class Figures:
    """Four of the five plots; None where there is nothing to draw, and `people_note` says why."""

    ladder: Picture
    reliability: Picture | None
    people: Picture | None
    people_note: str


def figures(judged: LabelFinding, stands: float | None, room: float | None, *, certified: bool) -> Figures:
    """What a run says about a label, drawn; `stands` is where heed acts today, `room` what its people take a day."""
    found = judged.label
    people, note = facts.agreements(found)
    return Figures(
        ladder=promise_ladder(facts.ladder(found, stands, room, certified=certified)),
        reliability=reliability(facts.groups(found), found.metrics.n if found.metrics else 0),
        people=people_and_model(people, note),
        people_note=note,
    )


def trail(session: Session, certificate: Certificate | None, axis: str, label: str, at: datetime) -> Picture | None:
    """What became of the promise over time."""
    checked = checks(session, certificate, at) if certificate else None
    weeks = checked.weeks if checked else ()
    return audit_trail(
        Trail(
            weeks=[Week(one.week, one.n, one.wrong, one.evidence) for one in weeks],
            lives=facts.lives(session, axis, label, at),
            changes=facts.changes(session, axis, label),
            watch=WATCH,
            alarm=1 / checked.watch.everywhere.alarm.broken.alpha if checked and checked.watch else None,
        ),
        at,
    )
