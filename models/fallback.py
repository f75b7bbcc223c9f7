"""What reads when the configured model cannot: the keyword baseline, every reading of it marked as degraded."""

from collections.abc import Sequence
from dataclasses import replace

from models.catalog import load
from models.classifier import Classifier
from models.encoder.weights import WeightsRefused
from models.keywords import KeywordClassifier
from models.prediction import Reading, Verbatim
from models.taxonomies.taxonomy import Taxonomy


class Fallback:
    """The keyword baseline under its own name: a row says who read it. `reason` says what is wrong with the model."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self._baseline = KeywordClassifier()

    @property
    def name(self) -> str:
        """That of the baseline."""
        return self._baseline.name

    @property
    def digest(self) -> str:
        """That of the baseline."""
        return self._baseline.digest

    def read(self, verbatims: Sequence[Verbatim], taxonomy: Taxonomy) -> list[Reading]:
        """Read as the baseline does; nothing may act on what it finds."""
        return [replace(reading, degraded=True) for reading in self._baseline.read(verbatims, taxonomy)]


def load_or_fall_back(name: str) -> Classifier:
    """The classifier of that name, or the baseline in its place where its files are refused.

    Raises:
        UnknownClassifier: as in `load`; nothing stands in for what does not exist.
    """
    try:
        return load(name)
    except WeightsRefused as error:
        return Fallback(str(error))
