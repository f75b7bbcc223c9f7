"""`/sign-in`, `/sign-out`, the way to the first room, and the files every page needs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session
from starlette.responses import RedirectResponse

from service.api.dependencies import Wiring, WiringDep
from service.api.problems import Problem
from service.pages.render import asset, asset_address, page
from service.pages.rooms import rooms_of
from service.pages.visitor import COOKIE, FormDep, PageRoute, VisitorDep, find_visitor, read_form, require_own_page
from service.people.passwords import TooBusy
from service.people.sessions import LASTS, Locked, WrongPassword, sign_in, sign_out

_MOMENT = 2  # seconds

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
def first_room(visitor: VisitorDep) -> Response:
    """The first room this person may enter."""
    return RedirectResponse(rooms_of(visitor.caller)[0].path, 303)


@router.get("/sign-in")
def show_sign_in(
    request: Request, parts: WiringDep, back: Annotated[str, Query(alias="next", max_length=2_000)] = ""
) -> Response:
    """The form."""
    if find_visitor(parts, request) is not None:
        return RedirectResponse(_within(back), 303)
    return page("sign_in.html.j2", None, back=back, username="", wrong=None)


@router.post("/sign-in")
async def send_sign_in(request: Request, parts: WiringDep) -> Response:
    """Check name and password; a right one opens the page that was asked for."""
    require_own_page(request, parts)
    form = await read_form(request)
    back, name = form.text("next")[:2_000], form.text("username")[:128]
    try:
        held = request.cookies.get(COOKIE, "")
        token = await run_in_threadpool(_sign_in, parts, name, form.secret("password"), held)
    except (WrongPassword, Locked, TooBusy) as refusal:
        status = 401 if isinstance(refusal, WrongPassword) else 429
        told = page("sign_in.html.j2", None, status=status, back=back, username=name, wrong=str(refusal))
        if not isinstance(refusal, WrongPassword):
            told.headers["Retry-After"] = str(refusal.seconds if isinstance(refusal, Locked) else _MOMENT)
        return told
    answer = RedirectResponse(_within(back), 303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=(parts.public_url or "").startswith("https:"),
    )
    return answer


def _sign_in(parts: Wiring, name: str, password: str, held: str) -> str:
    with Session(parts.database.engine, expire_on_commit=False) as session:
        try:
            token = sign_in(session, parts.vault, name, password)
            sign_out(session, parts.vault, held)  # whoever had signed in at this browser before
            return token
        finally:
            session.commit()  # a failure is counted, too


@router.post("/sign-out")
def send_sign_out(request: Request, parts: WiringDep, _form: FormDep) -> Response:
    """End the session."""
    with parts.database.session() as session:
        sign_out(session, parts.vault, request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/assets/{digest}/{name}")
def get_asset(digest: str, name: str) -> Response:
    """A stylesheet, a script or a picture of ours; its address changes with its content."""
    found = asset(name)
    if found is None or not asset_address(name).startswith(f"/assets/{digest}/"):
        raise Problem(404, "There is no such file.")
    content, kind = found
    return Response(content, media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})


def _within(address: str) -> str:
    """An address of ours, or the first room: nobody is sent to another site."""
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if plain else "/"
