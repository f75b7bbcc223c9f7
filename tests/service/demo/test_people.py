import re
from importlib.resources import files

import pytest
from sqlmodel import Session, select

from models.taxonomies.taxonomy import default_taxonomy
from service.demo.people import PEOPLE, let_people_in
from service.people.sessions import WrongPassword, sign_in, signed_in
from service.route.policy import people_of
from service.route.policy_document import check
from service.store.tables import User


def test_each_run_has_one_password_for_everybody_and_ends_the_last_ones(database, vault):
    held = None
    passwords = []
    for _ in range(2):
        with database.session() as session:
            passwords.append(let_people_in(session))
        with database.session() as session:
            for name, person in PEOPLE.items():
                token = sign_in(session, vault, name, passwords[-1])
                assert signed_in(session, vault, token).caller.roles == {person.role}
            assert held is None or signed_in(session, vault, held) is None
        held = token
    assert re.fullmatch(r"[a-z]{4}(-[a-z]{4}){3}", passwords[0])
    with Session(database.engine) as session, pytest.raises(WrongPassword):
        sign_in(session, vault, "ana", passwords[0])


def test_everybody_whom_the_policy_names_has_an_account(database):
    with database.session() as session:
        let_people_in(session)
        policy = check((files("service.demo") / "policy.yaml").read_text(), default_taxonomy().labels).policy
        users = {user.name: user for user in session.exec(select(User))}
    assert people_of(policy) <= set(users)
    assert [users[name].manager for name in ("ana", "jan", "eva", "mia")] == ["eva", "eva", "mia", None]


def test_the_policy_gives_the_supervisor_work():
    policy = (files("service.demo") / "policy.yaml").read_text()
    supervisors = [name for name, person in PEOPLE.items() if person.role == "supervisor"]
    assert all(re.search(rf"people: \[.*\b{name}\b", policy) for name in supervisors)
