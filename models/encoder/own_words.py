"""What of a text its writer wrote: without quoted mails, forwarded mails and signatures."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from models.characters import normalise
from models.encoder.segments import Segment

_Line = tuple[int, int]

_REGARDS = (
    r"(?:best|kind|kindest|warm|warmest)\s+(?:regards|wishes)|regards|yours\s+(?:sincerely|faithfully|truly)"
    r"|sincerely(?:\s+yours)?"
)
_CLOSING = rf"(?:{_REGARDS}|many\s+thanks|thanks|thank\s+you|cheers|respectfully|br)"
_QUOTED = re.compile(r"\s*+(?:>(?!\s*+\d)|>\s*+>|\|\s*+>)")
# What a mail program writes above somebody else's words; all that follows is theirs.
_HEADER = re.compile(
    r"\s*+(?:-{3,}\s*+(?:original|forwarded)\s+message\s*+-{3,}|begin\s+forwarded\s+message:?|_{10,})\s*+",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"\s*+on\s[^\n]{4,120}\n?[^\n]{0,120}\bwrote:[ \t]*+(?=\n|$)"
    r"|\s*+from:\s[^\n]+\n\s*+(?:sent|date|to):\s[^\n]+(?:\n\s*+(?:sent|date|to|cc|subject):\s?[^\n]*)*",
    re.IGNORECASE,
)
_SIGNED_OFF = re.compile(r"\s*+--\s*+")
_DEVICE = re.compile(
    r"\s*+(?:sent\s+from\s+(?:my\s+\w+|\w+\s+mail|outlook|yahoo|gmail)[^\n]{0,40}|get\s+outlook\s+for\s+\w+)\s*+",
    re.IGNORECASE,
)
_CLOSING_LINE = re.compile(rf"\s*+{_CLOSING}\s*+[,.!]?\s*+", re.IGNORECASE)
_LAST_LINE = re.compile(rf"\s*+(?:{_REGARDS})\s*+[,.!]?\s*+", re.IGNORECASE)
_NAME_LINE = re.compile(r"\s*+(?:[A-Z0-9+(@]|www\.|https?:|[\w.]+@)[^\n!?]{0,60}(?<![.;:])\s*+")
_LONGEST_SIGNATURE = 7  # lines
_NAME = r"[A-Z][\w'.-]*"
_SIGNED_IN_LINE = re.compile(
    rf"(?:^|(?<=[.!?]))\s*+(?i:{_CLOSING})\s*+[,.-]\s*+{_NAME}(?:\s+{_NAME}){{0,3}}"
    rf"(?:\s*+,\s*+(?:{_NAME}|of|and|the|&|for|at)(?:\s+(?:{_NAME}|of|and|the|&|for|at))*)*\s*+\.?\s*+$"
)
_BORROWED = re.compile(r'\s*+"[^"]{20,}"\s*+[-–—]\s*+\w[^"\n]{0,60}')
_HINT = re.compile(r"[>_]|--|wrote:|from:|forwarded|\b(?:sent from|get outlook)\b|" + _CLOSING, re.IGNORECASE)


def own_words(text: str) -> list[Segment]:
    """The stretches of a text that are its writer's own, in order; none where all of it is quote or signature.

    Left out are lines that begin with '>', what stands below 'On ... wrote:' or '-----Original Message-----', a
    signature, and a whole text that is one saying with its author. A '>' before a number ('> 3 hours') is no quote.
    """
    text = normalise(text)
    if _BORROWED.fullmatch(text):
        return []
    if not _HINT.search(text):
        return list(_stripped(text, [(0, len(text))]))
    lines = [match.span() for match in re.finditer(r"[^\n]*\S[^\n]*", text)]
    own = _joined(lines, _unsigned(text, list(_unquoted(text, lines))))
    if own:
        start, end = own[-1]
        signed = _SIGNED_IN_LINE.search(text, start, end)
        own[-1] = (start, signed.start() if signed else end)
    return list(_stripped(text, own))


def _unquoted(text: str, lines: Sequence[_Line]) -> Iterator[_Line]:
    """The lines that are no quote. Below 'wrote:' all is quote, unless marks say which lines are."""
    marked = {start for start, end in lines if _QUOTED.match(text, start, end)}
    last_mark = max(marked, default=-1)
    headed = 0
    for start, end in lines:
        if start < headed or start in marked:
            continue
        wrote = _WROTE.match(text, start)
        if _HEADER.fullmatch(text, start, end) or (wrote and last_mark < wrote.end()):
            return
        if wrote:
            headed = wrote.end()
        else:
            yield start, end


def _unsigned(text: str, lines: Sequence[_Line]) -> Iterator[_Line]:
    for place, (start, end) in enumerate(lines):
        below = lines[place + 1 : place + 2 + _LONGEST_SIGNATURE]
        if _SIGNED_OFF.fullmatch(text, start, end) or (not below and _LAST_LINE.fullmatch(text, start, end)):
            return
        named = all(_NAME_LINE.fullmatch(text, *line) or _DEVICE.fullmatch(text, *line) for line in below)
        if _CLOSING_LINE.fullmatch(text, start, end) and named and 0 < len(below) <= _LONGEST_SIGNATURE:
            return
        if not _DEVICE.fullmatch(text, start, end):
            yield start, end


def _joined(lines: Sequence[_Line], own: Iterable[_Line]) -> list[_Line]:
    """Lines that follow each other as one stretch."""
    following = dict(pairwise(lines))
    found: list[_Line] = []
    last = None
    for line in own:
        if last and following[last] == line:
            found[-1] = (found[-1][0], line[1])
        else:
            found.append(line)
        last = line
    return found


def _stripped(text: str, stretches: Iterable[_Line]) -> Iterator[Segment]:
    for start, end in stretches:
        body = text[start:end]
        if body.strip():
            yield Segment(start + len(body) - len(body.lstrip()), start + len(body.rstrip()))
