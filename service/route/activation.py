"""Which of the activations in force takes a case: by scope, and by a share of customers that only grows. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.route.case import Case

Mode = Literal["live", "shadow"]
_HASHED = 2**64


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records: those of one of the regions and of one of the sources; what is empty does not matter."""

    region: tuple[str, ...] = ()
    source: tuple[str, ...] = ()

    def holds(self, case: Case) -> bool:
        """Whether a case lies inside; a customer whose region is not known lies outside of every region."""
        region = not self.region or case.customer.region in self.region
        return region and (not self.source or case.source in self.source)


@dataclass(frozen=True, slots=True)
class Activation:
    """A version that decides, or looks on, for a share (0 to 1) of the customers within a scope."""

    version: int
    mode: Mode
    share: float
    scope: Scope
    since: datetime

    @property
    def for_everyone(self) -> bool:
        """Whether it decides for every record that no other activation takes."""
        return self.mode == "live" and self.share >= 1 and self.scope == Scope()

    def takes(self, case: Case) -> bool:
        """Whether a case is within its scope and its share."""
        return self.scope.holds(case) and within_share(self.version, case.customer.id, self.share)


def within_share(version: int, customer: str | None, share: float) -> bool:
    """Whether a customer belongs to the first `share` (0 to 1) of all customers for a version.

    The first 64 bits of SHA-256 over `<version>:<customer id>` stand for a place from 0 to 1: the same on every
    machine, the smaller share always part of the larger one, and another order of customers for every version. A
    record without a customer belongs to no share below 1.
    """
    if share >= 1:
        return True
    if customer is None:
        return False
    digest = hashlib.sha256(f"{version}:{customer}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8]) < share * _HASHED


def taker(staged: Iterable[Activation], case: Case) -> Activation | None:
    """The newest staged live activation that takes the case; None where the one for everyone decides."""
    live = (one for one in staged if one.mode == "live" and not one.for_everyone and one.takes(case))
    return max(live, key=lambda one: (one.since, one.version), default=None)


def onlookers(in_force: Sequence[Activation], case: Case, decides: int) -> tuple[int, ...]:
    """The versions that look on at a case, in order; never the one that decides it."""
    seen = {one.version for one in in_force if one.mode == "shadow" and one.takes(case)}
    return tuple(sorted(seen - {decides}))
