"""Who gets a new item."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from sqlmodel import Session

from service.route.case import Case
from service.route.decide import Bypassed, Plan
from service.route.policy import Bypass, People, Policy, members, people_of
from service.work.choice import choose, passed_over, pools
from service.work.notices import News
from service.work.staff import Staff


@dataclass(frozen=True, slots=True)
class Assigned:
    """Whose an item is, and what is to be said about it.

    `group` is whose person it is. `zone` is the owner's time zone, None where they have none; `bypass` names the bypass
    that sent it there; `notes` say, for the history, why it is not whom one would expect.
    """

    owner: str | None
    group: str | None
    zone: str | None = None
    bypass: str | None = None
    notes: tuple[str, ...] = ()


class Assigner:
    """Finds owners under one policy; the assigners of one transaction share what is known of the `staff`.

    A group is asked for somebody who knows the record's topics (the surest first) or else its language, then for
    anybody; then its `fallback`, the policy's `fallback` and the `review` group are asked in the same way. Whoever is
    absent, or has as many open items as the `capacity` allows, is passed over. Where all are, the item goes to the
    first who is only absent, and waits for them; where all are full it has no owner. What admins are to be told of it
    is in the news of the `staff`, for whoever ends the transaction.

    Where nobody who could be asked has an account, names are all there is: the first of the group gets it.
    """

    def __init__(self, session: Session, policy: Policy, at: datetime, staff: Staff | None = None) -> None:
        self.session, self.policy, self.at = session, policy, at
        self.staff = staff or Staff(session, at)

    @cached_property
    def _named(self) -> set[str]:
        return people_of(self.policy)

    def assign(self, plan: Plan, case: Case, bypassed: Bypassed | None) -> Assigned:
        """Choose the owner of a planned item."""
        found = self._assign(plan, case, bypassed)
        if found.owner is not None and plan.kind != "backlog_item":
            self.staff.give(found.owner)
        return found

    def place(self, group: str, case: Case) -> Assigned:
        """Choose who of a group gets an item about this case."""
        chain = list(self._chain(group, case))
        if not chain:
            return Assigned(None, group)
        self.staff.meet(self._named)
        if all(self.staff.account(name) is None for _, people in chain for name in people.people):
            return Assigned(chain[0][1].people[0], group)
        self._tell_of_gone(chain)
        notes: list[str] = []
        for number, (name, people) in enumerate(chain):
            owner, why = self._ask(people, case)
            if owner is not None:
                said = [*notes, f"{why}; so {owner}"] if why else notes
                return self._owned(owner, name, said)
            following = chain[number + 1][0] if number + 1 < len(chain) else None
            notes.append(f"{why}; so the group {following}" if following else why)
        return self._last_resort(chain, group, notes)

    def _assign(self, plan: Plan, case: Case, bypassed: Bypassed | None) -> Assigned:
        note = None
        if bypassed is not None:
            direct = self._straight(bypassed, plan.group)
            if isinstance(direct, Assigned):
                return direct
            note = direct
        found = Assigned(None, None) if plan.group is None else self.place(plan.group, case)
        return found if note is None else replace(found, notes=(note, *found.notes))

    def _straight(self, bypassed: Bypassed, group: str | None) -> Assigned | str:
        """Past the groups to the person a bypass names, or to who stands in; else the words why not."""
        bypass = next(one for one in self.policy.bypass if one.name == bypassed.name)
        self.staff.meet(self._named)
        if self.staff.used(bypass.name, bypass.to) >= bypass.quota:
            return f"the bypass {bypass.name} has used up its {bypass.quota} of today; so the group decides"
        owner, note = self._reached(bypass)
        if owner is None:
            return f"the bypass {bypass.name} reaches nobody: {note}; so the group decides"
        self.staff.use(bypass.name)
        notes = [f"{note}; so {owner}"] if note else []
        return replace(self._owned(owner, group, notes), bypass=bypass.name)

    def _reached(self, bypass: Bypass) -> tuple[str | None, str]:
        """Who gets what a bypass lets through; where nobody has an account, a name is all there is to go by."""
        if not self.staff.people():
            return bypass.to, ""
        found = self.staff.stand_in(bypass.to)
        return found.person, "; ".join(found.because)

    def _chain(self, group: str, case: Case) -> Iterator[tuple[str, People]]:
        """The groups that are asked, each once: this one and where it falls back to, the policy's, the reviewers."""
        asked = set[str]()
        for start in (group, self.policy.fallback, self.policy.review):
            name = start
            while name is not None and name not in asked:
                asked.add(name)
                people = members(self.policy, name, case)
                if people is None:
                    break
                yield name, people
                name = people.fallback

    def _ask(self, people: People, case: Case) -> tuple[str | None, str]:
        """Who of these people takes it, and why not those before them."""
        topics = () if case.withheld else case.tags
        everybody = self.staff.candidates(people, people.people, self.policy)
        for pool in pools(people, topics, case.language):
            among = [one for one in everybody if one.name in pool]
            chosen = choose(among, people.capacity)
            if chosen is not None:
                return chosen.name, passed_over(among, people.capacity, chosen)
        return None, passed_over(everybody, people.capacity, None)

    def _last_resort(self, chain: Sequence[tuple[str, People]], group: str, notes: Sequence[str]) -> Assigned:
        """The first who has room although they are absent; else nobody, and the admins are told."""
        people = self.staff.people()
        for name, asked in chain:
            for one in self.staff.candidates(asked, asked.people, self.policy):
                room = asked.capacity is None or one.open_items < asked.capacity
                if room and one.name in people and people[one.name].active:
                    return self._owned(one.name, name, [*notes, f"nobody is there; it waits for {one.name}"])
        said = f"Nobody in {group} can take an item: everybody is away or has as many as they may have."
        self._tell_admins("no_owner", said, group)
        return Assigned(None, group, notes=(*notes, "nobody can take it; it waits for an owner"))

    def _owned(self, owner: str, group: str | None, notes: Sequence[str]) -> Assigned:
        account = self.staff.account(owner)
        return Assigned(owner, group, None if account is None else account.zone, notes=tuple(notes))

    def _tell_of_gone(self, chain: Sequence[tuple[str, People]]) -> None:
        """Let admins know whom the policy still names who cannot be given anything any more."""
        for name in dict.fromkeys(name for _, people in chain for name in people.people):
            account = self.staff.account(name)
            if account is None or not account.active:
                said = f"The policy names {name}, who {self.staff.away(name)}: what was theirs goes to others."
                self._tell_admins("owner_gone", said, name)

    def _tell_admins(self, kind: str, words: str, about: str) -> None:
        """Once a day for each thing that is wrong."""
        if self.staff.first(kind, about):
            key = f"{kind}:{about}:{self.at.date().isoformat()}:"
            self.staff.news += [News(admin, kind, words, f"{key}{admin}") for admin in self.staff.admins(key)]
