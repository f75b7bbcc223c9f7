"""What routes ask for: a session, who is calling, the strict body, a page of a list."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar, cast
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ValidationError
from sqlalchemy import tuple_
from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from service.api.problems import Problem, invalid
from service.classify import Reader
from service.deliver.http import Client
from service.ingest.group import GroupedIntake
from service.ingest.source import Inbound
from service.ingest.strict_json import parse
from service.people.access import Caller, caller, permitted
from service.store.database import Database
from service.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the web process was built from; one per application, on `app.state.wiring`."""

    database: Database
    vault: Vault
    intake: GroupedIntake
    reader: Reader
    http: Client
    require_approval: bool
    public_url: str | None = None


async def wiring(request: Request) -> Wiring:
    """The application's parts. Asynchronous, as `allow` is: what waits for nothing is spared a change of threads."""
    return cast(Wiring, request.app.state.wiring)


WiringDep = Annotated[Wiring, Depends(wiring)]


def _session(parts: WiringDep) -> Iterator[Session]:
    with Session(parts.database.engine, expire_on_commit=False) as session:
        yield session


# The transaction ends inside the route, by session.commit(): an answer is never sent before its commit.
# Scope: the session is given back before the answer is sent, or a slow reader would keep its connection.
SessionDep = Annotated[Session, Depends(_session, scope="function")]

_bearer = HTTPBearer(auto_error=False, description="An API key made by `heed keys create`.")


Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def _caller(parts: WiringDep, credentials: Credentials) -> Caller:
    challenge = {"WWW-Authenticate": 'Bearer realm="heed"'}
    if credentials is None:
        raise Problem(401, "Send an API key: `Authorization: Bearer heed_live_...`.", headers=challenge)
    found = caller(parts.database, parts.vault, credentials.credentials)
    if found is None:
        raise Problem(401, "This key is unknown or was revoked: `heed keys create` makes another.", headers=challenge)
    return found


CallerDep = Annotated[Caller, Depends(_caller)]


def allow(*roles: str) -> Callable[[Request, Caller], Awaitable[Caller]]:
    """A dependency that lets these roles in; `admin` may everything, `auditor` every GET."""

    async def check(request: Request, who: CallerDep) -> Caller:
        return _let_in(who, *roles, reading=request.method == "GET")

    return check


def _let_in(who: Caller, *roles: str, reading: bool) -> Caller:
    if who.may(*roles, reading=reading):
        return who
    named = " or ".join(f"'{role}'" for role in sorted(permitted(*roles, reading=reading)))
    (own,) = who.roles
    raise Problem(403, f"A key of role '{own}' may not do this: that takes a key of role {named}.")


Shape = TypeVar("Shape", bound=BaseModel)
_A_LITTLE = 4_096  # bytes of JSON


@dataclass(frozen=True, slots=True)
class Unasked:
    """A GET that the route lets in itself, in one thread: what is otherwise three of them and the event loop.

    A change of threads is a good part of what a short request costs.
    """

    parts: Wiring
    credentials: HTTPAuthorizationCredentials | None
    few: CapacityLimiter

    async def in_a_thread(self, answer: "Callable[[Unasked], Response]") -> Response:
        """Answer in one of a few threads, as what is `Unread` and little."""
        return await to_thread.run_sync(answer, self, limiter=self.few)

    def caller(self, *roles: str) -> Caller:
        """Who is calling, one of these roles; anybody else is answered as any other route would."""
        return _let_in(_caller(self.parts, self.credentials), *roles, reading=True)


async def _unasked(request: Request, credentials: Credentials) -> Unasked:
    return Unasked(await wiring(request), credentials, request.app.state.few)


UnaskedDep = Annotated[Unasked, Depends(_unasked)]


