"""The processes that work at a backtest side by side, and their answers in order."""

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from subprocess import DEVNULL, Popen

from service.backtest import piece_process
from service.backtest.errand import Asked, Errand, Found
from service.backtest.reading import Piece

MOST = 8
_AHEAD = 4  # pieces for each process that may be done before an earlier one: what is not yet counted takes memory
_BEAT = 0.5  # seconds


class ProcessLost(Exception):
    """A process ended without a word."""


def size() -> int:
    """How many processes work side by side here."""
    return min(MOST, len(os.sched_getaffinity(0)))


@contextmanager
def few_collections() -> Iterator[None]:
    """A block that makes many small things, none in circles: to look for circles takes longer than to make it all."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def crew(asked: Asked, number: int) -> Iterator[list[Connection]]:
    """So many processes, ready for errands; none is left after the block."""
    processes: list[Popen[bytes]] = []
    pipes: list[Connection] = []
    try:
        for _ in range(number):
            ours, theirs = Pipe()
            pipes.append(ours)
            command = [sys.executable, "-m", piece_process.__name__, str(theirs.fileno())]
            # A session of its own: Ctrl-C is for us, who then end it.
            started = Popen(command, stdin=DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True)  # noqa: S603 (our own program)
            processes.append(started)
            theirs.close()  # or the end of the process would not be noticed
            ours.send(asked)
        yield pipes
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
        for pipe in pipes:
            pipe.close()


def found(
    pipes: Sequence[Connection], pieces: Sequence[Piece], room: Callable[[], int], beat: Callable[[], None]
) -> Iterator[Found]:
    """What came of the pieces, in their order.

    Args:
        pipes: to the processes.
        pieces: numbered from 0.
        room: how many differences may still be kept.
        beat: called about twice a second, also while nothing comes; what it raises ends everything.

    Raises:
        ProcessLost: one of the processes ended.
        Exception: whatever ended a process.
    """
    idle, busy, done, given, following = list(pipes), list[Connection](), dict[int, Found](), 0, 0
    while following < len(pieces):
        while idle and given < min(len(pieces), following + _AHEAD * len(pipes)):
            pipe = idle.pop()
            pipe.send(Errand(pieces[given], room()))
            busy.append(pipe)
            given += 1
        answering = wait(busy, timeout=_BEAT)
        for pipe in [pipe for pipe in busy if pipe in answering]:
            one = _answer(pipe)
            done[one.number] = one
            busy.remove(pipe)
            idle.append(pipe)
        beat()
        while following in done:
            yield done.pop(following)
            following += 1


def _answer(pipe: Connection) -> Found:
    try:
        answer = pipe.recv()
    except (EOFError, ConnectionResetError) as error:
        raise ProcessLost("a process of it was ended, perhaps for want of memory") from error
    if isinstance(answer, Exception):
        raise answer
    assert isinstance(answer, Found)  # noqa: S101 (mypy: nothing else is sent)
    return answer
