"""`/destinations`: where work is sent, how well that goes, and what an admin changes about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session
from starlette.responses import RedirectResponse

from service.api.dependencies import CursorDep, Position, SessionDep, WiringDep
from service.api.destinations import find_destination, lock_destination
from service.deliver.catalog import DESTINATIONS, new_secret
from service.deliver.destination import InvalidDestination
from service.deliver.set_up import Change, SecretsUnreadable, Taken, all_destinations, change, remove, set_up, try_out
from service.pages.deliveries import STATES, State, sent_to
from service.pages.render import page
from service.pages.visitor import Form, FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.standing import Amount, Tried, counted_of, not_set_up, tried, tried_of
from service.store.tables import Destination, now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Operator = Annotated[SignedIn, Depends(enter())]

DONE: Mapping[str, str] = {
    "changed": "Changed.",
    "on": "Switched on: what waited is being sent.",
    "off": "Switched off: what is to be sent there waits until it is switched on again.",
    "deleted": "The destination is gone. What waits for it goes out if one of that name is set up again.",
    "replayed": "It will be sent again.",
    "put_away": "Put away: nobody is told of it any more. It can still be sent again.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A destination in figures."""

    row: Destination
    amounts: Mapping[str, Amount]
    tried: Tried


def _standing(session: Session, row: Destination, known: Mapping[str, Tried]) -> Standing:
    amounts = {state: counted_of(session, row.name, state) for state in STATES}
    return Standing(row, amounts, tried_of(session, row.name, known))


@router.get("/destinations")
def show_destinations(session: SessionDep, visitor: Operator, done: str = "") -> Response:
    """Every destination, those that are missing, and a form for another."""
    return _list(session, visitor, said=DONE.get(done, ""))


