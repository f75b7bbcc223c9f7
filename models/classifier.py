"""The classifier protocol: a name, a version and one call that reads every axis in one pass."""

from collections.abc import Sequence
from typing import Protocol

from models.prediction import Reading, Verbatim
from models.taxonomies.taxonomy import Taxonomy


class Classifier(Protocol):
    """Anything that reads text. Deterministic: the same text gives the same reading alone and in company."""

    @property
    def name(self) -> str:
        """Name and version in one, as stored on every row: `keywords@1`."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of every file it reads with: what was proved of one digest says nothing of another."""

    def read(self, verbatims: Sequence[Verbatim], taxonomy: Taxonomy) -> list[Reading]:
        """Read each verbatim on every axis; the answer has the order and length of the question."""
