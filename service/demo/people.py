"""The people of the demo: those who sign in, with another password on every run, and those who are only named."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_lowercase

from sqlmodel import Session, col, select

from service.people.users import add_user, list_users, set_password
from service.store.tables import User


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, and what there is for them to see."""

    role: str
    sees: str


PEOPLE: Mapping[str, Person] = {
    "ana": Person("supervisor", "her inbox: whom to call, by when, and why"),  # policy.yaml gives her work
    "eva": Person("supervisor", "her team's work: what she is told of, and the largest accounts"),  # ana's manager
    "pia": Person("product", "the backlog: what customers ask for"),
    "rea": Person("reviewer", "60 answers to label: she sees the words, and not what heed made of them"),
    "rob": Person("reviewer", "the same answers; where two people differ, a third is asked"),
    "ada": Person("admin", "everything: under Reports, what the labels prove; and what keeps it running"),
}

# They own work and are told of it, but nobody plays them: an account without a password cannot be signed in to.
COLLEAGUES: Mapping[str, str] = {
    "jan": "eva",
    "rosa": "eva",
    "theo": "eva",
    "mika": "eva",
    "noor": "eva",
    "ilya": "eva",
    "greta": "eva",
    "sam": "eva",
    "mia": "",
}
MANAGERS: Mapping[str, str] = {**COLLEAGUES, "ana": "eva", "eva": "mia"}
ZONE = "Europe/Warsaw"  # as the calendar of policy.yaml


def let_people_in(session: Session) -> str:
    """Make the accounts, or give them the password of this run, which they share; the password."""
    password = "-".join("".join(secrets.choice(ascii_lowercase) for _ in range(4)) for _ in range(4))
    there = {user.name for user in list_users(session)}
    for name, person in PEOPLE.items():
        if name in there:
            set_password(session, name=name, password=password, actor="demo")
        else:
            add_user(session, name=name, roles=[person.role], password=password, actor="demo")
    session.add_all(User(name=name, roles=["supervisor"]) for name in COLLEAGUES if name not in there)
    session.flush()
    for user in session.exec(select(User).where(col(User.name).in_(MANAGERS))):
        user.manager, user.zone = user.manager or MANAGERS[user.name] or None, user.zone or ZONE
    return password
