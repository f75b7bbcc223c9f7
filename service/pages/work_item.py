"""`/work-items/{id}`: one piece of work: the customer's words, why it is here, its clock, and what to do next."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session
from starlette.responses import RedirectResponse

from service.api.dependencies import SessionDep
from service.api.feedback import find_feedback, story_of
from service.api.problems import not_found
from service.api.shapes import work_items_out
from service.pages import item_forms, story_lines
from service.pages.assignees import nobody_called, people
from service.pages.clock_line import clock_line, pauses_of
from service.pages.due import next_due
from service.pages.item_forms import Filled, InvalidForm, read_event
from service.pages.item_history import RESULTS, history
from service.pages.marks import legend
from service.pages.reasons import clause_words, joining, rule_words
from service.pages.render import page
from service.pages.visitor import FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.review import WrongAnswers, happens, open_rules
from service.route.versions import fetch
from service.store.tables import Decision, WorkItem, now
from service.work.events import Assign
from service.work.lifecycle import Impossible

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
    row = session.get(WorkItem, item_id, with_for_update=True)
    if row is None or row.kind == "backlog_item":
        raise not_found("work item")
    rules = [rule.name for rule in open_rules(session, row)] if row.kind == "review" else []
    filled = item_forms.filled(form)
    if form.text("version") != str(row.version):
        return _shown(session, visitor, row, filled.overtaken(row), 409)
    try:
        event = read_event(form, visitor.zone, rules)
        if isinstance(event, Assign):
            _require_known(session, event.owner)
        happens(session, row, event, actor=visitor.caller.name, at=now())
    except InvalidForm as wrong:
        return _shown(session, visitor, row, filled.with_errors(wrong.errors), 422)
    except (Impossible, WrongAnswers) as refusal:
        session.rollback()
        row = session.get_one(WorkItem, item_id)
        return _shown(session, visitor, row, filled.with_errors(item_forms.errors_of(refusal, row, filled.type)), 409)
    session.commit()
    return RedirectResponse(f"/work-items/{item_id}?done={event.type}", 303)


def _require_known(session: Session, owner: str) -> None:
    if wrong := nobody_called(owner, people(session)):
        raise InvalidForm({"assign-owner": wrong})


def _shown(
    session: Session, visitor: SignedIn, row: WorkItem, filled: Filled, status: int = 200, said: str = ""
) -> Response:
    moment = now()
    (item,) = work_items_out(session, [row], moment)
    story = story_of(session, find_feedback(session, visitor.caller, item.feedback_ids[0]))
    writes = visitor.caller.may("supervisor", reading=False)
    judging = item.kind == "review" and item.status in {"open", "acknowledged", "waiting"}
    return page(
        "work_item.html.j2",
        visitor,
        status=status,
        here="/inbox",
        said=said,
        item=item,
        version=row.version,
        due=next_due(row, moment),
        story=story,
        quotes=story_lines.quotes(story),
        beliefs=legend(story.classification.spans if story.classification else []),
        scores=story_lines.scores(story.feedback.get("scores", {})),
        other_ids=item.feedback_ids[1:_EVIDENCE],
        others=len(item.feedback_ids) - 1,
        clause_words=clause_words,
        joining=joining(fetch(session, session.get_one(Decision, row.decision_id).policy_version)),
        results=RESULTS,
        clock=clock_line(item.created_at, moment, item.targets, pauses_of(item.events, moment)),
        history=history(item.events),
        open_rules=[(rule.name, rule_words(rule)) for rule in open_rules(session, row)] if judging else [],
        filled=filled,
        actions=item_forms.actions(item, judging=judging) if writes else item_forms.NOTHING,
        people=people(session) if writes else [],
        choices=item_forms.CHOICES,
        now=moment,
    )
