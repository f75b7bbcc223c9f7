"""TF-IDF: a text as the weights of its words, word pairs and pieces of words, and of the question it answers."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.prediction import Verbatim
from models.text import normalise

MAX_CODE_POINTS = 5_000  # of a text: what follows has never changed what it is about, and time grows with it
MOST_TERMS = 30_000  # per kind, the most frequent: keeps a head below a few megabytes a topic list
FEW_TEXTS = 200  # below so many a term that was seen once still counts
_PIECES = (3, 4, 5)
_WORD = re.compile(r"\w\w+")
_KINDS = ("word", "piece", "question")


class Row(NamedTuple):
    """One text: the places of its terms in the vocabulary, rising, and their weights."""

    places: NDArray[np.intp]
    weights: NDArray[np.float32]


@dataclass(frozen=True)
class Terms:
    """A vocabulary with the inverse document frequency of each term, in the order of their places."""

    vocabulary: tuple[str, ...]
    idf: NDArray[np.float32]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.vocabulary)}

    def row(self, verbatim: Verbatim) -> Row:
        """Sublinear TF-IDF, each kind of term brought to length 1 by itself, as scikit-learn's vectorizers do."""
        weights: dict[int, float] = {}
        for kind, terms in zip(_KINDS, _terms(verbatim), strict=True):
            counted = [(self._places[term], times) for term, times in Counter(terms).items() if term in self._places]
            if kind == "question":
                weights |= dict.fromkeys((place for place, _ in counted), 1.0)
                continue
            found = [(place, (1 + math.log(times)) * float(self.idf[place])) for place, times in counted]
            length = math.sqrt(sum(weight * weight for _, weight in found)) or 1.0
            weights |= {place: weight / length for place, weight in found}
        places = np.fromiter(sorted(weights), np.intp, len(weights))
        return Row(places, np.fromiter((weights[place] for place in places), np.float32, len(weights)))


def learn(verbatims: Sequence[Verbatim]) -> Terms:
    """The terms of these texts that more than one of them has (any, where texts are few), the most frequent first."""
    least = 1 if len(verbatims) < FEW_TEXTS else 2
    frequencies: tuple[Counter[str], ...] = tuple(Counter() for _ in _KINDS)
    for verbatim in verbatims:
        for frequency, terms in zip(frequencies, _terms(verbatim), strict=True):
            frequency.update(set(terms))
    kept = [
        (term, texts)
        for frequency in frequencies
        for term, texts in sorted(frequency.items(), key=lambda item: (-item[1], item[0]))[:MOST_TERMS]
        if texts >= least
    ]
    idf = [1 + math.log((1 + len(verbatims)) / (1 + texts)) for _, texts in kept]
    return Terms(tuple(term for term, _ in kept), np.array(idf, dtype=np.float32))


def _terms(verbatim: Verbatim) -> tuple[Iterable[str], Iterable[str], Iterable[str]]:
    """Each kind of term with a mark of its own in front, so that no two kinds share a place."""
    text = normalise(verbatim.text[:MAX_CODE_POINTS]).lower()
    words = _WORD.findall(text)
    pairs = (f"w:{one} {two}" for one, two in pairwise(words))
    return [*(f"w:{word}" for word in words), *pairs], _pieces(text), _question_terms(verbatim.question)


def _pieces(text: str) -> Iterator[str]:
    """Three to five letters in a row within a word and its borders."""
    for word in text.split():
        padded = f" {word} "
        for size in _PIECES:
            for start in range(max(1, len(padded) - size + 1)):
                yield f"c:{padded[start : start + size]}"
            if len(padded) <= size:  # a short word counts once, not once per size
                break


def _question_terms(question: str | None) -> list[str]:
    asked = normalise((question or "")[:500]).lower().strip()
    return [f"q:{asked}", *(f"question: {word}" for word in _WORD.findall(asked))] if asked else []
