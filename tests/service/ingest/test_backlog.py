"""The queue at the front: when no more is taken, in how long to come again, and whose turn is next."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from builders import record
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session, select

from service.ingest.backlog import TooManyWaiting, Waiting, WaitingLine, count
from service.ingest.group import GroupedIntake
from service.ingest.intake import MICRO_BATCH, Origin, accept
from service.ingest.record import FeedbackRecord
from service.ingest.source import Received
from service.store import jobs
from service.store.database import Database
from service.store.tables import Feedback, Import
from service.store.vault import Vault


def received(external_id: str, source: str = "store-survey") -> Received:
    return Received(FeedbackRecord.model_validate(record(external_id, source=source)), b"{}")


def batch(number: int, source: str = "store-survey", prefix: str = "r") -> list[Received]:
    return [received(f"{prefix}-{n}", source) for n in range(number)]


@dataclass
class Clock:
    at: float = 100.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Desk:
    """A line of ten with a clock and a database that say what the test says."""

    clock: Clock = field(default_factory=Clock)
    front: int | None = None

    def __post_init__(self) -> None:
        self.line = WaitingLine(10, self.clock)

    def counted(self, **sources: int) -> None:
        self.line.refresh(lambda: Waiting(Counter(sources), self.front))

    def later(self, seconds: float, **sources: int) -> None:
        self.clock.at += seconds
        self.counted(**sources)

    def refused(self, submission: Sequence[Received]) -> TooManyWaiting | None:
        try:
            with self.line.room_for(submission):
                return None
        except TooManyWaiting as error:
            return error


@pytest.mark.parametrize(
    ("waiting", "sent", "taken"),
    [
        ({}, {"a": 5}, True),
        ({}, {"a": 11}, True),  # or a long list would never be taken
        ({"a": 5}, {"a": 1}, False),  # one source never fills more than half
        ({"a": 4}, {"a": 1}, True),
        ({"a": 5}, {"b": 5}, True),
        ({"a": 5}, {"b": 4, "c": 1}, True),
        ({"a": 5}, {"b": 3, "c": 3}, False),
        ({"a": 5, "b": 5}, {"c": 1}, False),
        ({"a": 9}, {"b": 1}, True),  # what another process let in counts, but is nobody else's fault
        ({"a": 9}, {"b": 1, "a": 1}, False),
    ],
)
def test_who_is_let_in(waiting: dict[str, int], sent: dict[str, int], taken: bool) -> None:
    desk = Desk()
    desk.counted(**waiting)
    submission = [item for source, number in sent.items() for item in batch(number, source)]
    assert (desk.refused(submission) is None) == taken


def test_between_two_counts_it_adds_what_it_let_in_and_what_it_stored() -> None:
    desk = Desk()
    desk.counted()
    with desk.line.room_for(batch(4)):
        assert desk.refused(batch(2))
        desk.line.store("store-survey", 3)  # one was a duplicate
    assert desk.refused(batch(3))
    assert desk.refused(batch(2)) is None
    desk.later(0.5)  # too soon to count again: nothing is forgotten
    assert desk.refused(batch(3))
    desk.later(0.5)
    assert desk.refused(batch(5)) is None


def test_what_is_stored_while_it_counts_is_not_forgotten() -> None:
    desk = Desk()

    def look() -> Waiting:
        desk.line.store("a", 3)
        return Waiting(Counter(), None)

    desk.line.refresh(look)
    assert desk.refused(batch(3, "a"))


@pytest.mark.parametrize(
    ("seconds", "left", "again"),
    [
        (1, 9, 2),  # one too many and a tenth of the bound, at one record a second
        (2, 2, 1),
        (1, 10, 60),  # nothing was decided
        (100, 9, 60),
    ],
)
def test_when_to_come_again_follows_the_rate_seen(seconds: float, left: int, again: int) -> None:
    desk = Desk()
    desk.counted(a=5, b=5)
    desk.later(seconds, a=left // 2, b=left - left // 2)
    error = desk.refused(batch(10 - left + 1, "c"))
    assert error
    assert 1 <= error.again <= 60
    assert error.waiting == left
    assert error.again == again


def test_without_any_rate_seen_it_is_a_minute() -> None:
    desk = Desk()
    desk.counted(a=10)
    error = desk.refused(batch(1))
    assert error
    assert error.again == 60


class Line:
    """The fair queue as workers see it: the smallest tag first, then who came first."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.line = WaitingLine(10**6, self.clock)
        self.waiting: list[tuple[int, int, str]] = []
        self.come = 0

    def send(self, source: str, number: int) -> None:
        first = self.line.store(source, number)
        self.waiting += [(first + one, self.come + one, source) for one in range(number)]
        self.come += number
        self.waiting.sort()

    def serve(self, number: int) -> list[str]:
        served, self.waiting = self.waiting[:number], self.waiting[number:]
        return [source for _, _, source in served]

    def count(self) -> None:
        self.clock.at += 1
        front = self.waiting[0][0] if self.waiting else None
        self.line.refresh(lambda: Waiting(Counter(source for _, _, source in self.waiting), front))


