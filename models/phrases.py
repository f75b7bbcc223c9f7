"""Phrases found in one pass: a spaCy PhraseMatcher over stems, and spaCy's sentencizer for the sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import spacy
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from models.text import Token, normalise, tokenise

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
]
_ENDS = frozenset({".", "!", "?", "…", "\n"})


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
        nlp = spacy.blank("en")
        self._vocab = nlp.vocab
        self._sentencizer = nlp.add_pipe("sentencizer", config={"punct_chars": sorted(_ENDS)})
        self._matcher = PhraseMatcher(nlp.vocab, attr="ORTH")
        self._cues: dict[str, Cue] = {}
        self._known = set(_ENDS)
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
        if all(token.form not in _ENDS for token in tokens[:-1]):
            return sorted(hits, key=_place), [(0, len(tokens))]
        self._sentencizer(doc)
        return sorted(hits, key=_place), [(sentence.start, sentence.end) for sentence in doc.sents]


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
