"""Keys: made once, shown once, kept as a digest, useless once revoked."""

import re

import pytest
from sqlmodel import col, select

from service.people.access import ROLES, Caller, InvalidKeyRequest, caller, create_key, revoke_key
from service.store.tables import ApiKey, AuditEvent, User
from service.store.vault import Vault


@pytest.mark.parametrize("role", ROLES)
def test_a_new_key_opens_its_role(database, vault, role):
    with database.session() as session:
        made = create_key(session, vault, name="ci", role=role, actor="test")
        assert re.fullmatch(r"heed_live_[\w-]{43}", made.key)
        row = session.exec(select(ApiKey)).one()
        assert made.key not in row.model_dump_json()
    assert caller(database, vault, made.key) == Caller("ci", frozenset({role}), None)
    assert caller(database, Vault("another installation's own master secret"), made.key) is None


def test_a_source_key_may_be_bound(database, vault):
    with database.session() as session:
        made = create_key(session, vault, name="shop", role="source", source="shop.a_1-x", actor="test")
    assert caller(database, vault, made.key) == Caller("shop", frozenset({"source"}), "shop.a_1-x")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"role": "root"}, "choose one of source, supervisor, product, reviewer, auditor, admin"),
        ({"role": "Admin"}, "no role 'Admin'"),
        ({"name": ""}, "1 to 128"),
        ({"name": "x" * 129}, "1 to 128"),
        ({"name": "a\0b"}, "printable"),
        ({"name": "a\nb"}, "printable"),
        ({"name": "ada "}, "1 to 128 printable characters"),
        ({"name": "Ada"}, "There is a 'ada' already"),
        ({"name": "\N{FULLWIDTH LATIN SMALL LETTER A}da"}, "There is a 'ada' already"),
        ({"role": "admin", "source": "shop"}, "Only a key of role 'source'"),
        ({"role": "source", "source": "my shop"}, "No source can be called 'my shop'"),
        ({"role": "source", "source": "shop\n"}, "No source can be called"),
        ({"role": "source", "source": ""}, "No source can be called"),
    ],
)
def test_a_key_that_cannot_be_made_says_why(database, vault, asked, said):
    with database.session() as session:
        session.add(User(name="ada"))
        with pytest.raises(InvalidKeyRequest, match=re.escape(said)):
            create_key(session, vault, **{"name": "ci", "role": "admin", "actor": "test", **asked})
        assert session.exec(select(ApiKey)).all() == []


def test_a_revoked_key_is_nobody_and_stays_so(database, vault):
    with database.session() as session:
        made = create_key(session, vault, name="ci", role="admin", actor="test")
    assert caller(database, vault, made.key) is not None
    with database.session() as session:
        assert revoke_key(session, made.id, actor="test")
    assert caller(database, vault, made.key) is None
    with database.session() as session:
        assert not revoke_key(session, made.id, actor="test")
    with database.session() as session:
        written = session.exec(select(AuditEvent).order_by(col(AuditEvent.sequence).desc())).all()
        assert [event.action for event in written[:2]] == ["key.revoked", "key.created"]
        assert made.key not in "".join(event.model_dump_json() for event in written)
