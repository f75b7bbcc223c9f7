"""What topics a text has, for whatever taxonomy is asked about: the shipped head for ours, descriptions for others."""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from models.encoder.session import Encoder, Floats
from models.encoder.weights import WeightsRefused
from models.prediction import Verbatim
from models.taxonomies.folder import HeadRefused, load
from models.taxonomies.judge import Judge, judge
from models.taxonomies.taxonomy import Taxonomy, default_taxonomy


class TopicReader:
    """Makes the judge of a taxonomy when it is first asked about, and keeps it."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        """Open the head that ships.

        Raises:
            WeightsRefused: its folder cannot be read, or belongs to another graph.
        """
        self._encoder = encoder
        try:
            self._shipped = load(folder, encoder.digest)
        except HeadRefused as error:
            raise WeightsRefused(str(error)) from error
        self._judges: dict[Taxonomy, Judge] = {}
        self._lock = Lock()

    def read(
        self, verbatim: Verbatim, vector: Floats, keywords: Mapping[str, float], taxonomy: Taxonomy
    ) -> Mapping[str, float]:
        """The log-odds of every topic, from a text, its vector [768] and what its keywords make of each."""
        return self._judge(taxonomy).read(verbatim, vector, keywords)

    def direction(self, topic: str, taxonomy: Taxonomy) -> Floats:
        """The unit vector [768] of a topic: of two clauses the one whose vector lies nearer speaks of it."""
        untaught = self._judge(taxonomy).untaught
        found: Floats = untaught.directions[untaught.topics.index(topic)]
        return found

    def _judge(self, taxonomy: Taxonomy) -> Judge:
        with self._lock:
            found = self._judges.get(taxonomy)
            if found is None:
                topics = self._shipped if taxonomy == default_taxonomy() else taxonomy
                found = self._judges[taxonomy] = judge(topics, self._encoder.embed)
            return found