def _list(
    session: Session,
    visitor: SignedIn,
    *,
    status: int = 200,
    said: str = "",
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    known = tried(session)
    return page(
        "destinations.html.j2",
        visitor,
        status=status,
        here="/destinations",
        said=said,
        standings=[_standing(session, row, known) for row in all_destinations(session)],
        missing=not_set_up(session),
        kinds=[(kind, kind) for kind in sorted(DESTINATIONS)],
        acts=visitor.caller.may(reading=False),
        typed=typed or {},
        wrong=wrong or {},
        now=now(),
    )


@router.post("/destinations")
def send_destination(parts: WiringDep, session: SessionDep, visitor: Operator, form: FormDep) -> Response:
    """Set a destination up; a secret of our making is shown this once."""
    typed = form.given("name", "kind", "base_url")
    wrong = _missing(form)
    if not wrong:
        try:
            row, made = set_up(
                session,
                parts.vault,
                parts.http,
                name=typed["name"],
                kind=form.text("kind"),
                settings={"base_url": typed["base_url"]},
                secrets=list(form.given("secret").values()),
                actor=visitor.caller.name,
            )
        except InvalidDestination as error:
            wrong = _wrong(error)
        except Taken as error:
            wrong = {"name": f"There is already a destination called '{error.name}': choose another name."}
        else:
            session.commit()
            return page("destination_made.html.j2", visitor, here="/destinations", row=row, secret=made, fresh=True)
    session.rollback()
    return _list(session, visitor, status=422, typed=typed, wrong=wrong)


def _missing(form: Form) -> dict[str, str]:
    wrong = {}
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", form.text("name")):
        wrong["name"] = "A name of 1 to 64 letters, digits, dots, underscores and hyphens is needed here."
    return wrong | _no_address(form)


def _no_address(form: Form) -> dict[str, str]:
    return {} if form.text("base_url") else {"base_url": "The address that takes the work is needed here."}


def _wrong(error: InvalidDestination) -> dict[str, str]:
    """What is wrong, by the field of the form."""
    told: dict[str, str] = {}
    for one in error.problems:
        place = "secret" if one.pointer.startswith("/secrets") else one.pointer.rpartition("/")[2]
        told.setdefault(place, f"{one.detail[:1].upper()}{one.detail[1:].rstrip('.')}.")
    return told


@router.get("/destinations/{name}")
def show_destination(
    session: SessionDep,
    visitor: Operator,
    cursor: CursorDep,
    name: str,
    state: State | Literal[""] = "",
    done: str = "",
) -> Response:
    """One destination and what was sent there."""
    row = find_destination(session, name)
    return _detail(session, visitor, row, state=state, cursor=cursor, said=DONE.get(done, ""))


def _detail(
    session: Session,
    visitor: SignedIn,
    row: Destination,
    *,
    status: int = 200,
    state: str = "",
    cursor: Position | None = None,
    said: str = "",
    test: tuple[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    sent, following = sent_to(session, row.name, state, cursor)
    where = urlencode({"state": state, "cursor": following} if state else {"cursor": following})
    return page(
        "destination.html.j2",
        visitor,
        status=status,
        here="/destinations",
        said=said,
        one=_standing(session, row, tried(session)),
        sent=sent,
        state=state,
        following=f"/destinations/{row.name}?{where}" if following else None,
        acts=visitor.caller.may(reading=False),
        test=test,
        typed=typed or {"base_url": str(row.settings.get("base_url", ""))},
        wrong=wrong or {},
        now=now(),
    )


@router.post("/destinations/{name}")
def send_change(parts: WiringDep, session: SessionDep, visitor: Operator, form: FormDep, name: str) -> Response:
    """Change where it points, or the secret that signs what is sent there."""
    row = lock_destination(session, name)
    choice = form.text("secret_change")
    made = new_secret(row.kind) if choice == "make" else None
    typed = list(form.given("secret").values()) if choice == "given" else []  # a browser may fill the field by itself
    given = [made] if made else typed
    wrong = _no_address(form)
    if choice == "given" and not given:
        wrong["secret"] = "The new secret is needed here."  # noqa: S105 (a sentence)
    if not wrong:
        settings = {**row.settings, "base_url": form.text("base_url")}
        try:
            wanted = Change(given or None, settings)
            change(session, parts.vault, parts.http, row, wanted, actor=visitor.caller.name)
        except InvalidDestination as error:
            wrong = _wrong(error)
        except SecretsUnreadable as error:
            wrong = {"secret": str(error)}
        else:
            session.commit()
            if made:
                return page(
                    "destination_made.html.j2", visitor, here="/destinations", row=row, secret=made, fresh=False
                )
            return RedirectResponse(f"/destinations/{name}?done=changed", 303)
    session.rollback()
    row = find_destination(session, name)
    return _detail(session, visitor, row, status=422, typed=form.given("base_url"), wrong=wrong)


@router.post("/destinations/{name}/switch")
def send_switch(parts: WiringDep, session: SessionDep, visitor: Operator, form: FormDep, name: str) -> Response:
    """Switch it on, or off."""
    to = "on" if form.text("to") == "on" else "off"
    wanted = Change(enabled=to == "on")
    change(session, parts.vault, parts.http, lock_destination(session, name), wanted, actor=visitor.caller.name)
    session.commit()
    return RedirectResponse(f"/destinations/{name}?done={to}", 303)


@router.post("/destinations/{name}/test")
def send_test(parts: WiringDep, session: SessionDep, visitor: Operator, _form: FormDep, name: str) -> Response:
    """Make a harmless call and say what came of it."""
    row = find_destination(session, name)
    session.expunge(row)
    session.rollback()  # no connection is held while somebody else's machine takes its time
    try:
        refusal = try_out(parts.vault, parts.http, row)
    except (SecretsUnreadable, InvalidDestination) as error:
        refusal = str(error)
    test = ("bad", f"The test did not go through: {refusal}") if refusal else ("good", "The test went through.")
    return _detail(session, visitor, find_destination(session, name), said=test[1], test=test)


@router.get("/destinations/{name}/delete")
def ask_delete(session: SessionDep, visitor: Operator, name: str) -> Response:
    """Ask once, and say what is lost."""
    one = _standing(session, find_destination(session, name), {})
    return page("destination_delete.html.j2", visitor, here="/destinations", one=one)


@router.post("/destinations/{name}/delete")
def send_delete(session: SessionDep, visitor: Operator, _form: FormDep, name: str) -> Response:
    """Remove it."""
    remove(session, lock_destination(session, name), actor=visitor.caller.name)
    session.commit()
    return RedirectResponse("/destinations?done=deleted", 303)
