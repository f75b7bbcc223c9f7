"""Sentences and clauses of a customer's text, as code points of the text as given.

Words are those of `models.text`, not of spaCy's own tokenizer: that one is quadratic in a run of '!!!' (5,000 of them
take seconds) and keeps every word a customer ever wrote. spaCy knows the abbreviations.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from spacy.lang.en.tokenizer_exceptions import TOKENIZER_EXCEPTIONS

from models.encoder.clause_starts import clause_starts
from models.encoder.statements import is_emoji
from models.text import Token, Tokenised, tokenised

MAX_CLAUSES = 64  # per text: each costs the encoder a row, and no answer says more different things

_start = attrgetter("start")
_CLOSERS = frozenset('")')
_BULLETS = "•·▪‣●◦*|"
_PICTURE_BULLETS = frozenset("✅❌✔✗✘✖➕➖👍👎")
_INLINE_BULLET = re.compile(rf"\s[{re.escape(_BULLETS)}]\s")
_BEFORE = re.compile(r"(?:[\s\u200b,;/>–—!?•·▪‣●◦*|]|-(?!_-))*+")
_AFTER = " \t\n\u200b,;/–—•·▪‣●◦*|>(-"
_NUMBERED = re.compile(r"[.)]\s")
_WRAPPED = 40  # code points: a shorter line was ended on purpose, a longer one perhaps by an e-mail program
# Words that no sentence ends with.
_OPEN = frozenset(
    (
        "the",
        "a",
        "an",
        "my",
        "our",
        "your",
        "their",
        "of",
        "to",
        "for",
        "with",
        "and",
        "or",
        "very",
        "was",
        "were",
        "is",
        "are",
        "at",
        "from",
    )
)
# Words whose capital begins a sentence although no mark ends the one before.
_STARTERS = frozenset(
    (
        "the",
        "they",
        "we",
        "it",
        "my",
        "our",
        "he",
        "she",
        "there",
        "this",
        "these",
        "those",
        "but",
        "however",
        "also",
        "and",
    )
)
_BEFORE_NUMBERS = frozenset(
    (
        "no",
        "min",
        "max",
        "tel",
        "approx",
        "est",
        "vol",
        "fig",
        "ext",
        "st",
    )
)


@dataclass(frozen=True, slots=True)
class Segment:
    """Code points `start` (inclusive) to `end` (exclusive) of a text: words without blanks around them."""

    start: int
    end: int


def sentences(text: str) -> list[Segment]:
    """The sentences of a text in order; every letter and digit of the first 20,000 code points is in exactly one.

    A sentence ends with its mark, its line, its bullet or, where a writer leaves marks out, before a capital 'The'.
    A text without a word or emoji has none.
    """
    return _sentences(tokenised(text))


def clauses(text: str, sentence: Segment) -> list[Segment]:
    """The clauses of one sentence in order; every letter and digit of it is in exactly one.

    Cut at words of contrast, at ';' and dashes, and where a comma, an 'and', dots or an emoji stands between two
    stretches that could each be read alone. At most MAX_CLAUSES; the last one holds the rest.
    """
    return _clauses(tokenised(text), sentence)


def all_clauses(text: str) -> list[Segment]:
    """The clauses of all sentences of a text, at most MAX_CLAUSES; the last one holds the rest."""
    return clauses_of(tokenised(text))


def clauses_of(words: Tokenised) -> list[Segment]:
    """`all_clauses` of a text whose tokens are known already."""
    found: list[Segment] = []
    whole = _sentences(words)
    for sentence in whole:
        found.extend(_clauses(words, sentence))
        if len(found) > MAX_CLAUSES:
            last = found[MAX_CLAUSES - 1]
            return [*found[: MAX_CLAUSES - 1], Segment(last.start, whole[-1].end)]
    return found


def _sentences(words: Tokenised) -> list[Segment]:
    text, tokens = words.text, words.tokens
    spoken = [place for place, token in enumerate(tokens) if _speaks(token)]
    if not spoken and not any(letter.isalnum() for letter in text):
        return []
    return list(_pieces(text, [*_ends(text, tokens, spoken)]))


def _clauses(words: Tokenised, sentence: Segment) -> list[Segment]:
    first, last = (bisect_left(words.tokens, edge, key=_start) for edge in (sentence.start, sentence.end))
    tokens = [token for token in words.tokens[first:last] if token.end <= sentence.end]  # a ':-(' may lose its end
    cuts = [tokens[place].start - sentence.start for place in clause_starts(tokens)][: MAX_CLAUSES - 1]
    part = words.text[sentence.start : sentence.end]
    return [Segment(sentence.start + piece.start, sentence.start + piece.end) for piece in _pieces(part, cuts)]


def _pieces(text: str, cuts: Sequence[int]) -> Iterator[Segment]:
    """The text between the cuts without separators around it; a cut within a word is none."""
    kept = [cut for cut in cuts if 0 < cut < len(text) and not (text[cut - 1].isalnum() and text[cut].isalnum())]
    edges = [0, *kept, len(text)]
    for start, end in pairwise(edges):
        body = text[start:end].rstrip(_AFTER)
        blank = _BEFORE.match(body)
        skipped = blank.end() if blank else 0
        if skipped < len(body):
            yield Segment(start + skipped, start + len(body))


def _speaks(token: Token) -> bool:
    return token.form[0].isalnum() or len(token.form) > 1 or (token.form not in _BULLETS and is_emoji(token.form))


def _ends(text: str, tokens: Sequence[Token], spoken: Sequence[int]) -> Iterator[int]:
    """Where sentences end. What stands between two words decides, with a look at the words themselves."""
    first = 0  # the place in `spoken` where the sentence begins
    for place in range(1, len(spoken)):
        if _goes_on(text, tokens, spoken[place - 1], spoken[place]):
            continue
        gap = _Gap(
            text, tokens[spoken[place - 1]], tokens[spoken[place - 1] + 1 : spoken[place]], tokens[spoken[place]]
        )
        following = tokens[spoken[place + 1]] if place + 1 < len(spoken) else None
        end = gap.line_end() or gap.marked_end(tokens[spoken[first]]) or gap.unmarked_end(place - first, following)
        end = end or gap.before_bullet(tokens[spoken[first]], following)
        if end:
            first = place
            yield end


def _goes_on(text: str, tokens: Sequence[Token], here: int, there: int) -> bool:
    """Whether a small letter follows a blank or nothing, as between most words: no sentence ends there."""
    start, end = tokens[there].start, tokens[here].end
    return there == here + 1 and text[start].islower() and text[end:start] in {"", " "}


class _Gap(NamedTuple):
    """Two words of a text and the marks between them."""

    text: str
    here: Token
    marks: Sequence[Token]
    there: Token

    def line_end(self) -> int | None:
        """Behind a line break or before a bullet within the line; a line an e-mail program wrapped goes on."""
        between = self.text[self.here.end : self.there.start]
        breaks = between.count("\n")
        if not breaks:
            bullet = _INLINE_BULLET.search(between)
            return self.here.end + bullet.start() if bullet else None
        if breaks == 1 and not between.strip():
            length = self.here.end - self.text.rfind("\n", 0, self.here.start)
            if self.here.form in _OPEN or (length > _WRAPPED and self.text[self.there.start].islower()):
                return None
        return self.here.end + between.rindex("\n") + 1

    def marked_end(self, first: Token) -> int | None:
        """Behind the last mark that ends a sentence, and the quotation marks and brackets that close with it."""
        end, closed, lower = None, False, self.text[self.there.start].islower()
        if self.here.form in {"etc.", "a.m.", "p.m."} and self.text[self.there.start].isupper():
            return self.here.end
        for mark in self.marks:
            if (
                mark.form in {"!", "?"}
                or (mark.form == "…" and not lower)
                or (mark.form == "." and self._stops(mark, first))
            ):
                end, closed = mark.end, False
            elif end == mark.start and mark.form in _CLOSERS:
                end, closed = mark.end, True
        return None if closed and lower else end

    def _stops(self, stop: Token, first: Token) -> bool:
        """Whether the full stop ends a sentence; `first` opens it and may be the number of a list."""
        word, letter = self.text[self.here.start : self.here.end], self.text[self.there.start]
        if stop.start != self.here.end:
            return True
        if stop.end == self.there.start:
            return word[-1].islower() and letter.isupper() and self.text[stop.end + 1 : stop.end + 2].islower()
        if self.here.form in _BEFORE_NUMBERS and letter.isdigit():
            return False
        if len(word) == 1 and word.isupper():
            return False
        return f"{word}." not in TOKENIZER_EXCEPTIONS and not (self.here is first and _numbers(self.text, first))

    def unmarked_end(self, words: int, following: Token | None) -> int | None:
        """Where a writer left the mark out: before 'The' in 'was nice The food', between an emoji and a capital."""
        letters = self.text[self.there.start : self.there.end]
        if self.marks or not letters[0].isupper() or (letters.isupper() and len(letters) > 1):
            return None
        if is_emoji(self.here.form):
            return self.there.start if words > 1 else None
        if self.there.form not in _STARTERS or self.here.form in _OPEN or following is None:
            return None
        goes_on = self.text[self.here.end - 1].islower() and self.text[following.start].islower()
        return self.there.start if goes_on else None

    def before_bullet(self, first: Token, following: Token | None) -> int | None:
        """Before '2)' in '1) slow 2) rude', and before a picture that is used in this way."""
        numbered = _numbers(self.text, self.there) and _numbers(self.text, first)
        pictured = self.there.form in _PICTURE_BULLETS and first.form in _PICTURE_BULLETS and following is not None
        return self.there.start if numbered or (pictured and not is_emoji(self.here.form)) else None


def _numbers(text: str, token: Token) -> bool:
    """Whether a token is the number of an item in a list: '2.' or '2)' and a blank."""
    return token.form.isdigit() and len(token.form) < 3 and bool(_NUMBERED.match(text, token.end))
