"""Topics without labels: how near a text is to what the taxonomy says of each, and which keywords it has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.beliefs import NO_HIT, log_odds
from models.prediction import Verbatim
from models.taxonomies.taxonomy import Taxonomy, Topic

Floats = NDArray[np.floating]
Embed = Callable[[Sequence[Verbatim]], Floats]  # n texts, with their questions, to (n, d) vectors of length 1
_LEAST = 1e-6  # no keyword makes a topic surer than this
FEW_EXAMPLES = 3  # so many say more of a topic than its description's chance words; fewer pull it aside


@dataclass(frozen=True, slots=True)
class Scale:
    """From cosines and keywords to log-odds: sharpness, the cosine of 'none of these', and three weights.

    A text's similarity is shared out among the topics and 'none of these', which stands at one cosine whatever the
    taxonomy: a text that is near no topic gives them nothing to share. Learned on four sets of 8 to 77 topics, so that
    0.5 is where F1 is best in the mean; no probability of a reviewed sample until there are labels.
    """

    sharpness: float = 20.0
    none_of_these: float = 0.2
    similarity: float = 0.66
    keywords: float = 0.51
    offset: float = 0.78


@dataclass(frozen=True, eq=False)
class ZeroShot:
    """A taxonomy's topics as directions (k, d) of length 1."""

    topics: tuple[str, ...]
    directions: Floats
    scale: Scale

    def read(self, vector: Floats, keywords: Mapping[str, float]) -> Mapping[str, float]:
        """Log-odds of every topic, from a text's vector (d,) and what its keywords alone make of each topic.

        `keywords` are the probabilities of `models.beliefs.topic_probabilities`.
        """
        cosines = (self.directions * vector).sum(axis=1)
        near = _shared_out(cosines, self.scale)
        return {
            topic: float(self.scale.similarity * near[place])
            + self.scale.keywords * (log_odds(keywords[topic], _LEAST) - _NO_KEYWORD)
            + self.scale.offset
            for place, topic in enumerate(self.topics)
        }


def zero_shot(taxonomy: Taxonomy, embed: Embed, scale: Scale | None = None) -> ZeroShot:
    """Embed what the taxonomy says, once."""
    told = [_told(topic) for topic in taxonomy.topics]
    vectors = np.asarray(embed([Verbatim(text) for texts in told for text in texts]), dtype=np.float32)
    ends = np.cumsum([len(texts) for texts in told])[:-1]
    directions = np.stack(
        [_direction(part, topic) for part, topic in zip(np.split(vectors, ends), taxonomy.topics, strict=True)]
    )
    return ZeroShot(tuple(taxonomy.labels), directions, scale or Scale())


def _told(topic: Topic) -> list[str]:
    examples = topic.examples if len(topic.examples) >= FEW_EXAMPLES else ()
    return [topic.name, *([topic.description] if topic.description else []), *examples]


def _direction(vectors: Floats, topic: Topic) -> Floats:
    """Name, description and the mean of the examples, each with the same say."""
    first = 2 if topic.description else 1
    parts = [*vectors[:first], *([_unit(vectors[first:].mean(axis=0))] if len(vectors) > first else [])]
    return _unit(np.sum(parts, axis=0))


def _unit(vector: Floats) -> Floats:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def _shared_out(cosines: Floats, scale: Scale) -> Floats:
    heights = scale.sharpness * np.append(cosines, scale.none_of_these).astype(np.float64)
    raised = np.exp(heights - heights.max())
    p = np.clip(raised[:-1] / raised.sum(), 1e-4, 1 - 1e-4)
    near: Floats = np.log(p / (1 - p))
    return near


_NO_KEYWORD = log_odds(NO_HIT, _LEAST)
