"""`/health`: what an operator needs to know at night, what to do about it, and the buttons that do it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sqlalchemy import text
from sqlmodel import Session, col, select
from starlette.responses import RedirectResponse

from service.api.dependencies import SessionDep, WiringDep
from service.api.problems import not_found
from service.deliver import dead_letters as dead
from service.health import STUCK, Health, readiness
from service.ingest import quarantine
from service.pages.render import page
from service.pages.visitor import FormDep, PageRoute, enter
from service.pages.words import many, span_of
from service.people.sessions import SignedIn
from service.standing import (
    DeadLetters,
    Queue,
    SetAside,
    Tried,
    dead_letters,
    not_set_up,
    queues,
    set_aside,
    switched_off,
    tried,
    waiting_by_source,
)
from service.store import jobs, migrate
from service.store.database import Database
from service.store.tables import Destination, Import, now
from service.telemetry import answered
from service.version import VERSION

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Operator = Annotated[SignedIn, Depends(enter())]

NOISY = 1_000  # records waiting, from which on one source with most of them is named
DONE: Mapping[str, str] = {
    "retried": "It goes through again from the beginning.",
    "retried_all": "They go through again from the beginning.",
    "replayed": "It will be sent again.",
    "replayed_all": "They will be sent again.",
    "put_away": "Put away: nobody is told of it any more. It can still be sent again from its destination's page.",
}


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs a person: what is wrong, what to do, the command for it, and where on this page it is."""

    what: str
    remedy: str
    command: str = ""
    place: str = ""
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Night:
    """Everything the page looks at, at one moment."""

    at: datetime
    workers: int
    queues: Sequence[Queue]
    sources: Mapping[str, int]
    aside: SetAside
    dead: DeadLetters
    off: Sequence[Destination]
    missing: Mapping[str, int]
    tried: Mapping[str, Tried]
    on: Sequence[str]
    imports: Sequence[Import]


def look(session: Session) -> Night:
    """Look at everything once."""
    return Night(
        at=now(),
        workers=jobs.workers(session),
        queues=queues(session),
        sources=waiting_by_source(session),
        aside=set_aside(session),
        dead=dead_letters(session),
        off=switched_off(session),
        missing=not_set_up(session),
        tried=tried(session),
        on=session.exec(
            select(Destination.name).where(col(Destination.disabled_at).is_(None)).order_by(col(Destination.name))
        ).all(),
        imports=session.exec(
            select(Import).where(col(Import.state) == "running").order_by(col(Import.created_at)).limit(20)
        ).all(),
    )


def needs(night: Night) -> list[Need]:
    """What of it needs a person, the gravest first."""
    return [*_stopped(night), *_left_behind(night), *_outside(night)]


def _unread(trouble: str | None) -> Iterator[Need]:
    if trouble is not None:
        yield Need(
            f"The model cannot be used. {trouble}",
            "Feedback is taken, and rules on scores go on. Keywords read the texts meanwhile, and no rule acts on what"
            " they find. Mend it, then start heed anew. What is wrong with it is also told at the console:",
            "heed doctor",
            grave=True,
        )


def _stopped(night: Night) -> Iterator[Need]:
    if not night.workers:
        yield Need(
            "No worker runs, so nothing is read, decided or sent.",
            "Feedback is kept meanwhile. Start one; heed serve brings one of its own, unless it was told not to:",
            "heed worker",
            grave=True,
        )
        return
    oldest = min((one.oldest for one in night.queues[:2] if one.oldest), default=None)
    if oldest is None or night.at - oldest < STUCK:
        return
    noisy = _noisy(night.sources)
    culprit = f" Most of it, {many(night.sources[noisy], 'record')}, comes from {noisy}." if noisy else ""
    yield Need(
        f"The oldest record has waited for {span_of(night.at - oldest)}.{culprit}",
        "It goes on by itself. If the wait grows, start more workers, on this machine or another:",
        "heed worker",
        "queues",
        grave=True,
    )


def _noisy(sources: Mapping[str, int]) -> str | None:
    """The source that most of what waits comes from, where much waits."""
    total = sum(sources.values())
    most = max(sources, key=lambda name: sources[name], default=None)
    return most if most is not None and total >= NOISY and sources[most] * 2 > total and len(sources) > 1 else None


