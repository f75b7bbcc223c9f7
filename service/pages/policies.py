"""`/policies`: which policy decides, in plain language, and every version there ever was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session, col, select

from service.api.dependencies import SessionDep
from service.api.policies import Version
from service.api.problems import not_found
from service.pages.document_lines import looked_at
from service.pages.policy_today import today
from service.pages.render import page
from service.pages.visitor import PageRoute, enter
from service.people.sessions import SignedIn
from service.route.activation import Activation
from service.route.difference import difference
from service.route.english import describe
from service.route.in_force import activation_of, in_force
from service.route.phrases import percent
from service.route.versions import active_version, decided_before, fetch
from service.store.tables import Policy, PolicyActivation, now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor"))]
_PAGE = 50
DONE: Mapping[str, str] = {
    "published": "Published as a draft: it decides nothing until somebody activates it.",
    "activated": "Activated: every decision from now on uses it.",
    "staged": "Activated for a part of the customers; the others stay where they were.",
    "shadow": "It looks on: its plans are kept, and nothing comes of them.",
    "ended": "Ended: the version that decides for everyone decides for these customers too.",
    "rolled-back": "Rolled back: the version before decides again.",
}


@dataclass(frozen=True, slots=True)
class Force:
    """What a version does in a mode, for whom in words, and who wanted it when and why."""

    words: str
    mode: str
    row: PolicyActivation


@dataclass(frozen=True, slots=True)
class Standing:
    """A version and how it stands: its state in words with a tone, what it does now, when it was last activated."""

    row: Policy
    state: str
    tone: str
    forces: Sequence[Force]
    last: PolicyActivation | None

    @property
    def decides(self) -> bool:
        """Whether it decides for everyone."""
        return self.state == "active"

    @property
    def beside(self) -> bool:
        """Whether it decides for a part, or looks on, beside the one for everyone."""
        return bool(self.forces) and not self.decides


def find_policy(session: Session, version: int) -> Policy:
    """A version.

    Raises:
        Problem: 404.
    """
    row = session.get(Policy, version)
    if row is None:
        raise not_found("policy of this version")
    return row


@router.get("/policies")
def show_policies(
    session: SessionDep, visitor: Visitor, before: Annotated[Version, Query()] = 2**31 - 1, done: str = ""
) -> Response:
    """The policy that decides, and the list of all."""
    return policies_page(session, visitor, before=before, said=DONE.get(done, ""))


def policies_page(
    session: Session,
    visitor: SignedIn,
    *,
    before: int = 2**31 - 1,
    said: str = "",
    comment: str = "",
    wrong_comment: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response:
    """The page of all policies; `comment` is what was typed to roll back, `wrong` why something was refused."""
    query = select(Policy).where(col(Policy.version) < before).order_by(col(Policy.version).desc()).limit(_PAGE + 1)
    rows = session.exec(query).all()
    force = in_force(session)
    deciding = next(one.version for one in force if one.for_everyone)
    others = sorted({one.version for one in force} - {deciding})
    (active, *beside) = standings(session, [find_policy(session, version) for version in (deciding, *others)])
    return page(
        "policies.html.j2",
        visitor,
        status=status,
        here="/policies",
        said=said,
        active=active,
        plain=describe(fetch(session, deciding)),
        beside=beside,
        versions=standings(session, rows[:_PAGE]),
        more=f"/policies?before={rows[_PAGE - 1].version}" if len(rows) > _PAGE else None,
        back=decided_before(session),
        comment=comment,
        wrong_comment=wrong_comment,
        wrong=wrong,
        acts=visitor.caller.may(reading=False),
        now=now(),
    )


@router.get("/policies/{version}")
def show_policy(session: SessionDep, visitor: Visitor, version: Version, done: str = "") -> Response:
    """One version as it was written."""
    return _version(session, visitor, version, "policy.html.j2", said=DONE.get(done, ""))


@router.get("/policies/{version}/plain")
def show_plainly(session: SessionDep, visitor: Visitor, version: Version) -> Response:
    """One version in plain language."""
    return _version(session, visitor, version, "policy_plain.html.j2")


def _version(session: Session, visitor: SignedIn, version: int, template: str, said: str = "") -> Response:
    (one,) = standings(session, [find_policy(session, version)])
    policy = fetch(session, version)
    return page(
        template,
        visitor,
        here="/policies",
        said=said,
        one=one,
        looked=looked_at(one.row.document, []),
        plain=describe(policy, today(session, policy, now())),
        acts=visitor.caller.may(reading=False),
        now=now(),
    )


@router.get("/policies/{version}/compare")
def compare(
    session: SessionDep, visitor: Visitor, version: Version, against: Annotated[Version | None, Query()] = None
) -> Response:
    """What this version does otherwise than another, by default the one that decides now."""
    (one,) = standings(session, [find_policy(session, version)])
    (other,) = standings(session, [find_policy(session, against or active_version(session))])
    newest = session.exec(select(Policy.version, Policy.name).order_by(col(Policy.version).desc()).limit(200)).all()
    return page(
        "policy_difference.html.j2",
        visitor,
        here="/policies",
        one=one,
        other=other,
        found=difference(fetch(session, other.row.version), fetch(session, version)),
        versions=[(number, f"{number}: {name}") for number, name in newest if number != version],
        acts=visitor.caller.may(reading=False),
        now=now(),
    )


def standings(session: Session, rows: Sequence[Policy]) -> list[Standing]:
    """How these versions stand, in their order."""
    found = session.exec(
        select(PolicyActivation)
        .where(col(PolicyActivation.policy_version).in_([row.version for row in rows]))
        .order_by(col(PolicyActivation.from_at), col(PolicyActivation.id))
    ).all()
    return [_standing(row, [one for one in found if one.policy_version == row.version]) for row in rows]


def _standing(row: Policy, activations: Sequence[PolicyActivation]) -> Standing:
    forces = [Force(for_whom(activation_of(one)), one.mode, one) for one in activations if one.to_at is None]
    state, tone = "draft", "calm"
    if any(activation_of(one.row).for_everyone for one in forces):
        state, tone = "active", "good"
    elif forces:
        live = any(one.mode == "live" for one in forces)
        state, tone = ("decides for a part" if live else "looks on"), "warn"
    elif activations:
        state = "not in use any more"
    return Standing(row, state, tone, forces, activations[-1] if activations else None)


def for_whom(one: Activation) -> str:
    """Whom an activation concerns: `20 % of customers, region emea or apac`."""
    share = "everyone" if one.share >= 1 else f"{percent(one.share)} of customers"
    places = [("region", one.scope.region), ("source", one.scope.source)]
    return ", ".join([share, *(f"{name} {' or '.join(values)}" for name, values in places if values)])
