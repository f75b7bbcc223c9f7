"""`/work-items/{id}`: one piece of work: the customer's words, why it is here, its clock, and what to do next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session
from starlette.responses import RedirectResponse

from service.api.dependencies import SessionDep
from service.api.feedback import find_feedback, story_of
from service.api.problems import not_found
from service.api.shapes import WorkItemOut, work_items_out
from service.pages import item_forms, story_lines
from service.pages.assignees import nobody_called, people
from service.pages.clock_line import clock_line, pauses_of
from service.pages.correction_form import beliefs_said
from service.pages.due import TARGETS, next_due, working_time
from service.pages.item_forms import Actions, Filled, InvalidForm, read_event
from service.pages.item_history import RESULTS, asked_to_see, escalations, history, newest_join, whom
from service.pages.marks import legend
from service.pages.promises import Promised, promised
from service.pages.reasons import clause_words, joining, rule_words
from service.pages.render import page
from service.pages.visitor import FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.review import WrongAnswers, happens, open_rules, take
from service.route.english import calendar_entry
from service.route.expression import ThresholdOf, operand_text
from service.route.receipt import decided_on
from service.route.versions import fetch
from service.store.tables import Decision, WorkItem, now
from service.work import escalation, notices
from service.work.events import Assign, HandOff
from service.work.lifecycle import UNRESOLVED, Impossible
from service.work.snapshot import clocks, snapshot
from service.work.ticking import history_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor"))]
_EVIDENCE = 20  # records behind one item that are linked; the rest is counted


@router.get("/work-items/{item_id}")
def show_item(session: SessionDep, visitor: Visitor, item_id: UUID, done: str = "") -> Response:
    """The item."""
    row = session.get(WorkItem, item_id)
    if row is None:
        raise not_found("work item")
    if row.kind == "backlog_item":
        return RedirectResponse(f"/backlog/{item_id}", 303)
    return _shown(session, visitor, row, Filled(), said=item_forms.done(done, row.owner))


@router.post("/work-items/{item_id}")
def send_event(session: SessionDep, visitor: Visitor, form: FormDep, item_id: UUID) -> Response:
    """Record what was done about it; on an error everything typed stays."""
    row = take(session, item_id)
    if row is None or row.kind == "backlog_item":
        raise not_found("work item")
    rules = [rule.name for rule in open_rules(session, row)] if row.kind == "review" else []
    filled = item_forms.filled(form)
    if form.text("version") != str(row.version):
        return _shown(session, visitor, row, filled.overtaken(), 409)
    try:
        event = read_event(form, visitor.zone, rules)
        if isinstance(event, Assign | HandOff):
            _require_known(session, event.owner, f"{event.type}-owner")
        happens(session, row, event, actor=visitor.caller.name, at=now())
        notices.see_item(session, visitor.caller.name, item_id, now())
    except InvalidForm as wrong:
        return _shown(session, visitor, row, filled.with_errors(wrong.errors), 422)
    except (Impossible, WrongAnswers) as refusal:
        session.rollback()
        row = session.get_one(WorkItem, item_id)
        return _shown(session, visitor, row, filled.with_errors(item_forms.errors_of(refusal, row, filled.type)), 409)
    session.commit()
    taken = isinstance(event, Assign) and event.owner == visitor.caller.name
    return RedirectResponse(f"/work-items/{item_id}?done={'take' if taken else event.type}", 303)


def _require_known(session: Session, owner: str, field: str) -> None:
    if wrong := nobody_called(owner, people(session)):
        raise InvalidForm({field: wrong})


def _shown(
    session: Session, visitor: SignedIn, row: WorkItem, filled: Filled, status: int = 200, said: str = ""
) -> Response:
    moment = now()
    (item,) = work_items_out(session, [row], moment)
    story = story_of(session, find_feedback(session, visitor.caller, item.feedback_ids[0]))
    writes = visitor.caller.may("supervisor", reading=False)
    judging = item.kind == "review" and item.status in UNRESOLVED
    levels = escalations(item.events)
    due = next_due(row, moment)
    actions = _actions(item, visitor, judging=judging, told=asked_to_see(levels, visitor.caller.name))
    return page(
        "work_item.html.j2",
        visitor,
        status=status,
        here="/inbox",
        said=said,
        item=item,
        version=row.version,
        due=due,
        working_time=working_time(row, due, moment),
        story=story,
        quotes=story_lines.quotes(story),
        beliefs_said=beliefs_said(story.classification),
        beliefs=legend(story.classification.spans if story.classification else []),
        scores=story_lines.scores(story.feedback.get("scores", {})),
        other_ids=item.feedback_ids[1:_EVIDENCE],
        others=len(item.feedback_ids) - 1,
        clause_words=clause_words,
        joining=joining(fetch(session, session.get_one(Decision, row.decision_id).policy_version)),
        promises=_promises(session, row, item),
        results=RESULTS,
        clock=clock_line(item.created_at, moment, item.targets, pauses_of(item.events, moment), _at_risk(row)),
        hours=_hours(row),
        levels=levels,
        coming=_coming(session, row),
        joined_at=newest_join(item.events),
        history=history(item.events, visitor.zone),
        open_rules=[(rule.name, rule_words(rule)) for rule in open_rules(session, row)] if judging else [],
        filled=filled,
        meanwhile=item_forms.meanwhile(filled, actions, item),
        actions=actions,
        people=people(session) if writes else [],
        choices=item_forms.CHOICES,
        now=moment,
    )


def _actions(item: WorkItemOut, visitor: SignedIn, *, judging: bool, told: bool) -> Actions:
    if not visitor.caller.may("supervisor", reading=False):
        return item_forms.NOTHING
    return item_forms.actions(item, visitor.caller.name, judging=judging, told=told)


def _promises(session: Session, row: WorkItem, item: WorkItemOut) -> list[Promised]:
    """What the thresholds promise that the rules behind an item ask for."""
    _, thresholds = decided_on(session.get_one(Decision, row.decision_id).receipt)
    asked = [clause.text for rule in item.why for clause in rule.clauses]
    return promised(
        session,
        {
            name: one
            for name, one in thresholds.items()
            if any(operand_text(ThresholdOf(name=name)) in text for text in asked)
        },
    )


def _at_risk(row: WorkItem) -> dict[str, datetime]:
    """From when each promise of an item is at risk."""
    return {name: clock.at_risk_at for name, clock in zip(TARGETS, clocks(row), strict=True) if clock is not None}


def _hours(row: WorkItem) -> str:
    """The hours in which an item's clocks run, in words; empty where they run day and night."""
    kept = snapshot(row)
    return calendar_entry(kept.calendar, kept.hours).sentences[0] if kept and kept.hours else ""


@dataclass(frozen=True, slots=True)
class Coming:
    """The level of escalation that goes off next, unless something is done: whom it tells, when, what ends it."""

    number: int
    whom: str
    at: datetime
    stop: str


def _coming(session: Session, row: WorkItem) -> Coming | None:
    found = escalation.next_level(row, history_of(session, row))
    return Coming(found[0], whom(found[1].to), found[2], found[1].stop) if found else None
