"""Where in a text a belief comes from: the clauses that take a side, and those that are about a topic."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from models.beliefs import Found, most_likely
from models.encoder.segments import Segment
from models.encoder.session import Floats
from models.prediction import TYPES, Axis, Span

# A clause this sure of its side stands against one of the other, where the text may both praise and complain.
# On our own hard dev texts: 18 of 47 found, 33 of 540 others called mixed.
_OPPOSED, _BOTH = 0.75, 0.05
_OWN_WORDS = 2.0  # their say beside the encoder's
_PLAIN = 0.6  # a clause this sure of its side is pointed at
_MOST = 20  # per axis and label, the surest


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: its sentiment, its log-odds of each type [4] and of high urgency, and its vector [768]."""

    place: Segment
    sentiment: Mapping[str, float]
    types: Floats
    urgent: float
    vector: Floats


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What the whole text is thought to be: `topics` holds those at or above their threshold."""

    sentiment: Mapping[str, float]
    topics: Mapping[str, float]
    types: Mapping[str, float]
    urgency: Mapping[str, float]


def leaned(felt: Mapping[str, float], place: Segment, found: Found) -> dict[str, float]:
    """A clause's sentiment with what its own words say: between 'great' and 'terrible' neighbours colour each other."""
    own = [one.value for one in found.evidence if place.start <= found.tokens[one.start].start < place.end]
    side = "positive" if sum(own) > 0 else "negative"
    raised = {**felt, side: felt[side] * (1 + abs(sum(own))) ** _OWN_WORDS}
    whole = sum(raised.values())
    return {label: belief / whole for label, belief in raised.items()}


def opposed(clauses: Sequence[Clause], types: Mapping[str, float]) -> bool:
    """Whether one clause is positive and another negative, in a text that praises and complains."""
    if min(types["complaint"], types["praise"]) < _BOTH:
        return False
    return all(any(one.sentiment[side] >= _OPPOSED for one in clauses) for side in ("negative", "positive"))


def point(
    clauses: Sequence[Clause], beliefs: Beliefs, words: Sequence[Span], directions: Mapping[str, Floats]
) -> Iterator[Span]:
    """The spans of every axis.

    Sentiment: the clauses that take a side; of a single clause the text's own belief. A topic: the clauses with one
    of its keywords, else the one whose vector is nearest to its direction. Type and urgency: the words that the
    lexicon found, where the belief goes with them, else the clause that is surest.
    """
    yield from _sides(clauses, beliefs.sentiment)
    for topic, belief in beliefs.topics.items():
        hits = [span for span in words if (span.axis, span.label) == ("topic", topic)]
        direction = directions[topic]
        near = [float((one.vector * direction).sum()) for one in clauses]
        for one in _about(clauses, hits, near):
            yield Span(one.place.start, one.place.end, "topic", topic, belief)
    for place, label in enumerate(TYPES):
        if beliefs.types[label] >= 0.5:
            sure = [float(one.types[place]) for one in clauses]
            yield from _words_or_clause("type", label, beliefs.types[label], words, clauses, sure)
    urgent = most_likely(beliefs.urgency)
    sure = [one.urgent for one in clauses] if urgent == "high" else []
    yield from _words_or_clause("urgency", urgent, beliefs.urgency[urgent], words, clauses, sure)


def _sides(clauses: Sequence[Clause], whole: Mapping[str, float]) -> Iterator[Span]:
    for side in ("negative", "positive"):
        beliefs = [(one.place, one.sentiment[side] if len(clauses) > 1 else whole[side]) for one in clauses]
        taken = sorted((one for one in beliefs if one[1] >= _PLAIN), key=lambda one: -one[1])[:_MOST]
        for place, belief in sorted(taken, key=lambda one: one[0].start):
            yield Span(place.start, place.end, "sentiment", side, belief)


def _about(clauses: Sequence[Clause], hits: Sequence[Span], near: Sequence[float]) -> Sequence[Clause]:
    """The clauses with a hit, else the nearest."""
    found = [one for one in clauses if any(one.place.start <= hit.start < one.place.end for hit in hits)]
    return found[:_MOST] if found or not clauses else [clauses[near.index(max(near))]]


def _words_or_clause(
    axis: Axis, label: str, belief: float, words: Sequence[Span], clauses: Sequence[Clause], sure: Sequence[float]
) -> Iterator[Span]:
    """The words the lexicon found, else the surest clause (none where nobody said how sure each is)."""
    found = [replace(span, probability=belief) for span in words if (span.axis, span.label) == (axis, label)]
    if not found and sure:
        place = clauses[sure.index(max(sure))].place
        found = [Span(place.start, place.end, axis, label, belief)]
    yield from found
