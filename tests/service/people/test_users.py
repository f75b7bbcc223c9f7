"""Accounts: who can be given one, and what is kept of it."""

import pytest
from sqlmodel import Session, col, select

from service.people.passwords import WeakPassword
from service.people.users import InvalidUser, add_user, list_users
from service.store.tables import AuditEvent, User


def test_an_account_has_its_roles_once_and_no_password(database):
    with database.session() as session:
        add_user(session, name="Zoë", roles=["product", "supervisor", "product"], password="long enough", actor="root")
        add_user(session, name="ana", roles=["admin"], password="long enough", actor="root")
    with Session(database.engine) as session:
        zoe, ana = sorted(list_users(session), key=lambda one: one.name)[::-1][:2]
        assert {zoe.name, ana.name} == {"Zoë", "ana"}
        made = session.exec(select(User).where(col(User.name) == "Zoë")).one()
        assert made.roles == ["product", "supervisor"]
        assert made.password_hash.startswith("$argon2id$")
        event = session.exec(select(AuditEvent).where(col(AuditEvent.object) == "Zoë")).one()
        assert (event.actor, event.action, event.data) == ("root", "user.created", {"roles": made.roles})
        assert "long enough" not in event.model_dump_json() + made.model_dump_json()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"name": ""}, "1 to 128 printable"),
        ({"name": "x" * 129}, "1 to 128 printable"),
        ({"name": "x" * 1_000_000}, "1 to 128 printable"),
        ({"name": " ana"}, "without spaces around"),
        ({"name": "a\0b"}, "printable"),
        ({"name": "a\nb"}, "printable"),
        ({"name": "\u202eana"}, "printable"),
        ({"name": "a\u200bna"}, "printable"),
        ({"name": "\ud800"}, "printable"),
        ({"name": "taken"}, "already somebody called 'taken': choose another name"),
        ({"name": "Taken"}, "There is a 'taken' already"),
        ({"roles": []}, "Somebody without a role may do nothing: choose from source, supervisor"),
        ({"roles": ["supervisor", "root"]}, "no role 'root': choose from source, supervisor"),
        ({"roles": ["Admin"]}, "no role 'Admin'"),
        ({"password": "short"}, "8 to 256"),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_the_reason(database, asked, said):
    with database.session() as session:
        add_user(session, name="taken", roles=["admin"], password="long enough", actor="root")
    with Session(database.engine) as session, pytest.raises((InvalidUser, WeakPassword), match=said):
        add_user(session, **({"name": "ana", "roles": ["admin"], "password": "long enough", "actor": "root"} | asked))
