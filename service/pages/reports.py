"""`/reports`: what heed promises and what not, who has to agree to what, and the samples and runs behind it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session, col, select
from starlette.responses import RedirectResponse

from calibration.calibrators.select import LEAST_LABELS
from calibration.promise import Promise
from service.api.dependencies import SessionDep, WiringDep
from service.api.problems import Problem, not_found
from service.lab.gates import moves
from service.lab.gates.changes import GateNotNow, InvalidChange, OwnChange, UnknownGate
from service.lab.labels import samples
from service.lab.labels.choices import AXES, choices
from service.lab.labels.evidence import newest_binding
from service.lab.labels.progress import Progress, progress
from service.lab.recalibration.source_corrections import source_corrections
from service.lab.runs import run as runs
from service.lab.watch.light import LabelLight, Light
from service.lab.watch.light_words import title
from service.lab.watch.lights import lights
from service.pages import report_words as words
from service.pages.render import page
from service.pages.visitor import Form, FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.route.policy import strictest
from service.route.versions import active
from service.store.lab_tables import CalibrationRun, GateChange, LabelSample, WeeklyReport
from service.store.tables import Source, now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor"))]
Operator = Annotated[SignedIn, Depends(enter())]
_SHOWN = 10  # samples and runs
_ORDER = (Light.PROMISED, Light.OVER_CAPACITY, Light.WATCH, Light.REVIEW_ALL)
_POOLS = (("audit", "to prove a promise: drawn by lot"), ("targeted", "to train: the texts heed is least sure about"))
_SAID = {
    "drawn": "The sample is drawn: reviewers find its cards on their page.",
    "begun": "The run has begun: it shows up below, and the sentences above change when it is done.",
    "approve": "Agreed. It holds from the next answer on.",
    "decline": "Declined. Everything stays as it is.",
}


@dataclass(frozen=True, slots=True)
class SampleLine:
    """A sample and how far its labelling has come."""

    row: LabelSample
    progress: Progress


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that waits for a second person, and whether that may be whoever looks at it."""

    row: GateChange
    words: str
    mine: bool


def address(axis: str, label: str) -> str:
    """Where the report of a label is."""
    return f"/reports/{axis}/{quote(label, safe='')}"


@router.get("/reports")
def show_reports(session: SessionDep, visitor: Visitor, parts: WiringDep, done: str = "") -> Response:
    """What is promised today, what is not, and what to do next."""
    return _shown(session, visitor, parts, said=_SAID.get(done, ""))


@router.post("/reports/samples")
def send_sample(session: SessionDep, visitor: Operator, parts: WiringDep, form: FormDep) -> Response:
    """Draw a sample."""
    typed = form.given("about", "size", "pool", "source")
    axis, label = _about(form)
    size = form.text("size")
    wrong = {} if size.isdecimal() and len(size) <= 5 else {"size": "A whole number of answers."}
    if not wrong:
        wanted = samples.Wanted(axis, label, int(size), form.text("pool"), form.text("source") or None)
        try:
            samples.draw(session, wanted, parts.reader.taxonomy, by=visitor.caller.name, at=now())
        except samples.InvalidSample as error:
            wrong = {error.field if error.field in typed else "about": str(error)}
        except samples.DrawingNow as error:
            wrong = {"about": str(error)}
        else:
            session.commit()
            return RedirectResponse("/reports?done=drawn#samples", 303)
    session.rollback()
    return _shown(session, visitor, parts, typed={"sample": typed}, wrong={"sample": wrong}, status=422)


@router.post("/reports/runs")
def send_run(session: SessionDep, visitor: Operator, parts: WiringDep, form: FormDep) -> Response:
    """Start a run on what was labelled."""
    typed = form.given("about", "source", "reason")
    axis, label = _about(form)
    reason = form.text("reason")
    wrong = {} if reason else {"reason": "Say why: whoever looks at the run later has to understand it."}
    if not wrong:
        wanted = runs.Wanted(axis, label, _promise(session, axis, label), form.text("source") or None, reason)
        try:
            runs.begin(session, wanted, by=visitor.caller.name, at=now())
        except runs.InvalidRun as error:
            wrong = {error.field if error.field in typed else "about": str(error)}
        else:
            session.commit()
            return RedirectResponse("/reports?done=begun#runs", 303)
    session.rollback()
    return _shown(session, visitor, parts, typed={"run": typed}, wrong={"run": wrong}, status=422)


