"""What a policy names and this installation does not know yet: it works, and something waits."""

import re
from collections.abc import Iterator

from sqlmodel import Session, select

from service.route.findings import PolicyWarning
from service.route.policy import Policy, people_of
from service.store.tables import Destination, User


def absent(session: Session, policy: Policy, document: str) -> Iterator[PolicyWarning]:
    """Destinations that are not set up and people without an account, each at the first place that names them."""
    known = set(session.exec(select(Destination.name)))
    for name in sorted({name for rule in policy.rules for name in rule.then.deliver} - known):
        yield _warning(document, name, f"destination {name} is not set up: what is sent there waits until it is")
    accounts = set(session.exec(select(User.name)))
    for name in sorted(people_of(policy) - accounts):
        told = f"{name} has no account: what would be theirs goes to others; where nobody has one, items carry the name"
        yield _warning(document, name, told)


def _warning(document: str, word: str, detail: str) -> PolicyWarning:
    found = re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", document)
    before = document[: found.start() if found else 0]
    return PolicyWarning(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1, detail)
