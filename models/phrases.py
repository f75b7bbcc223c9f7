"""Phrases found in one pass by a spaCy PhraseMatcher over stems, and the sentences they stand in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from models.characters import normalise
from models.text import Token, tokenise

Kind = Literal[
    "tone",
    "settled",
    "opening",
    "imperative",
    "suggestion",
    "complaint",
    "praise",
    "question",
    "urgency",
    "topic",
    "ask",
    "failure",
]
_ENDS = frozenset({".", "!", "?", "…", "\n"})
_CLOSING = frozenset({'"', ")"})


@dataclass(frozen=True, slots=True)
class Cue:
    """What a phrase speaks for: a kind of evidence, the label within it, and how strongly."""

    kind: Kind
    label: str
    weight: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A cue at tokens `start` (inclusive) to `end` (exclusive)."""

    cue: Cue
    start: int
    end: int


class Phrases:
    """Finds every phrase of every cue, and the sentences, in the tokens of a text.

    Words that are in no phrase become one placeholder before spaCy sees them, so that its string store holds our
    phrases and nothing of what customers write, however long the process lives.
    """

    def __init__(self, entries: Iterable[tuple[Cue, Iterable[str]]]) -> None:
        self._vocab = Vocab()
        self._matcher = PhraseMatcher(self._vocab, attr="ORTH")
        self._cues: dict[str, Cue] = {}
        self._known: set[str] = set()
        for cue, phrases in entries:
            key = f"{cue.kind}|{cue.label}|{cue.weight}"
            self._cues[key] = cue
            docs = []
            for phrase in phrases:
                stems = [token.stem for token in tokenise(normalise(phrase))]
                self._known.update(stems)
                if stems:
                    docs.append(Doc(self._vocab, words=stems))
            self._matcher.add(key, docs)

    def find(self, tokens: Sequence[Token]) -> tuple[list[Hit], list[tuple[int, int]]]:
        """The hits, and the sentences as token ranges, both in order of their start."""
        if not tokens:
            return [], []
        known = self._known
        doc = Doc(self._vocab, words=[token.stem if token.stem in known else "_" for token in tokens])
        strings = self._vocab.strings
        hits = [Hit(self._cues[strings[key]], start, end) for key, start, end in self._matcher(doc)]
        return sorted(hits, key=_place), _sentences(tokens)


def _sentences(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Sentences end with their marks, and with the quotation marks and brackets that close behind those."""
    starts, ended = [0], False
    for place, token in enumerate(tokens):
        if token.form in _ENDS:
            ended = True
        elif ended and token.form not in _CLOSING:
            starts.append(place)
            ended = False
    return list(pairwise([*starts, len(tokens)]))


def _place(hit: Hit) -> tuple[int, int, str, str, float]:
    return hit.start, -hit.end, hit.cue.kind, hit.cue.label, -hit.cue.weight


def longest(hits: Iterable[Hit]) -> list[Hit]:
    """Of overlapping hits the longest, the earlier of two equally long; in order of their start."""
    hits = list(hits)
    if len(hits) < 2:
        return hits
    kept: list[Hit] = []
    taken: set[int] = set()
    for hit in sorted(hits, key=lambda hit: (hit.start - hit.end, *_place(hit))):
        if taken.isdisjoint(range(hit.start, hit.end)):
            kept.append(hit)
            taken.update(range(hit.start, hit.end))
    return sorted(kept, key=_place)
