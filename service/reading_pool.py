"""The threads that read texts, one text at a time each, and the line of texts that wait for them."""

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

from models.classifier import Classifier
from models.prediction import Reading, Verbatim
from models.taxonomies.taxonomy import Taxonomy

PER_THREAD = 256  # texts that may wait: about a second of reading, and a thread never waits for more to come


def usable_threads() -> int:
    """One for each core this process may use, but for one, which the others need."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


class _Permits:
    """So many at a time, in the order they came: who gives one back cannot take it again before those who wait."""

    def __init__(self, number: int) -> None:
        self._left = number
        self._lock = Lock()
        self._waiting: deque[Lock] = deque()

    def __enter__(self) -> None:
        with self._lock:
            if self._left:
                self._left -= 1
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()  # until somebody hands us theirs

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._left += 1


class ReadingPool:
    """Lets so many threads read at a time, whoever asks; a free one takes the next text there is.

    Who asks reads itself, and for a list is helped by the threads that are free: a text alone changes no thread. The
    classifier is given one text per call, so that a reading cannot depend on what else is read beside it.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._permits = _Permits(threads)
        self._helpers = ThreadPoolExecutor(threads, thread_name_prefix="reading")

    def read(self, classifier: Classifier, verbatims: Sequence[Verbatim], taxonomy: Taxonomy) -> list[Reading]:
        """Read every text; the readings come in the order of the texts, and an error of one of them is raised."""
        waiting = deque(enumerate(verbatims))
        found: dict[int, Reading] = {}

        def take_turns() -> None:
            while waiting:
                with self._permits:
                    try:
                        place, verbatim = waiting.popleft()
                    except IndexError:  # another thread took the last one
                        return
                    try:
                        (found[place],) = classifier.read([verbatim], taxonomy)
                    except BaseException:
                        waiting.clear()
                        raise

        helpers = [self._helpers.submit(take_turns) for _ in range(min(self._threads, len(verbatims)) - 1)]
        take_turns()
        for helper in helpers:
            if not helper.cancel():  # one that has not begun finds nothing left to do
                helper.result()
        return [found[place] for place in range(len(verbatims))]


class Busy(Exception):
    """So many texts wait that no more are taken; `again` is in how many seconds to ask anew."""

    again = 1

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting
        super().__init__(f"{waiting} texts wait to be read.")


class OwnShareTaken(Busy):
    """So many texts of the same caller wait that it gets no more for now; others do."""


class Line:
    """Counts the texts that wait or are being read; who comes when `most` are there is sent away.

    One caller may have half of them. Texts that come together are let in together: what counts is how many are there
    before them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._of = Counter[str]()

    @contextmanager
    def place(self, caller: str, texts: int) -> Iterator[None]:
        """A place for so many texts of this caller, until the end of the block.

        Raises:
            OwnShareTaken, Busy: there is none.
        """
        with self._lock:
            if self._of[caller] >= self._most / 2:
                raise OwnShareTaken(self._of[caller])
            if self._of.total() >= self._most:
                raise Busy(self._of.total())
            self._of[caller] += texts
        try:
            yield
        finally:
            with self._lock:
                self._of[caller] -= texts
                if not self._of[caller]:
                    del self._of[caller]
