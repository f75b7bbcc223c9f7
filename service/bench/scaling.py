"""CPU per text when 1, 2, ... threads share one session, as the service's own threads do."""

import time
from collections.abc import Sequence

from models.classifier import Classifier
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy
from service.reading_pool import ReadingPool


class Scaling:
    """The service's reading pool at every number of threads up to `most`."""

    def __init__(self, classifier: Classifier, most: int) -> None:
        self._classifier = classifier
        self._pools = {threads: ReadingPool(threads) for threads in range(1, most + 1)}

    def round(self, texts: Sequence[str]) -> dict[int, tuple[float, float]]:
        """For each number of threads the CPU seconds of all of them, and the wall seconds, for one text."""
        return {threads: self._spent(pool, texts) for threads, pool in self._pools.items()}

    def _spent(self, pool: ReadingPool, texts: Sequence[str]) -> tuple[float, float]:
        asked = [Verbatim(text) for text in texts]
        cpu, wall = time.process_time(), time.perf_counter()
        pool.read(self._classifier, asked, default_taxonomy())
        return (time.process_time() - cpu) / len(texts), (time.perf_counter() - wall) / len(texts)
