"""The one list of destinations: a new vendor is one file and one line here."""

from collections.abc import Mapping, Sequence

from service.deliver.destination import Destination, InvalidDestination, Problem
from service.deliver.http import Client
from service.deliver.webhook import Webhook

DESTINATIONS: dict[str, type[Destination]] = {
    "webhook": Webhook,
}


def open_destination(kind: str, settings: Mapping[str, object], secrets: Sequence[str], http: Client) -> Destination:
    """A destination ready for calls.

    Raises:
        InvalidDestination: unknown kind, or what is wrong with settings and secrets, each with its place.
    """
    return _known(kind).open(settings, secrets, http)


def check_settings(kind: str, settings: Mapping[str, object], secrets: Sequence[str], http: Client) -> None:
    """Refuse a destination that could not be opened, before it is stored; no call is made.

    Raises:
        InvalidDestination: as `open_destination`.
    """
    open_destination(kind, settings, secrets, http)


def new_secret(kind: str) -> str | None:
    """A secret of our making for a destination set up without one; None where only the vendor can give it.

    Raises:
        InvalidDestination: unknown kind.
    """
    return _known(kind).new_secret()


def _known(kind: str) -> type[Destination]:
    if kind not in DESTINATIONS:
        known = ", ".join(sorted(DESTINATIONS))
        raise InvalidDestination([Problem("/kind", f"no destination is of this kind; known kinds: {known}")])
    return DESTINATIONS[kind]
