"""The threads that read, and the line before them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Barrier, Lock, get_ident

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifier import Classifier
from models.keywords import KeywordClassifier
from models.prediction import Reading, Verbatim
from models.taxonomies.taxonomy import Taxonomy, default_taxonomy
from service.reading_pool import Busy, Line, OwnShareTaken, ReadingPool, usable_threads

TEXTS = [
    "Parcel {} came two weeks late and broken, and nobody answers the phone.",
    "Great staff at desk {}, thank you!",
    "Please add a dark mode, number {}.",
    "Le colis {} est arrivé en retard et cassé, je suis très déçu.",
    "{}",
    "😡 SO slow!!! I can’t log in & it's the {}th time…",
    "How do I reset my password on device {}?",
    "{} Die Lieferung war leider zwei Wochen zu spät, sehr schade.",
]


def texts(number: int) -> list[Verbatim]:
    return [
        Verbatim(TEXTS[i % len(TEXTS)].format(i), "What could we improve?" if i % 3 else None) for i in range(number)
    ]


@dataclass
class Echo:
    """Reads nothing: `length` of a reading is the number in the text. A text that is no number is an error."""

    together: Barrier | None = None
    calls: list[tuple[int, int]] = field(default_factory=list)
    name: str = "echo@1"
    digest: str = "e" * 64

    def read(self, verbatims: Sequence[Verbatim], taxonomy: Taxonomy) -> list[Reading]:  # noqa: ARG002 (the protocol's)
        self.calls.append((get_ident(), len(verbatims)))
        if self.together:
            self.together.wait(20)
        return [Reading({}, {}, {}, {}, "en", 1.0, length=int(one.text)) for one in verbatims]


def read(pool: ReadingPool, classifier: Classifier, numbers: Sequence[object]) -> list[int]:
    found = pool.read(classifier, [Verbatim(str(one)) for one in numbers], default_taxonomy())
    return [reading.length for reading in found]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_order_is_kept_and_each_text_is_read_alone(threads):
    echo = Echo()
    assert read(ReadingPool(threads), echo, range(100)) == list(range(100))
    assert [size for _, size in echo.calls] == [1] * 100
    assert read(ReadingPool(threads), echo, []) == []


def test_a_list_is_spread_over_the_threads():
    echo = Echo(together=Barrier(3))  # broken unless three texts are under way at the same time
    assert read(ReadingPool(3), echo, range(6)) == list(range(6))
    assert len({thread for thread, _ in echo.calls}) == 3


def test_two_who_ask_at_once_share_the_threads():
    pool, echo = ReadingPool(2), Echo(together=Barrier(2))
    with ThreadPoolExecutor(2) as askers:
        found = list(askers.map(lambda number: read(pool, echo, [number]), [1, 2]))
    assert found == [[1], [2]]


@dataclass
class Gauge(Echo):
    """Counts how many threads read at the same time; reading takes what hashing a megabyte takes, outside the GIL."""

    lock: Lock = field(default_factory=Lock)
    now: int = 0
    most: int = 0

    def read(self, verbatims: Sequence[Verbatim], taxonomy: Taxonomy) -> list[Reading]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        sha256(bytes(1_000_000)).digest()
        with self.lock:
            self.now -= 1
        return super().read(verbatims, taxonomy)


def test_no_more_read_at_a_time_than_may_however_many_ask():
    pool, gauge = ReadingPool(2), Gauge()
    with ThreadPoolExecutor(8) as askers:
        found = list(askers.map(lambda number: read(pool, gauge, range(number, number + 5)), range(8)))
    assert found == [list(range(number, number + 5)) for number in range(8)]
    assert gauge.most == 2


def test_an_error_is_told_to_who_asked_and_the_next_is_served():
    pool, echo = ReadingPool(1), Echo()
    with pytest.raises(ValueError, match="many"):
        read(pool, echo, [1, "many", *range(1_000)])
    assert len(echo.calls) == 2  # nobody waits for the rest
    assert read(pool, echo, [7]) == [7]


def test_eight_threads_read_as_one_does():
    classifier, verbatims, taxonomy = KeywordClassifier(), texts(200), default_taxonomy()
    alone = classifier.read(verbatims, taxonomy)
    pool = ReadingPool(8)
    with ThreadPoolExecutor(8) as askers:
        together = list(askers.map(lambda _: pool.read(KeywordClassifier(), verbatims, taxonomy), range(8)))
    assert all(readings == alone for readings in together)


def test_there_is_always_a_thread():
    assert usable_threads() >= 1


@pytest.mark.parametrize(
    ("waiting", "refusal"),
    [
        ({}, None),
        ({"ana": 4}, None),  # what counts is how many are there before
        ({"ana": 5}, OwnShareTaken),
        ({"ana": 4, "jan": 5}, None),
        ({"ana": 4, "jan": 4, "eva": 2}, Busy),
        ({"jan": 900}, Busy),
        ({"ana": 5, "jan": 900}, OwnShareTaken),
    ],
)
def test_who_is_let_in(waiting, refusal):
    line = Line(10)
    line._of.update(waiting)
    if refusal is None:
        with line.place("ana", 300):
            assert line._of["ana"] == waiting.get("ana", 0) + 300
    else:
        with pytest.raises(Busy) as told, line.place("ana", 1):
            pass
        assert type(told.value) is refusal
        assert told.value.again >= 1
    assert {who: number for who, number in line._of.items() if number} == waiting


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 6)), max_size=20))
def test_the_line_is_as_it_was_when_everybody_has_gone(visits):
    line = Line(10)

    def go_in(rest: Sequence[tuple[str, int]]) -> None:
        if rest:
            try:
                with line.place(*rest[0]):
                    assert line._of.total() <= 10 + 5  # one list may stand over the edge
                    go_in(rest[1:])
            except Busy:
                go_in(rest[1:])

    go_in(visits)
    assert not line._of
