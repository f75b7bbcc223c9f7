"""Whom an escalation reaches: owner, managers or a group, whoever stands in, and in the end the admins. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.people.availability import reachable, substitute_for
from service.route.case import Case
from service.route.policy import Policy, members
from service.store.tables import User

_MANAGER = "owner.manager"
_MANAGERS_MANAGER = "owner.manager.manager"


@dataclass(frozen=True, slots=True)
class Reached:
    """Who is told, in order and each once, and in words why it is not (only) whom one would expect."""

    people: tuple[str, ...]
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decides whom an item's escalations reach.

    `policy` and `case` are those the item was made on; `people` are all accounts by name.
    """

    owner: str | None
    group: str | None
    policy: Policy
    case: Case
    people: Mapping[str, User]
    at: datetime

    def reach(self, to: str) -> Reached:
        """Find everybody whom `to` names; absent ones are replaced, and somebody is always told if anybody can be."""
        names, missing = self._named(to)
        found, reasons = self._present(names)
        reasons = [*missing, *reasons]
        if found:
            return Reached(found, "; ".join(reasons) or None)
        for fallback in self._fallbacks():
            instead, _ = self._present(self._people_of(fallback))
            if instead:
                return Reached(instead, f"{'; '.join(reasons)}: told {_listed(instead)} of {fallback} instead")
        return self._admins(reasons)

    def instead(self) -> str | None:
        """Who takes the item over when its owner is gone: of the fallbacks the first who is there, else an admin."""
        for fallback in self._fallbacks():
            found, _ = self._present(self._people_of(fallback))
            if found:
                return found[0]
        return next(iter(self._admins([]).people), None)

    def _named(self, to: str) -> tuple[tuple[str, ...], list[str]]:
        """The names that `to` stands for, and why there are none."""
        if to == "owner":
            return ((self.owner,), []) if self.owner else ((), ["nobody owns the item"])
        if to not in {_MANAGER, _MANAGERS_MANAGER}:
            names = self._people_of(to)
            return names, [] if names else [f"{to} is no group of the item's policy"]
        first = self._manager()
        if first is None or to == _MANAGER:
            return ((first,), []) if first else ((), [f"nobody manages {self.owner or 'an item without owner'}"])
        above = self.people[first].manager if first in self.people else None
        return ((above,), []) if above else ((), [f"nobody manages {first}"])

    def _manager(self) -> str | None:
        """The owner's own manager, else that of the group they own the item for."""
        account = self.people.get(self.owner or "")
        if account is not None and account.manager is not None:
            return account.manager
        group = members(self.policy, self.group, self.case) if self.group else None
        return group.manager if group else None

    def _people_of(self, group: str) -> tuple[str, ...]:
        found = members(self.policy, group, self.case)
        return found.people if found else ()

    def _present(self, names: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
        """Who is there of these people, or stands in for them, and why it is not themselves."""
        found: list[str] = []
        reasons: list[str] = []
        for name in names:
            stand_in = substitute_for(name, self.people, self.at)
            if stand_in.person is not None:
                found.append(stand_in.person)
            if stand_in.because:
                told = f": told {stand_in.person} instead" if stand_in.person else ""
                reasons.append(f"{', '.join(stand_in.because)}{told}")
        return tuple(dict.fromkeys(found)), reasons

    def _fallbacks(self) -> Iterator[str]:
        group = members(self.policy, self.group, self.case) if self.group else None
        if group is not None and group.fallback is not None:
            yield group.fallback
        if self.policy.fallback is not None:
            yield self.policy.fallback

    def _admins(self, reasons: Sequence[str]) -> Reached:
        admins = sorted(user.name for user in self.people.values() if user.active and "admin" in user.roles)
        there = [name for name in admins if reachable(self.people[name], self.at)] or admins
        if not there:
            return Reached((), f"{'; '.join(reasons)}, and there is no admin who could be told")
        who = "an admin" if len(there) == 1 else "the admins"
        return Reached(tuple(there), f"{'; '.join(reasons)}: told {_listed(there)}, {who}, instead")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
