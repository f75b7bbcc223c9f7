"""What a benchmark reports: series of rounds with median and spread, ratios of them, and the machine they ran on."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import text

from service.store.database import Database

NOISY = 0.25  # a spread above this says more about the machine than about heed


class BenchFailed(Exception):
    """A benchmark could not be run as it should; its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Series:
    """One measure over all rounds. `spread` is (largest - smallest) / median."""

    rounds: tuple[float, ...]
    median: float
    spread: float


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the figures were taken. `load` is the load average of the last minute before and after."""

    cores: int
    python: str
    postgresql: str
    load: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Report:
    """A benchmark's figures. Ratios are medians over rounds, each of two figures taken within seconds of each other."""

    bench: str
    records: int
    ratios: Mapping[str, Series]
    figures: Mapping[str, Series]
    shares: Mapping[str, float]
    machine: Machine
    noisy: tuple[str, ...]
    how: tuple[str, ...]


def series(rounds: Sequence[float]) -> Series:
    """Median and spread of one or more rounds."""
    middle = median(rounds)
    return Series(tuple(rounds), middle, (max(rounds) - min(rounds)) / middle if middle else 0.0)


def ratio(over: Sequence[float], under: Sequence[float]) -> Series:
    """Round by round, so that what slows a whole round cancels out."""
    return series([a / b for a, b in zip(over, under, strict=True)])


def noisy(figures: Mapping[str, Series]) -> tuple[str, ...]:
    """The figures whose rounds lie too far apart to be trusted."""
    return tuple(name for name, one in figures.items() if one.spread > NOISY)


def machine(database: Database, load_before: float) -> Machine:
    """The facts, with the load as it is now."""
    with database.engine.connect() as connection:
        version = str(connection.execute(text("SHOW server_version")).scalar_one())
    cores = len(os.sched_getaffinity(0))
    return Machine(cores, platform.python_version(), version, (load_before, os.getloadavg()[0]))


def paragraphs(words: str) -> tuple[str, ...]:
    """The paragraphs of a text, each on one line."""
    return tuple(" ".join(part.split()) for part in words.strip().split("\n\n"))