def test_a_source_that_floods_delays_nobody_and_is_not_delayed_for_ever() -> None:
    line = Line()
    line.send("noisy", 300)
    served: list[str] = []
    for _ in range(310):
        line.count()
        line.send("one", 1)
        line.send("two", 1)
        served += line.serve(3)  # no more than what two others send, and one of the flood
        assert not {"one", "two"} - set(served[-3:])
    assert served.count("noisy") >= 300


def test_even_where_the_others_alone_are_too_much_a_flood_has_its_share() -> None:
    line = Line()
    line.send("noisy", 100)
    served: list[str] = []
    for _ in range(400):
        line.count()
        line.send("one", 1)
        line.send("two", 1)
        served += line.serve(1)
    assert served.count("noisy") == 100


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5), st.integers(0, 6), st.booleans()), max_size=60))
def test_the_front_of_the_queue_only_moves_forward(steps: list[tuple[str, int, int, bool]]) -> None:
    line = Line()
    front = 0
    for source, sent, served, counted in steps:
        line.send(source, sent)
        assert line.waiting[0][0] >= front  # nothing is put before what was counted as the front
        line.serve(served)
        if counted:
            line.count()
            front = line.waiting[0][0] if line.waiting else 0


def priorities(database: Database) -> list[tuple[int, int, str]]:
    """Of the waiting classify jobs, in the order in which they run: priority, records, source."""
    with database.session() as session:
        found = session.execute(
            text(
                "SELECT priority, jsonb_array_length(args -> 'ids'), (SELECT string_agg(DISTINCT source, '+')"
                " FROM feedback WHERE id::text IN (SELECT jsonb_array_elements_text(args -> 'ids')))"
                " FROM procrastinate_jobs WHERE task_name = 'classify' ORDER BY priority DESC, id"
            )
        )
        return [(row[0], row[1], row[2]) for row in found]


def test_a_flood_of_one_source_waits_behind_one_record_of_another(database: Database, vault: Vault) -> None:
    intake = GroupedIntake(database, vault)
    for wave in range(3):
        intake.submit(batch(100, "noisy", f"w{wave}"))
    intake.submit(batch(2, "quiet"))
    assert priorities(database) == [
        (0, MICRO_BATCH, "noisy"),
        (0, 2, "quiet"),
        (-64, 36, "noisy"),
        (-100, 64, "noisy"),
        (-164, 36, "noisy"),
        (-200, 64, "noisy"),
        (-264, 36, "noisy"),
    ]


def test_a_list_of_two_sources_becomes_a_job_of_each(database: Database, vault: Vault) -> None:
    GroupedIntake(database, vault).submit([*batch(3, "a"), *batch(2, "b"), *batch(1, "a", "more")])
    assert priorities(database) == [(0, 4, "a"), (0, 2, "b")]


def test_what_was_imported_comes_last_and_counts_for_nobody(database: Database, vault: Vault) -> None:
    upload = Import(source="old", file_name="a.csv", layout={}, mapping={}, digest="x", size=1, created_by="test")
    with database.session() as session:
        session.add(upload)
    with database.session() as session:
        accept(session, [batch(3, "old")], vault, Origin(upload.id, history=True))
    intake = GroupedIntake(database, vault, most_waiting=4)
    intake.submit(batch(2, "old", "pushed"))
    with Session(database.engine) as session:
        assert count(session) == Waiting(Counter(old=2), 0)
    assert [one[1:] for one in priorities(database)] == [(2, "old"), (3, "old")]
    assert priorities(database)[-1][0] == jobs.LATER


def test_the_front_is_the_smallest_tag_that_waits(database: Database, vault: Vault) -> None:
    GroupedIntake(database, vault).submit(batch(70))
    with database.session() as session:
        session.execute(text("DELETE FROM procrastinate_jobs WHERE priority = 0"))
    with Session(database.engine) as session:
        assert count(session) == Waiting(Counter({"store-survey": 70}), 64)
    GroupedIntake(database, vault).submit(batch(1, "quiet"))
    assert [one[0] for one in priorities(database)] == [-64, -64]


def test_a_submission_too_many_is_refused_whole_and_taken_once_there_is_room(
    database: Database, vault: Vault, drain: Callable[[], None]
) -> None:
    intake = GroupedIntake(database, vault, most_waiting=10)
    intake.submit(batch(4))
    with pytest.raises(TooManyWaiting):
        intake.submit(batch(2, prefix="more"))
    with database.session() as session:
        assert len(session.exec(select(Feedback)).all()) == 4
    drain()
    GroupedIntake(database, vault, most_waiting=10).submit(batch(2, prefix="more"))