@router.post("/reports/changes/{change_id}")
def send_decision(session: SessionDep, visitor: Operator, parts: WiringDep, form: FormDep, change_id: UUID) -> Response:
    """Agree to a change that waits, or decline it."""
    decision = form.text("decision")
    decide = {"approve": moves.approve, "decline": moves.decline}.get(decision)
    if decide is None:
        raise Problem(422, "Choose: agree to the change, or decline it.")
    try:
        decide(session, change_id, visitor.caller.name, form.text("comment") or None, now())
    except UnknownGate as error:
        raise not_found("change") from error
    except (OwnChange, GateNotNow, InvalidChange) as error:
        session.rollback()
        wrong = {"change": {str(change_id): str(error)}}
        return _shown(session, visitor, parts, wrong=wrong, status=409)
    session.commit()
    return RedirectResponse(f"/reports?done={decision}#waiting", 303)


def _about(form: Form) -> tuple[str, str | None]:
    """Which axis and label a form is about: `sentiment/negative`, or `topic/` for a whole axis."""
    axis, _, label = form.text("about").partition("/")
    return axis, label or None


def _promise(session: Session, axis: str, label: str | None) -> Promise:
    """What the policy promises of it: of several thresholds the strictest; else nine in ten, 1 time in 20."""
    thresholds = active(session).policy.thresholds.values()
    asked = [one.promise for one in thresholds if one.promise and one.axis == axis and label in {None, one.label}]
    return strictest(asked) or Promise(0.90, 0.95)


def _shown(
    session: Session,
    visitor: SignedIn,
    parts: WiringDep,
    *,
    typed: Mapping[str, Mapping[str, str]] | None = None,
    wrong: Mapping[str, Mapping[str, str]] | None = None,
    said: str = "",
    status: int = 200,
) -> Response:
    at = now()
    found = sorted(lights(session, at), key=lambda one: _ORDER.index(one.state))
    return page(
        "reports.html.j2",
        visitor,
        status=status,
        here="/reports",
        said=said,
        lead=_lead(found),
        lights=found,
        states=words.STATES,
        tally=Counter(one.state for one in found),
        week=session.exec(select(WeeklyReport).order_by(col(WeeklyReport.week).desc())).first(),
        waiting=_waiting(session, visitor.caller.name),
        fewest=LEAST_LABELS,
        corrected=source_corrections(session, newest_binding(session)),
        unproved=words.unproved(active(session).policy),
        not_covered=words.not_covered(),
        samples=_samples(session),
        runs=session.exec(select(CalibrationRun).order_by(col(CalibrationRun.created_at).desc()).limit(_SHOWN)).all(),
        abouts=_abouts(parts, found),
        sources=[("", "all sources"), *((name, name) for name in session.exec(select(Source.name).order_by("name")))],
        pools=_POOLS,
        address=address,
        title=title,
        typed=typed or {},
        wrong=wrong or {},
        acts=visitor.caller.may(reading=False),
        now=at,
    )


def _lead(found: Sequence[LabelLight]) -> str:
    """How many promises there are, in one sentence."""
    if not found:
        return "heed promises nothing: no rule of the policy that decides asks for a threshold."
    held = sum(one.promised for one in found)
    if len(found) == 1:
        return f"heed makes {'a' if held else 'no'} promise about the one kind of answers that its policy asks about."
    return f"heed makes a promise about {held or 'none'} of {len(found)} kinds of answers."


def _waiting(session: Session, name: str) -> list[Waiting]:
    rows = session.exec(select(GateChange).where(col(GateChange.state) == "waiting").order_by(col(GateChange.at)))
    return [Waiting(row, words.change_words(row), mine=row.by == name) for row in rows]


def _samples(session: Session) -> list[SampleLine]:
    newest = session.exec(select(LabelSample).order_by(col(LabelSample.created_at).desc()).limit(_SHOWN)).all()
    found = progress(session, [row.id for row in newest])
    return [SampleLine(row, found[row.id]) for row in newest]


def _abouts(parts: WiringDep, found: Sequence[LabelLight]) -> list[tuple[str, str]]:
    """What a sample or a run may be about: first what the policy asks for, then whole axes, then every label."""
    asked = [(f"{one.axis}/{one.label}", one.title) for one in found]
    axes = [(f"{axis}/", f"Everything about {axis}") for axis in AXES]
    every = [
        (f"{axis}/{choice.label}", title(axis, choice.label))
        for axis in AXES
        for choice in choices(axis, parts.reader.taxonomy).labels
    ]
    return list(dict([*asked, *axes, *(one for one in every if one not in asked)]).items())
