"""What `POST /v1/classify` costs the service for a text, beside reading the same text in this process."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from models.classifier import Classifier
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy
from service.bench.posting import Clients, chunks, clients
from service.bench.programs import Program, running
from service.bench.scratch import scratch
from service.people.access import create_key
from service.settings import Settings

LIST = 100
CLIENTS = 64
_SENDERS = 2  # of lists: more would be asked to come back on a machine of one or two cores
_PATH = "/v1/classify"


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU seconds for one text: read in this process, posted alone by 64 clients, posted in lists of 100."""

    inside: float
    single: float
    listed: float


class Service:
    """A running service, its clients and a key."""

    def __init__(self, web: Program, posting: Clients, key: str, classifier: Classifier) -> None:
        self._web = web
        self._posting = posting
        self._key = key
        self._classifier = classifier

    def round(self, texts: Sequence[str]) -> Costs:
        """All three, one after the other.

        Raises:
            BenchFailed: an answer was not 200.
        """
        single = self._posted([[text] for text in texts], CLIENTS)
        inside = self._inside(texts)
        return Costs(inside, single, self._posted(chunks(texts, LIST), _SENDERS))

    def _posted(self, lists: Sequence[Sequence[str]], connections: int) -> float:
        before = self._web.cpu()
        self._posting.post(self._web.port, self._key, [{"texts": list(one)} for one in lists], connections, _PATH)
        return (self._web.cpu() - before) / sum(map(len, lists))

    def _inside(self, texts: Sequence[str]) -> float:
        before = time.process_time()
        for text in texts:
            self._classifier.read([Verbatim(text)], default_taxonomy())
        return (time.process_time() - before) / len(texts)


@contextmanager
def service(settings: Settings, classifier: Classifier) -> Iterator[Service]:
    """Start `heed serve --no-worker` with the model of these settings; everything is gone after the block.

    Raises:
        BenchFailed: it did not start.
    """
    with scratch(settings) as place, clients() as posting:
        opened = place.opened
        with opened.database.session() as session:
            key = create_key(session, opened.vault, name="bench-classify", role="product", actor="bench").key
        with running(place, "service.cli", "serve", "--no-worker", "--port", "0", until="web.started") as web:
            made = Service(web, posting, key, classifier)
            made.round([f"Warm now, number {number}." for number in range(2 * LIST)])
            yield made
