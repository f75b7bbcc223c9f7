"""Topics in use: a taxonomy alone, or with a head that learned from labels and judges where the words alone did."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.beliefs import sigmoid
from models.classifier import Classifier
from models.prediction import Reading, Verbatim
from models.taxonomies.folder import HeadRefused, load
from models.taxonomies.taxonomy import BadTaxonomy, Taxonomy, default_taxonomy, parse_taxonomy
from models.taxonomies.topic_head import TopicHead


@dataclass(frozen=True, slots=True)
class Topics:
    """What texts are sorted into; `head` judges the topics it has learned, the classifier all others."""

    taxonomy: Taxonomy
    head: TopicHead | None = None


def open_topics(place: Path | None) -> Topics:
    """The topics of a YAML file or of a folder that `heed taxonomy fit` made; for None those heed brings.

    Raises:
        BadTaxonomy: the file cannot be read, or is no taxonomy.
        HeadRefused: a file of the folder is missing, changed, or not what it should hold. Each is one sentence.
    """
    if place is None:
        return Topics(default_taxonomy())
    try:
        if place.is_dir():
            head = load(place)
            return Topics(head.taxonomy, head)
        return Topics(parse_taxonomy(place.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadTaxonomy(
            f"The topics in {place} cannot be read ({error.strerror}): name a YAML file, or a folder that "
            "`heed taxonomy fit` made."
        ) from error
    except UnicodeDecodeError as error:
        raise BadTaxonomy(f"{place} is not UTF-8 (at byte {error.start}): save it as UTF-8.") from error
    except BadTaxonomy as error:
        raise BadTaxonomy(f"{place}: {' '.join(str(error).split())}") from error


def digest_of(classifier: Classifier) -> str:
    """What names the vectors of a classifier for good: the digest of our encoder, of any other model its name."""
    return getattr(getattr(classifier, "encoder", None), "digest", classifier.name)  # only ours has an encoder


class Fitted:
    """A classifier whose vectors a head judges, together with the log-odds that it gives the topics by itself."""

    def __init__(self, classifier: Classifier, head: TopicHead) -> None:
        """Join them.

        Raises:
            HeadRefused: the head was fitted on the vectors of another model.
        """
        if digest_of(classifier) != head.encoder:
            raise HeadRefused(
                f"The topics of {head.taxonomy.identity} were fitted on another model than {classifier.name}: fit them "
                "again with it, or name their YAML file alone."
            )
        self._classifier, self._head = classifier, head

    @property
    def name(self) -> str:
        """That of the classifier."""
        return self._classifier.name

    @property
    def digest(self) -> str:
        """That of the classifier and of the head."""
        return hashlib.sha256(bytes.fromhex(self._classifier.digest + self._head.digest)).hexdigest()

    def read(self, verbatims: Sequence[Verbatim], taxonomy: Taxonomy) -> list[Reading]:
        """Read as the classifier does, with the head's word on the topics it has learned."""
        readings = self._classifier.read(verbatims, taxonomy)
        return [self._judged(*one, taxonomy) for one in zip(verbatims, readings, strict=True)]

    def _judged(self, verbatim: Verbatim, reading: Reading, taxonomy: Taxonomy) -> Reading:
        if reading.vector is None:
            return reading
        told = dict(zip(reading.topics, reading.logits["topic"], strict=True))
        learned = self._head.read(verbatim, np.array(reading.vector, dtype=np.float32), told)
        topics = {name: sigmoid(learned[name]) if name in learned else p for name, p in reading.topics.items()}
        held = {topic.name for topic in taxonomy.topics if topics[topic.name] >= topic.threshold}
        return replace(
            reading,
            topics=topics,
            logits={**reading.logits, "topic": tuple((told | dict(learned)).values())},
            spans=tuple(span for span in reading.spans if span.axis != "topic" or span.label in held),
        )
