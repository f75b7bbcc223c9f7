"""A customer's words with what was read in them marked: pieces that never nest, each with a word for the ear. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from markupsafe import Markup, escape

from models.prediction import Span, SpanOut
from service.deliver.plain_text import one_line, visible
from service.route.phrases import sure

SHOWN = 2_000  # characters of an answer; what follows is folded
_NAMED = 4  # beliefs about one piece that are named; the rest is counted
_LOOKS = ("negative", "positive", "neutral", "topic", "type", "urgency")
_SAID: Mapping[tuple[str, str], str] = {
    ("type", "complaint"): "a complaint",
    ("type", "suggestion"): "a suggestion",
    ("type", "praise"): "praise",
    ("type", "question"): "a question",
    ("urgency", "high"): "urgent",
    ("urgency", "normal"): "as urgent as most",
    ("urgency", "low"): "can wait",
}
AnySpan = Span | SpanOut


@dataclass(frozen=True, slots=True)
class Belief:
    """What a span says, in words, and how it looks: `about delivery, very sure` and `topic`."""

    words: str
    look: str


@dataclass(frozen=True, slots=True)
class Quote:
    """One answer to show: its question, its beginning with marks, and the rest of a long one, which is folded."""

    question: str | None
    opening: Markup
    rest: Markup | None
    left: int  # characters in the rest


def said(axis: str, label: str) -> str:
    """A belief in words: `sounds negative`, `about delivery`, `a complaint`, `urgent`."""
    if axis == "sentiment":
        return f"sounds {one_line(label, 60)}"
    return _SAID.get((axis, label)) or f"about {one_line(label, 60)}"


def marked(text: str, spans: Sequence[AnySpan]) -> Markup:
    """The whole text, escaped and with hidden characters made visible, its spans marked.

    Args:
        text: as it is stored; the offsets count its code points.
        spans: of this text; they may overlap, and what lies outside the text is left out.
    """
    pieces = "".join(_pieces(text, spans))
    return Markup(f"<bdi>{pieces}</bdi>")  # noqa: S704 (each piece is escaped; escaping pieces of markup again is slow)


def quote_of(question: str | None, text: str, spans: Sequence[AnySpan]) -> Quote:
    """An answer for a page: a long one is cut after about `SHOWN` characters, where a word ends."""
    if len(text) <= SHOWN + 200:
        return Quote(question, marked(text, spans), None, 0)
    blank = max(text.rfind(" ", SHOWN - 200, SHOWN), text.rfind("\n", SHOWN - 200, SHOWN))
    cut = blank + 1 or SHOWN
    moved = [replace(span, start=span.start - cut, end=span.end - cut) for span in map(_plain, spans) if span.end > cut]
    return Quote(question, marked(text[:cut], spans), marked(text[cut:], moved), len(text) - cut)


def legend(spans: Sequence[AnySpan]) -> list[Belief]:
    """Each belief that is marked somewhere, once, without how sure it is; by look, then by name."""
    found = {Belief(said(span.axis, span.label), _look(span)) for span in spans}
    return sorted(found, key=lambda one: (_LOOKS.index(one.look), one.words))


def _plain(span: AnySpan) -> Span:
    return Span(span.start, span.end, span.axis, span.label, span.probability)


def _look(span: AnySpan) -> str:
    if span.axis == "sentiment":
        return span.label if span.label in _LOOKS[:3] else "neutral"
    return span.axis


def _pieces(text: str, spans: Sequence[AnySpan]) -> Iterator[str]:
    """Pieces of the text in order, escaped; where spans begin or end there, a new piece begins."""
    turns = _turns(text, spans)
    active: Counter[Belief] = Counter()
    at = 0
    for place, (begun, ended) in sorted(turns.items()):
        yield _piece(text[at:place], active)
        active.update(begun)
        active.subtract(ended)
        for belief in ended:
            if not active[belief]:
                del active[belief]
        at = place
    yield _piece(text[at:], active)


def _turns(text: str, spans: Sequence[AnySpan]) -> dict[int, tuple[list[Belief], list[Belief]]]:
    """Where something changes: the beliefs that begin and that end there."""
    turns: dict[int, tuple[list[Belief], list[Belief]]] = {}
    for span in spans:
        start, end = _whole(text, span.start), _whole(text, span.end)
        if start < end:
            belief = Belief(f"{said(span.axis, span.label)}, {sure(span.probability)}", _look(span))
            turns.setdefault(start, ([], []))[0].append(belief)
            turns.setdefault(end, ([], []))[1].append(belief)
    return turns


def _whole(text: str, place: int) -> int:
    """A place inside the text that does not part the two characters of a line's end."""
    inside = max(0, min(place, len(text)))
    return inside - 1 if text[inside - 1 : inside + 1] == "\r\n" else inside


def _piece(text: str, active: Counter[Belief]) -> str:
    shown = escape(visible(text))
    if not text or not active:
        return str(shown)
    before, after = _frame(frozenset(active))
    return f"{before}{shown}{after}"


@lru_cache(1_000)
def _frame(active: frozenset[Belief]) -> tuple[Markup, Markup]:
    """What stands before and after a piece of which this is believed."""
    words = sorted({one.words for one in active})
    more = [f"{len(words) - _NAMED} more"] if len(words) > _NAMED else []
    told = "; ".join(words[:_NAMED] + more)
    looks = {one.look for one in active}
    before = Markup('<mark class="{}" title="{}">').format(" ".join(one for one in _LOOKS if one in looks), told)
    return before, Markup('<span class="unseen"> ({}) </span></mark>').format(told)
