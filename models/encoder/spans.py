"""Where in a text a belief comes from: the clauses that take a side, and those that are about a topic."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from models.encoder.segments import Segment
from models.encoder.session import Floats
from models.prediction import Span

# A clause this sure of its side stands against one of the other side, where the whole text seems to praise and to
# complain, if only a little: on our own hard dev texts that spares three false alarms in ten for one hit in twenty.
_OPPOSED, _BOTH = 0.55, 0.15
_PLAIN = 0.6  # a clause this sure of its side is pointed at
_MOST = 20  # per axis and label, the surest


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause, its sentiment and its vector [768]."""

    place: Segment
    sentiment: Mapping[str, float]
    vector: Floats


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What the whole text is thought to be: `topics` holds those at or above their threshold."""

    sentiment: Mapping[str, float]
    topics: Mapping[str, float]
    types: Mapping[str, float]
    urgency: Mapping[str, float]


def opposed(clauses: Sequence[Clause], types: Mapping[str, float]) -> bool:
    """Whether one clause is positive and another negative, in a text that praises and complains."""
    if min(types["complaint"], types["praise"]) < _BOTH:
        return False
    return all(any(one.sentiment[side] >= _OPPOSED for one in clauses) for side in ("negative", "positive"))


def point(
    text: str,
    clauses: Sequence[Clause],
    beliefs: Beliefs,
    words: Iterable[Span],
    directions: Mapping[str, Floats],
) -> list[Span]:
    """The spans of every axis.

    Sentiment: the clauses that take a side; of a single clause the text's own belief. A topic: the clauses with one
    of its keywords, else the one whose vector is nearest to its direction. Type and urgency: the words that the
    lexicon found, where the belief goes with them.
    """
    words = list(words)
    found = list(_sides(clauses, beliefs.sentiment))
    for topic, belief in beliefs.topics.items():
        hits = [span for span in words if span.axis == "topic" and span.label == topic]
        found.extend(_about(topic, belief, clauses, hits, directions[topic]))
    found.extend(replace(span, probability=beliefs.types[span.label]) for span in words if _is_type(span, beliefs))
    urgent = max(beliefs.urgency, key=beliefs.urgency.__getitem__)
    found.extend(
        replace(span, probability=beliefs.urgency[urgent])
        for span in words
        if span.axis == "urgency" and span.label == urgent
    )
    return found if text.strip() else []


def _is_type(span: Span, beliefs: Beliefs) -> bool:
    return span.axis == "type" and beliefs.types[span.label] >= 0.5


def _sides(clauses: Sequence[Clause], whole: Mapping[str, float]) -> Iterator[Span]:
    for side in ("negative", "positive"):
        beliefs = [(one.place, one.sentiment[side] if len(clauses) > 1 else whole[side]) for one in clauses]
        taken = sorted((one for one in beliefs if one[1] >= _PLAIN), key=lambda one: -one[1])[:_MOST]
        for place, belief in sorted(taken, key=lambda one: one[0].start):
            yield Span(place.start, place.end, "sentiment", side, belief)


def _about(
    topic: str, belief: float, clauses: Sequence[Clause], hits: Sequence[Span], direction: Floats
) -> Iterator[Span]:
    witnesses = [one for one in clauses if any(one.place.start <= hit.start < one.place.end for hit in hits)]
    if not witnesses and clauses:
        witnesses = [max(clauses, key=lambda one: float((one.vector * direction).sum()))]
    for one in witnesses[:_MOST]:
        yield Span(one.place.start, one.place.end, "topic", topic, belief)
