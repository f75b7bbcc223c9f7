"""What a backtest and the processes that work at it say to each other."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from service.backtest.comparison import Counted
from service.backtest.queueing import Arrival
from service.backtest.reading import Piece
from service.route.certificates import Gates


class Asked(NamedTuple):
    """What to compare and where: `now` and `then` are canonical policies, `zones` those of people.

    Thresholds have the values that `gates` give them at the moment `at`; differences are numbered from `first_number`
    on.
    """

    conninfo: str
    backtest: UUID
    first_number: int
    now: Mapping[str, Any]
    then: Mapping[str, Any]
    zones: Mapping[str, str]
    gates: Gates
    at: datetime


class Errand(NamedTuple):
    """A piece to decide; of its differences as many are kept as there is `room` for."""

    piece: Piece
    room: int


class Found(NamedTuple):
    """What came of a piece: counts, and the items of both policies in the order in which they come."""

    number: int
    counted: Counted
    unread: int
    now: list[Arrival]
    then: list[Arrival]
    cases: int