def _left_behind(night: Night) -> Iterator[Need]:
    if night.aside.amount.number:
        yield Need(
            f"{night.aside.amount} {_one(night.aside.amount.number, 'record was', 'records were')} set aside.",
            "heed failed on them three times. Look at the reason below, and try again once it is mended.",
            place="set-aside",
        )
    if night.dead.amount.number:
        yield Need(
            f"{night.dead.amount} {_one(night.dead.amount.number, 'delivery was', 'deliveries were')} given up.",
            "Mend the destination, then send them again below, or put away what no longer matters. At the console:",
            "heed deliveries list --state dead",
            "dead-letters",
        )


def _outside(night: Night) -> Iterator[Need]:
    for row in night.off:
        yield Need(
            f"The destination {row.name} is switched off: {(row.disabled_reason or 'no reason given').rstrip('.')}.",
            "What is to be sent there waits. Mend it, then switch it on, on its page.",
            place=f"/destinations/{row.name}",
        )
    for name in night.on:
        went = night.tried.get(name)
        if went is None or not went.nothing_arrives:
            continue
        last = f" The last one: {went.last_error.rstrip('.')}." if went.last_error else ""
        yield Need(
            f"{name} has taken nothing: {went.failed:,} of {many(went.attempts, 'attempt')} failed.{last}",
            "Mend what answers there, or the address and secret on its page, and test it there.",
            place=f"/destinations/{name}",
        )
    for name, number in night.missing.items():
        waits = f"; {many(number, 'delivery waits', 'deliveries wait')}" if number else ""
        yield Need(
            f"The destination {name} is not set up, but the rules send work there{waits}.",
            "Set it up under exactly this name, or take it out of the rules.",
            place="/destinations#add",
        )


def _one(number: int, one: str, more: str) -> str:
    return one if number == 1 else more


def summary(health: Health, found: Sequence[Need]) -> str:
    """The one sentence on top."""
    takes = "heed takes feedback" if health.ready else "heed cannot take feedback"
    if not found:
        return f"{takes}; nothing needs you." if health.ready else f"{takes}."
    return f"{takes}; {many(len(found), 'thing needs', 'things need')} you."


@router.get("/health")
def show_health(parts: WiringDep, session: SessionDep, visitor: Operator, done: str = "") -> Response:
    """How everything stands."""
    health = readiness(parts.database, parts.reader.trouble)
    night = look(session)
    found = [*_unread(parts.reader.trouble), *needs(night)]
    return page(
        "health.html.j2",
        visitor,
        here="/health",
        said=DONE.get(done, ""),
        health=health,
        night=night,
        needs=found,
        summary=summary(health, found),
        requests=answered(),
        at_once=dead.AT_ONCE,
        storage=_storage(session, parts.database),
        acts=visitor.caller.may(reading=False),
        now=night.at,
    )


@dataclass(frozen=True, slots=True)
class Storage:
    """The database: where, which version, how large; our own version and schema."""

    place: str
    version: str
    size: str
    schema: str
    heed: str


def _storage(session: Session, database: Database) -> Storage:
    version, size = session.execute(
        text("SELECT split_part(version(), ' ', 2), pg_size_pretty(pg_database_size(current_database()))")
    ).one()
    stands, head = migrate.current(session.connection()), migrate.head()
    schema = f"{stands}, up to date" if stands == head else f"{stands}, heed needs {head}: run heed migrate"
    return Storage(database.place, version, size, schema, VERSION)


@router.post("/health/retry")
def send_retry_all(session: SessionDep, visitor: Operator, _form: FormDep) -> Response:
    """Let everything that was set aside try again."""
    quarantine.retry_all(session, actor=visitor.caller.name)
    session.commit()
    return RedirectResponse("/health?done=retried_all", 303)


@router.post("/health/retry/{feedback_id}")
def send_retry(session: SessionDep, visitor: Operator, _form: FormDep, feedback_id: UUID) -> Response:
    """Let one record that was set aside try again."""
    if quarantine.retry(session, feedback_id, actor=visitor.caller.name) is None:
        raise not_found("feedback record")
    session.commit()
    return RedirectResponse("/health?done=retried", 303)


@router.post("/health/replay")
def send_replay_all(session: SessionDep, visitor: Operator, _form: FormDep) -> Response:
    """Send everything that was given up again."""
    dead.replay_all(session, actor=visitor.caller.name)
    session.commit()
    return RedirectResponse("/health?done=replayed_all", 303)
