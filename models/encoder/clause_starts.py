"""Where the clauses of a sentence begin: at words of contrast, and between stretches that could each be read alone."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from models.encoder.statements import CONTRASTS, STATEMENT, VERDICT, is_emoji, shapes, signs, tagged
from models.text import Token


class _Chunk(NamedTuple):
    """Tokens between two places where a clause may begin, and what they hold."""

    start: int
    words: int
    shape: int
    opener: str
    clausal: bool
    first: int
    last: int
    alone: bool = True  # nothing has been joined to it

    def joined(self, other: "_Chunk") -> "_Chunk":
        return self._replace(
            words=self.words + other.words,
            shape=self.shape | other.shape,
            clausal=self.clausal or other.clausal,
            alone=False,
            first=self.first or other.first,
            last=other.last or self.last,
        )


_Borders = list[tuple[int, int, str]]  # end of the chunk before, start of the one after, what stands between
_CONCEDING = frozenset({"although", "though", "whereas", "while", "despite"})
_IN_PASSING = frozenset({"however", "unfortunately", "nevertheless", "nonetheless"})
_NOT_CONTRAST = {
    "but": frozenset(("nothing", "anything", "all", "none", "everything", "help", "last")),
    "while": frozenset(("a", "the", "long", "this", "little", "worth", "quite", "short")),
    "yet": frozenset(("not", "as", "and", "never")),
}

_DASHES = frozenset(";-—–")
_SAYS = STATEMENT | VERDICT
_OPENING = frozenset({"contrast", "and", "determiner"})  # tags of words at which a clause may begin
_BARE = frozenset({"content", "good", "bad", "verdict-verb", "degree", "negation"})


def clause_starts(tokens: Sequence[Token]) -> list[int]:
    """The tokens at which clauses begin, the first one not among them."""
    tags = tagged(tokens)
    borders = _borders(tokens, tags)
    if not borders:
        return sorted(_telegraphic(tokens, tags, 0, len(tokens)))
    held, sign = shapes(tags), signs(tokens, tags)
    starts = [0, *(start for _, start, _ in borders)]
    ends = [*(end for end, _, _ in borders), len(tokens)]
    chunks = [_chunk(tokens, tags, held, sign, start, end) for start, end in zip(starts, ends, strict=True)]
    found, piece = [0], chunks[0]
    for (_, start, between), chunk in zip(borders, chunks[1:], strict=True):
        if _stand_apart(piece, between, chunk, tokens[piece.start].form):
            found.append(start)
            piece = chunk
        else:
            piece = piece.joined(chunk)
    for start, end in pairwise([*found, len(tokens)]):
        found.extend(_telegraphic(tokens, tags, start, end))
    return sorted(found)[1:]


def _borders(tokens: Sequence[Token], tags: Sequence[str]) -> _Borders:
    """Where a clause could begin, in order; 'hard' borders need no statements on both sides."""
    found: _Borders = []
    for place in range(1, len(tokens) - 1):
        if tags[place] not in _OPENING and tokens[place].form[0].isalnum():
            continue
        border = _border(tokens, tags, place)
        if border and (not found or border[1] > found[-1][1]):
            found.append(border)
    return found


def _border(tokens: Sequence[Token], tags: Sequence[str], place: int) -> tuple[int, int, str] | None:
    token, form = tokens[place], tokens[place].form
    before, after = tokens[place - 1].form, tokens[place + 1].form
    if tags[place] == "contrast":
        if before in _NOT_CONTRAST.get(form, ()) or (form == "yet" and after in {"to", "another", "again"}):
            return None
        start = place - 1 if before in {"even", "("} and place > 1 else place
        return start, start, "passing" if form in _IN_PASSING else "hard"
    if tags[place] == "and" and tags[place + 1] != "contrast":
        return place, place, "soft"
    if form in _DASHES and not (before[-1].isdigit() and after[0].isdigit()):
        return place, place + 1, "hard"
    if form == "…" or (form == "/" and token.start > tokens[place - 1].end):
        return place, place + 1, "pause"
    if form == "," and tags[place - 1] != "contrast" and tags[place + 1] not in {"contrast", "and"}:
        return place, place + 1, "soft"
    if is_emoji(form) and after[0].isalpha() and tags[place + 1] not in {"contrast", "and"}:
        return place + 1, place + 1, "soft"
    if tags[place] == "determiner" and tags[place - 1] in {"good", "bad"}:
        return place, place, "run-on"
    return None


def _chunk(
    tokens: Sequence[Token], tags: Sequence[str], held: Sequence[int], sign: Sequence[int], start: int, end: int
) -> _Chunk:
    shape = 0
    for found in held[start:end]:
        shape |= found
    judged = [value for value in sign[start:end] if value] or [0]
    opening = [tag for tag in tags[start:end] if tag not in {"and", "contrast", "mark", "degree"}] or [""]
    clausal = "clausal" in tags[start:end]
    words = sum(token.form[0].isalnum() for token in tokens[start:end])
    return _Chunk(start, words, shape, opening[0], clausal, judged[0], judged[-1])


def _stand_apart(piece: _Chunk, between: str, chunk: _Chunk, opening: str) -> bool:
    """Whether a clause begins with `chunk`, behind all of `piece`, which opens with the word `opening`."""
    if not piece.words or not chunk.words:
        return False
    if between == "hard":
        return chunk.words > 1 or piece.words > 1
    if between == "passing":
        return piece.shape > 0 and chunk.words > 1
    if between == "run-on":
        return bool(piece.shape & chunk.shape & STATEMENT) and not piece.clausal
    if between == "pause" and chunk.shape & _SAYS:
        return True
    if opening in _CONCEDING and piece.alone:
        return chunk.words > 1
    if chunk.opener == "clausal" or piece.opener == "clausal":
        return False
    if opening in CONTRASTS and piece.words > 1:
        piece = piece._replace(shape=piece.shape | STATEMENT)
    return _both_say(piece, chunk)


def _both_say(piece: _Chunk, chunk: _Chunk) -> bool:
    """Whether both can be read alone; 'great prices' cannot in 'I like fast shipping, great prices'."""
    left = piece.shape
    if not left or not chunk.shape:
        return False
    if chunk.shape & _SAYS:
        return bool(left & _SAYS or chunk.shape & STATEMENT or left == chunk.shape)
    return chunk.opener != "article" and (not left & STATEMENT or piece.last * chunk.first < 0)


def _telegraphic(tokens: Sequence[Token], tags: Sequence[str], start: int, end: int) -> Iterator[int]:
    """Cuts in 'staff lovely food awful' and 'lovely staff awful food': words of opposite tone, each beside its thing.

    Only where nothing but things, verdicts and their modifiers stand; 'found great deals bad quality' stays whole, as
    nobody can say which way its verdicts look.
    """
    while end > start and tags[end - 1] == "mark":
        end -= 1
    if not set(tags[start:end]) <= _BARE:
        return
    sign = signs(tokens, tags)
    judged = [place for place in range(start, end) if sign[place]]
    if len(judged) < 2 or (tags[start] == "content" and judged[-1] != end - 1):
        return
    for before, after in pairwise(judged):
        things = [place for place in range(before + 1, after) if tags[place] == "content"]
        if things and sign[before] != sign[after]:
            cut = things[0] if tags[start] == "content" else things[-1] + 1
            if end - cut > 1:
                yield cut
