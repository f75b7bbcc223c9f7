"""The steps of the road one after the other in this process: what each costs with no job engine between them."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from models.catalog import load
from models.prediction import Verbatim
from service.bench.figures import BenchFailed
from service.bench.posting import chunks
from service.classify import Answered, Reader, Understood, classify
from service.decisions import decide
from service.ingest.catalog import SOURCES
from service.ingest.group import GroupedIntake
from service.ingest.intake import MICRO_BATCH, Refused
from service.ingest.source import Inbound, Received
from service.installation import Opened

LIST = 100


@dataclass(frozen=True, slots=True)
class StepCosts:
    """CPU seconds of one process, the database's own not among them."""

    inference: float
    classify_rows: float
    decide: float


class _Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        started = time.process_time()
        try:
            yield
        finally:
            self.seconds += time.process_time() - started


class _ClockedReader(Reader):
    """The reader of the worker, with a clock around the classifier."""

    def __init__(self, classifier: str) -> None:
        super().__init__(classifier)
        self.clock = _Clock()

    def understand(self, answers: Sequence[Answered]) -> list[Understood | None]:
        """As the reader does."""
        with self.clock.running():
            return super().understand(answers)


def step_costs(opened: Opened, records: Sequence[dict[str, Any]]) -> StepCosts:
    """Take records to their decision, batch by batch, in this thread.

    Raises:
        BenchFailed: a record was refused.
    """
    reader = _ClockedReader(opened.settings.model)
    classifying, deciding = _Clock(), _Clock()
    for batch in chunks(_ingested(opened, records), MICRO_BATCH):
        with Session(opened.database.engine) as session, classifying.running():
            classify(session, reader, batch)
        with Session(opened.database.engine) as session, deciding.running():
            decide(session, batch)
    inference = reader.clock.seconds
    return StepCosts(inference, classifying.seconds - inference, deciding.seconds)


def _ingested(opened: Opened, records: Sequence[dict[str, Any]]) -> list[UUID]:
    intake = GroupedIntake(opened.database, opened.vault)
    ids: list[UUID] = []
    for part in chunks(records, LIST):
        parsed = SOURCES["api"].parse(Inbound("POST", {}, {}, json.dumps(part).encode()))
        outcome = intake.submit([one for one in parsed if isinstance(one, Received)])
        if isinstance(outcome, Refused):
            raise BenchFailed(f"{len(outcome.conflicts)} records were refused.")
        ids.extend(settled.id for settled in outcome)
    return ids


def bare(model: str, texts: Sequence[str]) -> tuple[float, float]:
    """Nothing but the classifier, in this thread, in the worker's micro-batches: wall and CPU seconds."""
    reader = Reader(model)
    classifier = load(model)
    cpu, wall = time.process_time(), time.perf_counter()
    for part in chunks([Verbatim(text) for text in texts], MICRO_BATCH):
        classifier.read(part, reader.taxonomy)
    return time.perf_counter() - wall, time.process_time() - cpu
