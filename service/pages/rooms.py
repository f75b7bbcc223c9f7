"""ROOMS: the pages of the left rail, in its order, and which roles they are open to."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.people.access import Caller


@dataclass(frozen=True, slots=True)
class Room:
    """A page of the rail. `admin` may enter every room, `auditor` read every room."""

    name: str
    path: str
    roles: tuple[str, ...] = ()


ROOMS: Sequence[Room] = (
    Room("Inbox", "/inbox", ("supervisor",)),
    Room("Backlog", "/backlog", ("supervisor", "product")),
    Room("Label", "/review", ("reviewer",)),
    Room("Service levels", "/service-levels", ("supervisor",)),
    Room("Policies", "/policies", ("supervisor",)),
    Room("Reports", "/reports", ("supervisor",)),
    Room("Imports", "/imports", ("source",)),
    Room("Sources", "/sources"),
    Room("Destinations", "/destinations"),
    Room("Health", "/health"),
)


def rooms_of(caller: Caller) -> list[Room]:
    """The rooms this person may enter."""
    return [room for room in ROOMS if caller.may(*room.roles, reading=True)]
