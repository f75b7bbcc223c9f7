"""`/reports/{axis}/{label}`: one promise in five plots, what another threshold would mean, and who changed what."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session, col, select
from starlette.responses import RedirectResponse

from calibration.thresholds.precision import OPERATING_POINT
from service.api.dependencies import SessionDep, WiringDep
from service.api.problems import Problem, not_found
from service.lab.gates import moves
from service.lab.gates.changes import GateNotNow, InvalidChange, UnknownGate
from service.lab.gates.in_force import Scope, in_use
from service.lab.labels.choices import UnknownAxis, choices
from service.lab.runs.last_run import LabelFinding, last_run
from service.lab.watch.light_words import title
from service.lab.watch.lights import lights
from service.pages import report_words as words
from service.pages.render import page
from service.pages.report_figures import figures, trail
from service.pages.report_mistakes import Pair, checked_since, pairs
from service.pages.reports import address
from service.pages.visitor import Form, FormDep, PageRoute, enter
from service.pages.what_if_page import Slider, slider
from service.people.sessions import SignedIn
from service.store.lab_tables import Certificate, GateChange, GateHold
from service.store.tables import now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor"))]
Operator = Annotated[SignedIn, Depends(enter())]
_HISTORY = 50
_SAID = {
    "moved": "The threshold is moved: it holds from the next answer on.",
    "asked": "Kept. It waits until a second person agrees.",
    "held": "People decide about each of these from the next answer on.",
}


@router.get("/reports/{axis}/{label:path}")
def show_label(
    session: SessionDep,
    visitor: Visitor,
    parts: WiringDep,
    axis: str,
    label: str,
    at: Annotated[float | None, Query(ge=0, le=1)] = None,
    done: str = "",
) -> Response:
    """Everything that is known about one promise."""
    _known(parts, axis, label)
    return _shown(session, visitor, axis, label, at=at, said=_SAID.get(done, ""))


@router.post("/reports/{axis}/{label:path}")
def act_on_label(
    session: SessionDep, visitor: Operator, parts: WiringDep, form: FormDep, axis: str, label: str
) -> Response:
    """Move its threshold, let people decide about it, or ask that they no longer do."""
    _known(parts, axis, label)
    act = form.text("act")
    try:
        done = _act(session, visitor, form, axis, label)
    except (InvalidChange, GateNotNow, UnknownGate) as error:
        session.rollback()
        wrong = {f"{act}-{getattr(error, 'field', 'reason')}": str(error), act: str(error)}
        typed = form.given("reason", "scope", "at")
        status = 422 if isinstance(error, InvalidChange) else 409
        return _shown(
            session, visitor, axis, label, at=_number(form.text("at")), typed=typed, wrong=wrong, status=status
        )
    session.commit()
    return RedirectResponse(f"{address(axis, label)}?done={done}", 303)


def _act(session: Session, visitor: SignedIn, form: Form, axis: str, label: str) -> str:
    """What was asked for, done; what came of it."""
    by, reason, at = visitor.caller.name, form.text("reason"), now()
    source, _, language = (form.text("scope") + "/").partition("/")
    where = Scope(axis, label, source or None, language.removesuffix("/") or None)
    match form.text("act"):
        case "hold":
            held = moves.hold(session, where, cause="person", by=by, reason=reason, at=at)
            if held is None:
                raise GateNotNow("Somebody holds exactly this already.")
            return "held"
        case "lift":
            moves.lift(session, where, by=by, reason=reason, at=at)
            return "asked"
        case "move":
            threshold = _number(form.text("at"))
            if threshold is None:
                raise InvalidChange("threshold", "Choose a position.")
            change = moves.move(session, where, threshold=threshold, by=by, reason=reason, at=at)
            return "asked" if change.state == "waiting" else "moved"
    raise Problem(422, "Choose what to do: move the threshold, hold the label, or lift a hold.")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


def _known(parts: WiringDep, axis: str, label: str) -> None:
    try:
        known = [choice.label for choice in choices(axis, parts.reader.taxonomy).labels]
    except UnknownAxis as error:
        raise not_found("report") from error
    if label not in known:
        raise not_found("report")


def _shown(
    session: Session,
    visitor: SignedIn,
    axis: str,
    label: str,
    *,
    at: float | None = None,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    said: str = "",
    status: int = 200,
) -> Response:
    moment = now()
    judged = last_run(session, axis, label)
    certificate = _certificate(session, axis, label)
    stands = certificate.threshold if certificate else in_use(session, Scope(axis, label))
    holds = _holds(session, axis, label)
    light = next((one for one in lights(session, moment) if (one.axis, one.label) == (axis, label)), None)
    return page(
        "report_label.html.j2",
        visitor,
        status=status,
        here="/reports",
        said=said,
        title=title(axis, label),
        light=light,
        states=words.STATES,
        judged=judged,
        figures=figures(judged, stands, light.room if light else None, certified=certificate is not None)
        if judged
        else None,
        trail=trail(session, certificate, axis, label, moment),
        pairs=_pairs(session, judged, certificate, stands),
        slider=_slider(judged, certificate, stands, at, held=any(one.source is None for one in holds)),
        certificate=certificate,
        scopes=_scopes(certificate),
        holds=holds,
        history=_history(session, axis, label),
        change_words=words.change_words,
        not_covered=words.not_covered(),
        address=address(axis, label),
        typed=typed or {},
        wrong=wrong or {},
        acts=visitor.caller.may(reading=False),
        now=moment,
    )


def _certificate(session: Session, axis: str, label: str) -> Certificate | None:
    """The newest certificate in force."""
    return session.exec(
        select(Certificate)
        .where(col(Certificate.axis) == axis, col(Certificate.label) == label, col(Certificate.state) == "live")
        .order_by(col(Certificate.issued_at).desc(), col(Certificate.id).desc())
    ).first()


def _slider(
    judged: LabelFinding | None, certificate: Certificate | None, stands: float | None, at: float | None, *, held: bool
) -> Slider | None:
    if judged is None:
        return None
    return slider(judged.label.what_if, certificate.rungs if certificate else [], stands, at, held=held)


def _pairs(
    session: Session, judged: LabelFinding | None, certificate: Certificate | None, stands: float | None
) -> Sequence[Pair]:
    """Where heed goes wrong, in what the run judged and in what was checked under the certificate since.

    Nothing before the promise is tested, since who sees it could choose when to stop.
    """
    if judged is None or judged.label.held_back:
        return ()
    since = checked_since(session, certificate) if certificate else ()
    acts_from = OPERATING_POINT if stands is None else stands
    return pairs(session, {*judged.result.samples, *since}, judged.label.label, acts_from)


def _scopes(certificate: Certificate | None) -> list[tuple[str, str]]:
    """For which answers people can be let decide: all, or those of a source and language that were sampled."""
    cells = [(one, other) for one in certificate.sources for other in certificate.languages] if certificate else []
    return [("", "all answers"), *((f"{one}/{other}", f"{one} in {other}") for one, other in cells)]


def _holds(session: Session, axis: str, label: str) -> Sequence[GateHold]:
    about = (col(GateHold.axis) == axis, col(GateHold.label) == label)
    return session.exec(select(GateHold).where(*about, col(GateHold.lifted_at).is_(None))).all()


def _history(session: Session, axis: str, label: str) -> Sequence[GateChange]:
    about = (col(GateChange.axis) == axis, col(GateChange.label) == label)
    newest = (col(GateChange.at).desc(), col(GateChange.id).desc())
    return session.exec(select(GateChange).where(*about).order_by(*newest).limit(_HISTORY)).all()
