"""TF-IDF: a text as the weights of its words, word pairs and pieces of words, and of the question it answers."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.characters import normalise
from models.prediction import Verbatim

MAX_CODE_POINTS = 5_000  # of a text: what follows has never changed what it is about, and time grows with it
MOST_TERMS = 30_000  # per kind, the most frequent: keeps a head below a few megabytes a topic list
FEW_TEXTS = 200  # below so many a term that was seen once still counts
_PIECES = (3, 4, 5)
_WORD = re.compile(r"\w\w+")
_WORDS_KEPT = 1 << 14  # whose pieces are remembered: a language's common words many times over


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

    @cached_property
    def _frequencies(self) -> list[float]:
        """`idf` as numbers of Python, which are read one by one in a fraction of the time."""
        return [float(one) for one in self.idf]

    @cached_property
    def _pieces_of(self) -> Callable[[str], tuple[int, ...]]:
        """The places of a word's pieces, remembered."""
        return lru_cache(_WORDS_KEPT)(lambda word: tuple(self._known(_pieces(word))))

    def row(self, verbatim: Verbatim) -> Row:
        """Sublinear TF-IDF, each kind of term brought to length 1 by itself, as scikit-learn's vectorizers do."""
        text = _plain(verbatim.text[:MAX_CODE_POINTS])
        pieces = chain.from_iterable(map(self._pieces_of, text.split()))
        asked = dict.fromkeys(self._known(_question_terms(verbatim.question)))
        words, word_weights = self._weighed(self._known(_words(text)))
        letters, letter_weights = self._weighed(pieces)
        places = np.array([*words, *letters, *asked], dtype=np.intp)
        weights = np.array([*word_weights, *letter_weights, *([1.0] * len(asked))], dtype=np.float32)
        order = places.argsort()
        return Row(places[order], weights[order])

    def _known(self, terms: Iterable[str]) -> Iterator[int]:
        return (place for place in map(self._places.get, terms) if place is not None)

    def _weighed(self, places: Iterable[int]) -> tuple[Iterable[int], list[float]]:
        """The places of one kind of terms, each once, and their weights, brought to length 1."""
        idf, counted = self._frequencies, Counter(places)
        found = [idf[place] if times == 1 else (1 + math.log(times)) * idf[place] for place, times in counted.items()]
        length = math.sqrt(sum([weight * weight for weight in found])) or 1.0
        return counted, [weight / length for weight in found]


def learn(verbatims: Sequence[Verbatim]) -> Terms:
    """The terms of these texts that more than one of them has (any, where texts are few), the most frequent first."""
    least = 1 if len(verbatims) < FEW_TEXTS else 2
    frequencies: tuple[Counter[str], ...] = (Counter(), Counter(), Counter())
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
    text = _plain(verbatim.text[:MAX_CODE_POINTS])
    pieces = chain.from_iterable(map(_pieces, text.split()))
    return _words(text), pieces, _question_terms(verbatim.question)


def _plain(text: str) -> str:
    return normalise(text).lower()


def _words(text: str) -> list[str]:
    """Words of two letters and more, then each two that follow each other."""
    words = _WORD.findall(text)
    return [*[f"w:{word}" for word in words], *[f"w:{one} {two}" for one, two in pairwise(words)]]


def _pieces(word: str) -> Iterator[str]:
    """Three to five letters in a row within a word and its borders."""
    padded = f" {word} "
    for size in _PIECES:
        for start in range(max(1, len(padded) - size + 1)):
            yield f"c:{padded[start : start + size]}"
        if len(padded) <= size:  # a short word counts once, not once per size
            break


def _question_terms(question: str | None) -> list[str]:
    asked = _plain((question or "")[:500]).strip()
    return [f"q:{asked}", *(f"question: {word}" for word in _WORD.findall(asked))] if asked else []