@dataclass(frozen=True, slots=True)
class Unread:
    """A POST that the route lets in and reads itself, in one thread, as what is `Unasked`."""

    parts: Wiring
    credentials: HTTPAuthorizationCredentials | None
    content: bytes
    few: CapacityLimiter

    async def in_a_thread(self, answer: "Callable[[Unread], Response]") -> Response:
        """Answer in a thread. What is little shares a few threads, one or two more than can work at a time.

        Forty of them that wait for each other cost more, and nobody else would find one free. Lists go where
        many can come in at once, so that a line that is too long sends them away.
        """
        return await to_thread.run_sync(answer, self, limiter=self.few if len(self.content) <= _A_LITTLE else None)

    def read(self, shape: type[Shape], *roles: str) -> tuple[Caller, Shape]:
        """Who is calling, one of these roles, and the body; what is wrong is answered as any other route would."""
        value = parse(self.content)
        who = _let_in(_caller(self.parts, self.credentials), *roles, reading=False)
        try:
            return who, shape.model_validate(value, from_attributes=True)
        except ValidationError as error:
            found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
            raise invalid(RequestValidationError(found, body=value), shape) from error


async def _unread(request: Request, credentials: Credentials) -> Unread:
    require_json(request)
    return Unread(await wiring(request), credentials, await request.body(), request.app.state.few)


UnreadDep = Annotated[Unread, Depends(_unread)]


class StrictRoute(APIRoute):
    """A route whose JSON body is read strictly: no NaN, no double keys, bounded depth, real text."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            # Read before FastAPI would: it answers every error of its own reading with the same 400.
            if self.body_field is not None:
                require_json(request)
                body = await request.body()
                # In a thread: megabytes of JSON would hold up every other request here; a little is read faster than
                # a thread is changed.
                value = parse(body) if len(body) <= _A_LITTLE else await run_in_threadpool(parse, body)
                request = _Read(request, value)
            try:
                response: Response = await handle(request)
            except RequestValidationError as error:
                raise invalid(error, self.body_field and self.body_field.field_info.annotation) from error
            return response

        return strict


class _Read(Request):
    """A request whose JSON has been read."""

    def __init__(self, request: Request, value: object) -> None:
        super().__init__(request.scope, request.receive)
        self._value = value

    async def body(self) -> bytes:
        """Something, for FastAPI to ask for the JSON; the bytes themselves are used up."""
        return b"{}"

    async def json(self) -> object:
        """The value."""
        return self._value


def require_json(request: Request) -> None:
    """415 for a body that says it is something else than JSON."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, f"This address takes application/json, not {kind[:80]}.")


async def _inbound(request: Request) -> Inbound:
    return Inbound(request.method, dict(request.query_params), dict(request.headers), await request.body())


InboundDep = Annotated[Inbound, Depends(_inbound)]


Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """A page of a list, newest first; `next` is the cursor of the page after it."""

    items: list[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: after the row of this moment and id."""

    at: datetime
    id: UUID


def _cursor(
    cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
) -> Position | None:
    if cursor is None:
        return None
    try:
        at, row = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=="))
        found = Position(datetime.fromisoformat(at), UUID(row))
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise _no_cursor() from error
    if found.at.tzinfo is None:  # another moment for every database's own zone
        raise _no_cursor()
    return found


def _no_cursor() -> Problem:
    wrong = [{"pointer": "", "parameter": "cursor", "detail": "This is no cursor of ours."}]
    return Problem(422, "Give `next` of the page before, unchanged.", errors=wrong)


CursorDep = Annotated[Position | None, Depends(_cursor)]
LimitDep = Annotated[int, Query(ge=1, le=200, description="how many at most")]


def narrowed(query: SelectOfScalar[Row], *asked: tuple[object, object]) -> SelectOfScalar[Row]:
    """The rows whose columns have the values that were asked for; None asks for nothing."""
    return query.where(*(col(column) == value for column, value in asked if value is not None))


def newest_first(
    query: SelectOfScalar[Row], at: datetime | None, row_id: UUID, cursor: Position | None, limit: int
) -> SelectOfScalar[Row]:
    """The rows of a page, newest first by the columns `at` and `row_id`, and one more for `paged` to see."""
    if cursor is not None:
        query = query.where(tuple_(col(at), col(row_id)) < (cursor.at, cursor.id))
    return query.order_by(col(at).desc(), col(row_id).desc()).limit(limit + 1)


def paged(
    rows: Sequence[Row], limit: int, at: Callable[[Row], tuple[datetime, UUID]]
) -> tuple[Sequence[Row], str | None]:
    """Split what a query for one row more than `limit` found into the page and the cursor after it."""
    if len(rows) <= limit:
        return rows, None
    moment, row_id = at(rows[limit - 1])
    place = json.dumps([moment.isoformat(), str(row_id)])
    return rows[:limit], base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
