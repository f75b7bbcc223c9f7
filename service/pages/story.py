"""`/feedback/{id}`: the story of one record, from the words to the deliveries, on a page that explains itself."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session, col, select
from starlette.responses import RedirectResponse

from service.api.decisions import ReplayOut, RuleOut, replayed
from service.api.dependencies import SessionDep
from service.api.feedback import StoryOut, find_feedback, story_of
from service.api.problems import not_found
from service.ingest import quarantine
from service.pages import story_lines
from service.pages.item_history import RESULTS
from service.pages.marks import legend
from service.pages.promises import Promised, promised
from service.pages.reasons import clause_words, joining
from service.pages.render import page
from service.pages.visitor import FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.route.decide import ResolvedThreshold
from service.route.receipt import decided_on
from service.route.versions import fetch
from service.route.why_not import UnknownRule, WhyNot, why_not
from service.store.tables import Classification, Decision, DeliveryAttempt, FeedbackRevision, among, now
from service.work.items import review_reason
from service.work.lifecycle import UNRESOLVED

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("source", "supervisor", "product"))]
Admin = Annotated[SignedIn, Depends(enter())]
_DONE = {"retried": "It is being read again: look again in a moment."}


@router.get("/feedback/{feedback_id}")
def show_story(
    session: SessionDep,
    visitor: Visitor,
    feedback_id: UUID,
    again: str = "",
    why: Annotated[str, Query(max_length=200)] = "",
    done: str = "",
) -> Response:
    """The whole story; with `again` its decision is made once more and compared, with `why` a rule says why not."""
    story = story_of(session, find_feedback(session, visitor.caller, feedback_id))
    read, decided = story.classification, story.decision
    judges = visitor.caller.may("supervisor", reading=True)
    return page(
        "story.html.j2",
        visitor,
        here="/feedback",
        said=_DONE.get(done, ""),
        story=story,
        given=_moment(story.feedback["submitted_at"]),
        quotes=story_lines.quotes(story),
        beliefs=legend(read.spans if read else []),
        scores=story_lines.scores(story.feedback.get("scores", {})),
        readings=story_lines.readings(read) if read else [],
        figures=story_lines.figures(read) if read else [],
        withheld=review_reason(read.abstain.reason if read.abstain else None, degraded=read.degraded)
        if read and (read.abstain or read.degraded)
        else "",
        rules=_rules(decided.rules, decided.review) if decided else {},
        clause_words=clause_words,
        joining=joining(fetch(session, decided.policy_version)) if decided else {},
        denied=story_lines.denied(fetch(session, decided.policy_version)) if decided else set(),
        promises=_promises(session, story),
        results=RESULTS,
        history=_history(session, story),
        judges=judges,
        email=_email(story, visitor),
        may_open=_openable(story, visitor),
        first=_first_open(story) if visitor.caller.may("supervisor", reading=False) else None,
        retries=visitor.caller.may(reading=False),
        compared=_compared(session, story) if again and judges else None,
        why=_why_not(session, story, why) if why and judges else None,
        now=now(),
    )


@router.post("/feedback/{feedback_id}/retry")
def send_retry(session: SessionDep, visitor: Admin, _form: FormDep, feedback_id: UUID) -> Response:
    """Let a record that was set aside try again."""
    if quarantine.retry(session, feedback_id, actor=visitor.caller.name) is None:
        raise not_found("feedback record")
    session.commit()
    return RedirectResponse(f"/feedback/{feedback_id}?done=retried", 303)


def _moment(given: datetime | str) -> datetime:
    return given if isinstance(given, datetime) else datetime.fromisoformat(given)


def _email(story: StoryOut, visitor: SignedIn) -> str | None:
    """The customer's address where it may be written to, and never for somebody who only plans the product."""
    consent = story.feedback.get("consent") or {}
    if not consent.get("contact") or visitor.caller.roles == {"product"}:
        return None
    return (story.feedback.get("customer") or {}).get("email")


def _rules(rules: Sequence[RuleOut], review: Sequence[str]) -> Mapping[str, list[RuleOut]]:
    """The rules by what came of them."""
    groups: dict[str, list[RuleOut]] = {"fired": [], "review": [], "superseded": [], "not_fired": []}
    for rule in rules:
        groups["review" if rule.rule in review else rule.outcome].append(rule)
    return groups


def _promises(session: Session, story: StoryOut) -> list[Promised]:
    """What each threshold of the decision promises."""
    decided = story.decision
    if decided is None:
        return []
    return promised(session, {name: ResolvedThreshold(**one.model_dump()) for name, one in decided.thresholds.items()})


def _openable(story: StoryOut, visitor: SignedIn) -> dict[UUID, str]:
    """Where an item's own page is, for those this person may open."""
    found = {}
    for item in story.work_items:
        if visitor.caller.may("supervisor", reading=True):
            found[item.id] = f"/work-items/{item.id}"
        elif item.kind == "backlog_item" and visitor.caller.may("product", reading=True):
            found[item.id] = f"/backlog/{item.id}"
    return found


def _first_open(story: StoryOut) -> UUID | None:
    """The piece of work to do next."""
    waiting = (item.id for item in story.work_items if item.status in UNRESOLVED)
    return next(waiting, None)


def _why_not(session: Session, story: StoryOut, rule: str) -> WhyNot | None:
    """Why a rule did not fire; None where the version that decided has no such rule."""
    if story.decision is None:
        return None
    row = session.get_one(Decision, story.decision.id)
    try:
        return why_not(fetch(session, row.policy_version), *decided_on(row.receipt), rule)
    except UnknownRule:
        return None


def _compared(session: Session, story: StoryOut) -> ReplayOut | None:
    return replayed(session, session.get_one(Decision, story.decision.id)) if story.decision else None


def _history(session: Session, story: StoryOut) -> list[story_lines.Line]:
    received = session.exec(
        select(FeedbackRevision.revision, FeedbackRevision.received_at)
        .where(col(FeedbackRevision.feedback_id) == story.id)
        .order_by(col(FeedbackRevision.received_at), col(FeedbackRevision.revision))
    ).all()
    read_at = session.exec(
        select(Classification.created_at)
        .where(
            col(Classification.feedback_id) == story.id,
            col(Classification.revision) == story.feedback["revision"],
        )
        .order_by(col(Classification.created_at).desc())
    ).first()
    attempts: dict[UUID, list[DeliveryAttempt]] = defaultdict(list)
    for attempt in session.exec(
        select(DeliveryAttempt)
        .where(among(DeliveryAttempt.delivery_id, [one.id for one in story.deliveries]))
        .order_by(col(DeliveryAttempt.number))
    ):
        attempts[attempt.delivery_id].append(attempt)
    return story_lines.lines(story, received, read_at, attempts)
