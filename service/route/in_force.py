"""The activations in force as rows: which there are, which one is for everyone, and how they end."""

from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, and_, text
from sqlmodel import Session, col, select, update

from service.route.activation import Activation, Mode, Scope
from service.store.tables import PolicyActivation


def for_everyone() -> ColumnElement[bool]:
    """The activations that are live with neither share nor scope."""
    no_scope = col(PolicyActivation.scope) == text("'{}'::jsonb")
    return and_(col(PolicyActivation.mode) == "live", col(PolicyActivation.share) >= 1, no_scope)


def in_force(session: Session) -> tuple[Activation, ...]:
    """All activations in force, oldest first."""
    rows = session.exec(
        select(PolicyActivation)
        .where(col(PolicyActivation.to_at).is_(None))
        .order_by(col(PolicyActivation.from_at), col(PolicyActivation.id))
    )
    return tuple(activation_of(row) for row in rows)


def activation_of(row: PolicyActivation) -> Activation:
    """A stored activation as a value."""
    scope = Scope(tuple(row.scope.get("region", ())), tuple(row.scope.get("source", ())))
    return Activation(row.policy_version, cast("Mode", row.mode), row.share, scope, row.from_at)


def stored(scope: Scope) -> dict[str, list[str]]:
    """A scope as it is kept: only the parts that matter."""
    parts = {"region": list(scope.region), "source": list(scope.source)}
    return {name: values for name, values in parts.items() if values}


def end(session: Session, which: ColumnElement[bool], at: datetime) -> bool:
    """End the activations in force that `which` describes; whether there were any."""
    ended = session.execute(
        update(PolicyActivation)
        .where(which, col(PolicyActivation.to_at).is_(None))
        .values(to_at=at)
        .returning(col(PolicyActivation.id))
    )
    return bool(ended.all())
