"""A program of its own: decides pieces of a backtest under both policies, for as long as its parent listens.

It speaks through a pipe whose other end the parent holds: when that is gone, even by SIGKILL, so are we.
"""

import gc
import os
import sys
from datetime import UTC
from multiprocessing.connection import Connection
from typing import Any

import psycopg

from service.backtest.columns import Columns
from service.backtest.comparison import Counted, Difference
from service.backtest.errand import Asked, Errand, Found
from service.backtest.judging import Arrivals, Judge, Thresholds
from service.backtest.queueing import Arrival
from service.backtest.reading import stored
from service.route.policy import Policy

MOST_OF_A_PIECE = 100_000  # differences, and more than a piece can have: cases are numbered by it

# We are as many as there are cores. A piece is few records, which are found by their keys, even if the statistics are
# of a time when there were few altogether.
_SETTINGS = {
    "max_parallel_workers_per_gather": "0",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "synchronous_commit": "off",
}


def main(pipe: int) -> None:
    """Answer `Asked` with nothing, then each `Errand` with what was `Found`, or with the error that ends it."""
    os.nice(5)  # what comes in now goes before what once came in
    gc.set_threshold(100_000)  # nothing here goes in circles
    parent = Connection(pipe)
    try:
        asked: Asked = parent.recv()
        with psycopg.connect(asked.conninfo, autocommit=True, client_encoding="utf8") as connection:
            for name, value in _SETTINGS.items():
                connection.execute(f"SET {name} = {value}")
            work = _Work(connection, asked)
            while True:
                parent.send(work.found(parent.recv()))
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # noqa: BLE001 - the parent raises it
        parent.send(error)


class _Work:
    def __init__(self, connection: psycopg.Connection[Any], asked: Asked) -> None:
        self.connection, self.asked = connection, asked
        policies = Policy.from_canonical(asked.now), Policy.from_canonical(asked.then)
        gates = [asked.gates.over(policy) for policy in policies]
        self.columns = Columns(*policies, gates=[one for named in gates for one in named.values()])
        arrivals = Arrivals()
        self.now, self.then = (
            Judge(policy, asked.zones, arrivals, Thresholds(named, asked.at))
            for policy, named in zip(policies, gates, strict=True)
        )

    def found(self, errand: Errand) -> Found:
        counted, unread = Counted(), 0
        now: list[Arrival] = []
        then: list[Arrival] = []
        differences: list[tuple[str, Difference]] = []
        for record in stored(self.connection, self.columns, errand.piece):
            if record.case is None:
                unread += 1
                continue
            made, would = self.now.items(record.case, record.by), self.then.items(record.case, record.by)
            day = record.case.now.astimezone(UTC).date()
            differences.extend((record.feedback_id, found) for found in counted.count(day, made, would))
            now.extend(item.arrival for item in made if _queues(item.arrival))
            then.extend(item.arrival for item in would if _queues(item.arrival))
        kept = differences[: errand.room]
        self._keep(self.asked.first_number + errand.piece.number * MOST_OF_A_PIECE, kept)
        return Found(errand.piece.number, counted, unread, now, then, len(kept))

    def _keep(self, first: int, differences: list[tuple[str, Difference]]) -> None:
        columns = "backtest_id, number, feedback_id, change, kind, rule, owner, day"
        with (
            self.connection.cursor() as cursor,
            cursor.copy(f"COPY backtest_case ({columns}) FROM STDIN") as rows,
        ):
            for number, (feedback_id, (change, item)) in enumerate(differences, first):
                day = item.arrival.at.astimezone(UTC).date()
                rows.write_row(
                    (self.asked.backtest, number, feedback_id, change, item.kind, item.rule, item.owner, day)
                )


def _queues(item: Arrival) -> bool:
    """Whether somebody works at it, or a target waits for it: the backlog does neither."""
    return bool(item.lane.people) or any(due is not None for due in item.due)


if __name__ == "__main__":
    main(int(sys.argv[1]))
