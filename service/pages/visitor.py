"""What pages ask for: who has signed in, a form that carries its token, and problems told as a page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from hmac import compare_digest
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from service.api.dependencies import Wiring, WiringDep
from service.api.problems import Problem, mistake, problem_of
from service.lab.labels.rater import rater_of
from service.lab.labels.slots import waiting
from service.pages.render import page
from service.people.access import permitted
from service.people.sessions import SignedIn, signed_in

COOKIE = "heed_session"


class NotSignedIn(Exception):
    """Nobody has signed in, or their session is over."""


def find_visitor(parts: Wiring, request: Request) -> SignedIn | None:
    """Who the cookie belongs to, if anybody."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    with Session(parts.database.engine) as session:
        found = signed_in(session, parts.vault, token)
        if found is None or "reviewer" not in found.caller.roles:
            return found
        return replace(found, cards=waiting(session, rater_of(session, found.caller)))


def _visitor(parts: WiringDep, request: Request) -> SignedIn:
    found = find_visitor(parts, request)
    if found is None:
        raise NotSignedIn
    request.state.visitor = found
    return found


VisitorDep = Annotated[SignedIn, Depends(_visitor)]


def enter(*roles: str) -> Callable[[Request, SignedIn], Awaitable[SignedIn]]:
    """A dependency that lets people of these roles in; `admin` may everything, `auditor` look at everything."""

    async def check(request: Request, visitor: VisitorDep) -> SignedIn:
        reading = request.method == "GET"
        if visitor.caller.may(*roles, reading=reading):
            return visitor
        named = " or ".join(sorted(permitted(*roles, reading=reading)))
        own = " and ".join(sorted(visitor.caller.roles))
        raise Problem(403, f"You are signed in as {own}; this takes somebody who is {named}.")

    return check


class Form:
    """What somebody typed and chose; its token has been checked."""

    def __init__(self, data: FormData) -> None:
        self._data = data

    def text(self, name: str) -> str:
        """A field's text without the blanks around it; empty where it is absent."""
        value = self._data.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def secret(self, name: str) -> str:
        """A field exactly as it was typed."""
        value = self._data.get(name, "")
        return value if isinstance(value, str) else ""

    def file(self, name: str) -> UploadFile | None:
        """A file that was chosen; None where none was."""
        value = self._data.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    async def close(self) -> None:
        """Let go of the files that were sent."""
        await self._data.close()

    def texts(self, name: str) -> list[str]:
        """Every value of a field that may be chosen several times."""
        return [value for value in self._data.getlist(name) if isinstance(value, str)]

    def given(self, *names: str) -> dict[str, str]:
        """Those of these fields that are not empty."""
        return {name: text for name in names if (text := self.text(name))}


def require_own_page(request: Request, parts: Wiring) -> None:
    """Refuse a form that another site sent (OWASP's check of the origin).

    Raises:
        Problem: 403.
    """
    origin = request.headers.get("origin")
    hosts = {request.headers.get("host"), urlsplit(parts.public_url or "").netloc}
    foreign = origin is not None and (origin.partition("://")[2] or "nowhere") not in hosts
    if foreign or request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Problem(403, "This form came from another site: open the page here and send it again.")


async def read_form(request: Request) -> Form:
    """The fields of a form (either way a browser sends one).

    Raises:
        Problem: 400 or 422 for what is no form, or holds what cannot be kept.
    """
    try:
        data = await request.form(max_files=1, max_fields=1_000)
    except HTTPException as error:
        raise Problem(400, "The form cannot be read: open the page again and send it once more.") from error
    for name, value in data.multi_items():
        if isinstance(value, str) and ("\0" in value or any("\ud800" <= one <= "\udfff" for one in value)):
            raise Problem(422, f"The field '{name[:60]}' holds a character that cannot be kept: remove it.")
    return Form(data)


async def _form(request: Request, parts: WiringDep, visitor: VisitorDep) -> AsyncIterator[Form]:
    require_own_page(request, parts)
    form = await read_form(request)
    try:
        if not compare_digest(form.text("csrf").encode(), visitor.csrf.encode()):
            raise Problem(403, "This form is too old, or not ours: open the page again and send it once more.")
        yield form
    finally:
        await form.close()


FormDep = Annotated[Form, Depends(_form, scope="function")]


class PageRoute(APIRoute):
    """A route whose errors are pages: people read them."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                response: Response = await handle(request)
            except NotSignedIn:
                return to_sign_in(request)
            except RequestValidationError:
                return await problem_page(request, Problem(422, _MISTYPED))
            except Exception as error:  # noqa: BLE001 (the last that can still answer with a page)
                return await problem_page(request, problem_of(error) or mistake(error))
            return response

        return told


def to_sign_in(request: Request) -> Response:
    """To the sign-in page, and back here afterwards."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?next={quote(here, safe='')}" if request.method == "GET" and here != "/" else ""
    return RedirectResponse(f"/sign-in{back}", 303)


def astray(as_problem: Callable[[Request, Any], Any]) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answer an address or a method that no route has: with a page for a browser, as before for a program."""

    async def told(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        program = request.url.path.startswith("/v1/") or "text/html" not in request.headers.get("accept", "")
        if program or status not in _ASTRAY:
            answer: Response = as_problem(request, error)
            return answer
        with suppress(DBAPIError, PoolTimeout):  # without its frame the page still says what is wrong
            request.state.visitor = await run_in_threadpool(find_visitor, request.app.state.wiring, request)
        return await problem_page(request, Problem(status, _ASTRAY[status]))

    return told


_ASTRAY = {
    404: "No page has this address: it may be mistyped, or the page is gone.",
    405: "This address is not opened by hand: go to the page whose button leads here.",
}


async def problem_page(request: Request, problem: Problem) -> Response:
    """A problem in words for people, with the status it has."""
    visitor = getattr(request.state, "visitor", None)
    told = await run_in_threadpool(
        page,
        "problem.html.j2",
        visitor,
        status=problem.status_code,
        problem=problem,
        title=_TITLES.get(problem.status_code),
    )
    told.headers.update(problem.headers)
    return told


_MISTYPED = "This address is not complete, or was mistyped: begin at the first page and follow the links."
_TITLES = {
    403: "This is not open to you",
    404: "There is nothing here",
    405: "This is no page",
    409: "That is not possible as things stand",
    413: "That is too large",
    422: "Something is not right yet",
    429: "One moment, please",
    503: "heed cannot do that right now",
}
