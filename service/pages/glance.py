"""The words at a glance: the sentence of an answer that mattered for a decision, with what mattered marked. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.deliver.plain_text import one_line

LONGEST = 160  # characters of the whole line
_ENDS = re.compile(r"[.!?…。！？]+[\s\"'”’)]+|\n+")  # a sentence ends here
_LOOKED_AT = re.compile(r'\b(sentiment|type|urgency)\.(\w+)|\btopic\("([^"]*)"\)')


@dataclass(frozen=True, slots=True)
class Glance:
    """A line of a customer's words; `marked` is the part that mattered, empty where nothing stands out."""

    before: str
    marked: str = ""
    after: str = ""
    tone: str = ""


def looked_at(clauses: Sequence[str]) -> frozenset[tuple[str, str]]:
    """The beliefs (axis, label) that these clauses ask about."""
    found = (one for clause in clauses for one in _LOOKED_AT.finditer(clause))
    return frozenset(("topic", one[3]) if one[3] is not None else (one[1], one[2]) for one in found)


def glance(
    texts: Sequence[str], spans: Sequence[Mapping[str, Any]], wanted: frozenset[tuple[str, str]]
) -> Glance | None:
    """The sentence around the span behind a decision, else the first words; None where there are no words.

    Args:
        texts: the answers, in order.
        spans: of a stored classification; offsets in code points into the answer `verbatim`.
        wanted: the beliefs a decision asked about; without one, what sounds negative.
    """
    behind = [span for span in spans if (span["axis"], span["label"]) in (wanted or {("sentiment", "negative")})]
    for span in sorted(behind, key=lambda one: (-one["probability"], one["verbatim"], one["start"])):
        text = texts[span["verbatim"]] if span["verbatim"] < len(texts) else ""
        if span["end"] <= len(text) and text[span["start"] : span["end"]].strip():
            return _around(text, span["start"], span["end"], str(span["label"]))
    words = next((text for text in texts if text.strip()), None)
    return None if words is None else Glance(one_line(words.strip(), LONGEST))


def _around(text: str, start: int, end: int, label: str) -> Glance:
    near = max(0, start - 400)
    begin = max((near + found.end() for found in _ENDS.finditer(text[near:start])), default=near)
    stop = _ENDS.search(text, end, end + 400)
    close = stop.end() if stop else min(len(text), end + 400)
    marked = one_line(text[start:end], 100)
    room = max(LONGEST - len(marked), 40)
    before, after = _end_of(text[begin:start], room // 2), one_line(text[end:close], room // 2)
    tone = label if label in {"negative", "positive"} else ""
    if not before and len(marked) >= LONGEST // 2 and not after:
        return Glance(marked)
    return Glance(_glued(before, text[:start]), marked, _led(after, text[end:]), tone)


def _end_of(text: str, limit: int) -> str:
    line = one_line(text, 4 * len(text) + 1)
    if len(line) <= limit:
        return line
    cut = line[-(limit - 1) :]
    return "…" + cut[cut.find(" ") + 1 :]


def _glued(before: str, whole: str) -> str:
    return before + " " if before and whole[-1:].isspace() else before


def _led(after: str, whole: str) -> str:
    return " " + after if after and whole[:1].isspace() else after
