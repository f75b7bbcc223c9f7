"""Sessions: a password for a cookie, the cookie for a caller; what is stored opens nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from service.people.access import Caller
from service.people.sessions import LASTS, Locked, WrongPassword, sign_in, sign_out, signed_in
from service.people.users import add_user
from service.store.tables import AuditEvent, User, UserSession, now
from service.store.vault import Vault

PASSWORD = "a long password"


@pytest.fixture
def ana(database):
    with database.session() as session:
        add_user(session, name="ana", roles=["supervisor", "product"], password=PASSWORD, actor="test")
    return "ana"


@pytest.fixture
def guess(database, vault, ana):
    """Sign in as the web process does: what is counted stays, also after a refusal."""

    def attempt(password=PASSWORD, name=ana):
        with Session(database.engine, expire_on_commit=False) as session:
            try:
                return sign_in(session, vault, name, password)
            finally:
                session.commit()

    return attempt


@pytest.fixture
def change(database):
    def made(**values):
        with database.session() as session:
            user = session.exec(select(User)).one()
            for name, value in values.items():
                setattr(user, name, value)
            session.add(user)

    return made


def actions(database):
    with Session(database.engine) as session:
        rows = session.exec(select(AuditEvent).where(col(AuditEvent.action).startswith("user.")))
        return [row.action for row in sorted(rows, key=lambda row: row.sequence)]


def who(database, vault, token):
    with Session(database.engine) as session:
        return signed_in(session, vault, token)


def test_a_password_opens_a_session_of_twelve_hours(database, vault, guess):
    token = guess()
    found = who(database, vault, token)
    assert found.caller == Caller("ana", frozenset({"supervisor", "product"}))
    with Session(database.engine) as session:
        row = session.exec(select(UserSession)).one()
    assert row.expires_at - row.created_at == LASTS == timedelta(hours=12)
    assert token not in row.model_dump_json()
    assert found.csrf not in row.model_dump_json()
    assert len(token) >= 43
    assert actions(database) == ["user.created", "user.signed_in"]


def test_each_session_has_a_token_of_its_own(database, vault, guess):
    first, second = guess(), guess()
    assert first != second
    assert who(database, vault, first).csrf != who(database, vault, second).csrf


def test_a_session_ends_for_itself_alone(database, vault, guess):
    kept, ended = guess(), guess()
    with database.session() as session:
        sign_out(session, vault, ended)
        sign_out(session, vault, "no cookie of ours")
    assert who(database, vault, ended) is None
    assert who(database, vault, kept).caller.name == "ana"
    assert actions(database)[-1] == "user.signed_out"


def test_what_is_stored_opens_nothing(database, vault, guess):
    guess()
    with Session(database.engine) as session:
        digest = session.exec(select(UserSession)).one().digest
    assert who(database, vault, digest) is None
    assert who(database, Vault("another installation's own master secret"), guess()) is None


@pytest.mark.parametrize(
    "closed",
    [pytest.param({"active": False}, id="closed"), pytest.param({"roles": ["auditor"]}, id="other roles")],
)
def test_a_change_of_the_account_holds_at_once(database, vault, guess, change, closed):
    token = guess()
    change(**closed)
    found = who(database, vault, token)
    assert (found and found.caller.roles) == (frozenset({"auditor"}) if "roles" in closed else None)


def test_a_session_expires(database, vault, guess):
    token = guess()
    with database.session() as session:
        row = session.exec(select(UserSession)).one()
        row.expires_at = now()
        session.add(row)
    assert who(database, vault, token) is None
    fresh = guess()
    with Session(database.engine) as session:
        assert len(session.exec(select(UserSession)).all()) == 1, "old ones are cleared away by the next sign-in"
    assert who(database, vault, fresh) is not None


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ana", "wrong"),
        ("ana", ""),
        ("Ana", PASSWORD),
        ("nobody", PASSWORD),
        ("", ""),
        ("ana\u202e", PASSWORD),
        ("' OR 1=1 --", "x"),
        ("ana", PASSWORD * 1000),
        ("ana", "\ud800"),
    ],
)
def test_nobody_learns_whether_it_was_the_name(guess, name, password):
    with pytest.raises(WrongPassword, match=r"^The name or the password is wrong\.$"):
        guess(password, name)


def test_a_closed_account_looks_like_none(guess, change):
    change(active=False)
    with pytest.raises(WrongPassword, match="name or the password"):
        guess()


def test_an_account_without_a_password_cannot_be_guessed(guess, change):
    change(password_hash=None)
    for password in ("", "None", PASSWORD):
        with pytest.raises(WrongPassword):
            guess(password)


def test_five_wrong_ones_lock_and_every_further_one_doubles_the_wait(database, guess, change):
    for _ in range(5):
        with pytest.raises(WrongPassword):
            guess("wrong")
    waits = []
    for _ in range(7):
        with pytest.raises(Locked) as locked:
            guess()  # the right one: as long as it is locked nobody finds out
        waits.append(round(locked.value.seconds, -1))
        change(locked_until=now())
        with pytest.raises(WrongPassword):
            guess("wrong")
    assert waits == [30, 60, 120, 240, 480, 900, 900]
    assert actions(database)[1:] == ["user.locked"] * 8
    change(locked_until=now())
    assert guess()
    with pytest.raises(WrongPassword):
        guess("wrong")
    assert guess(), "the right one has cleared what was counted"


def test_guesses_made_side_by_side_each_count(database, guess):
    def wrong(_):
        with pytest.raises((WrongPassword, Locked)):
            guess("wrong")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(wrong, range(8)))
    with pytest.raises(Locked):
        guess()
    with Session(database.engine) as session:
        assert session.exec(select(User)).one().failures == 5
