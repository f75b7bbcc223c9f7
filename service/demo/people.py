"""Who signs in to the demo's pages: made on its first run, with another password on every one."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_lowercase

from sqlmodel import Session

from service.people.users import add_user, list_users, set_password


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, and what there is for them to see."""

    role: str
    sees: str


PEOPLE: Mapping[str, Person] = {
    "ana": Person("supervisor", "her inbox: whom to call, by when, and why"),  # policy.yaml gives her work
    "pia": Person("product", "the backlog: what customers ask for"),
    "ada": Person("admin", "everything, and what keeps it running"),
}


def let_people_in(session: Session) -> str:
    """Make the accounts, or give them the password of this run, which they share; the password."""
    password = "-".join("".join(secrets.choice(ascii_lowercase) for _ in range(4)) for _ in range(4))
    there = {user.name for user in list_users(session)}
    for name, person in PEOPLE.items():
        if name in there:
            set_password(session, name=name, password=password, actor="demo")
        else:
            add_user(session, name=name, roles=[person.role], password=password, actor="demo")
    return password
