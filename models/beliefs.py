"""From what was found in a text to probabilities on each axis: one small formula per axis, the numbers by hand."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.phrases import Hit, longest
from models.prediction import SENTIMENTS
from models.taxonomies.taxonomy import Taxonomy
from models.text import Token
from models.tone import Evidence

# A belief in one topic from one hit: a single word, a phrase of several, a hint, and no hit at all.
_WORD, _PHRASE, _HINT, NO_HIT = 0.62, 0.74, 0.33, 0.03
_OPENERS = frozenset(
    {"who", "what", "when", "where", "which", "why", "how", "is", "are", "was", "were", "can", "could"}
    | {"do", "does", "did", "will", "would", "should", "has", "have", "may"}
)
_SHORT_ANSWER = 14  # words: a bare noun phrase answers 'what could we improve?', a story does not


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found in one text: the ground every belief stands on.

    `ask` is what the survey question asks for: 'improve', 'praise' or None.
    """

    tokens: Sequence[Token]
    sentences: Sequence[tuple[int, int]]
    hits: Sequence[Hit]
    evidence: Sequence[Evidence]
    ask: str | None

    def of(self, *kinds: str) -> list[Hit]:
        """The hits of these kinds, in order."""
        return [hit for hit in self.hits if hit.cue.kind in kinds]

    @property
    def good(self) -> float:
        """The sum of what speaks well."""
        return sum(item.value for item in self.evidence if item.value > 0)

    @property
    def bad(self) -> float:
        """The sum of what speaks badly, as a positive number."""
        return -sum(item.value for item in self.evidence if item.value < 0)


@dataclass(frozen=True, slots=True)
class Mood:
    """How strongly a text speaks well and badly: sums on a log scale (0 nothing, 1.5 one strong word, 3 a rant)."""

    good: float
    bad: float


def mood(found: Found) -> Mood:
    """Sums grow with length and conviction does not, hence the logarithm; the question leans where words do not."""
    good, bad = found.good, found.bad
    if found.ask == "praise" and bad < 1:
        good += 1.5
    if found.ask == "improve" and good < 1:
        bad += 0.5
    return Mood(math.log1p(good), math.log1p(bad))


def sentiment_logits(feeling: Mood) -> tuple[float, ...]:
    """Scores of negative, neutral and positive."""
    good, bad = feeling.good, feeling.bad
    return (1.9 * bad - 0.9 * good, 0.9, 1.9 * good - 0.9 * bad)


def topic_probabilities(
    found: Found, taxonomy: Taxonomy
) -> tuple[dict[str, float], dict[str, list[tuple[Hit, float]]]]:
    """The probability of every topic, and for those with hits what each hit is worth.

    Different hits add up as independent witnesses do (noisy or); the same words again do not. A hit without weight only
    takes the shorter ones within it out of play.
    """
    by_label: dict[str, list[Hit]] = {}
    for hit in found.of("topic"):
        by_label.setdefault(hit.cue.label, []).append(hit)
    probabilities, witnesses = {}, {}
    for topic in taxonomy.topics:
        hits = [hit for hit in longest(by_label.get(topic.name, [])) if hit.cue.weight]
        if not hits:
            probabilities[topic.name] = NO_HIT
            continue
        worth: dict[tuple[str, ...], float] = {}
        for hit in hits:
            stems = tuple(token.stem for token in found.tokens[hit.start : hit.end])
            worth[stems] = _HINT if hit.cue.weight < 1 else _WORD if len(stems) == 1 else _PHRASE
        doubt = math.prod(1 - belief for belief in worth.values())
        probabilities[topic.name] = min(0.98, 1 - doubt * (1 - NO_HIT))
        witnesses[topic.name] = [
            (hit, worth[tuple(token.stem for token in found.tokens[hit.start : hit.end])]) for hit in hits
        ]
    return probabilities, witnesses


def type_logits(found: Found, feeling: Mood) -> tuple[float, ...]:
    """Log-odds of suggestion, complaint, praise and question, each on its own."""
    suggestion = -2.9 + min(6.0, _weight(found, "suggestion") + _imperative(found))
    complaint = -2.2 + 2.5 * feeling.bad - 0.7 * feeling.good + 0.5 * min(4.0, _weight(found, "complaint"))
    praise = -2.3 + 2.0 * feeling.good - 0.9 * feeling.bad + 0.4 * min(4.0, _weight(found, "praise"))
    if found.ask == "improve" and found.good < 1 and len(found.tokens) <= _SHORT_ANSWER:
        suggestion += 3.5
        complaint += 0.8
    if found.ask == "praise" and found.bad < 1:
        praise += 0.8
    return (suggestion, complaint, praise, _question(found))


def _imperative(found: Found) -> float:
    """The weight of an order at the start of a sentence or after 'please': 'Add a map', not 'they add a fee'."""
    starts = {start for start, _ in found.sentences}
    return max(
        (
            hit.cue.weight
            for hit in found.of("imperative")
            if hit.start in starts or found.tokens[hit.start - 1].form in {"please", "also", "just", "maybe"}
        ),
        default=0.0,
    )


def _question(found: Found) -> float:
    """A question mark helps, an interrogative opening helps, both settle it; rhetoric counts against it."""
    cues = longest(found.of("question"))
    openings = {start for start, end in found.sentences if found.tokens[start].form in _OPENERS}
    asked = {start for start, end in found.sentences if any(token.form == "?" for token in found.tokens[start:end])}
    score = -2.7 + 0.6 * min(6.0, sum(hit.cue.weight for hit in cues))
    if asked:
        score += 2.6
    if asked & openings:
        score += 0.9
    elif any(hit.start in openings and hit.cue.weight > 0 for hit in cues):
        score += 1.4
    return score


def urgency_logits(found: Found, feeling: Mood) -> tuple[float, ...]:
    """Scores of low, normal and high: cues decide, displeasure leans, praise calms."""
    cues = longest(found.of("urgency"))
    low = sum(hit.cue.weight for hit in cues if hit.cue.label == "low")
    high = sum(hit.cue.weight for hit in cues if hit.cue.label == "high")
    calm = max(0.0, feeling.good - feeling.bad)
    return (
        0.4 + 0.7 * feeling.good - 0.5 * feeling.bad + 0.6 * min(6.0, low),
        0.9 + 0.5 * feeling.bad,
        -1.9 + 0.45 * feeling.bad - 0.8 * calm + 0.8 * min(8.0, high),
    )


def is_mixed(found: Found) -> bool:
    """Whether a text says something clearly good and something clearly bad."""
    good, bad = found.good, found.bad
    return min(good, bad) >= 1.2 and min(good, bad) >= 0.3 * max(good, bad)


def softmax(labels: Sequence[str], logits: Sequence[float]) -> dict[str, float]:
    """Probabilities that sum to 1."""
    top = max(logits)
    weights = [math.exp(value - top) for value in logits]
    return {label: weight / sum(weights) for label, weight in zip(labels, weights, strict=True)}


def sigmoid(logit: float) -> float:
    """The probability of a log-odds."""
    return 1 / (1 + math.exp(-logit))


def alone(value: float) -> tuple[str, float]:
    """The sentiment one piece of evidence would make by itself, and its probability."""
    size = math.log1p(abs(value))
    label = SENTIMENTS[0] if value < 0 else SENTIMENTS[2]
    feeling = Mood(0.0, size) if value < 0 else Mood(size, 0.0)
    return label, softmax(SENTIMENTS, sentiment_logits(feeling))[label]


def log_odds(probability: float, least: float) -> float:
    """The log-odds of a probability, which is first kept `least` away from 0 and 1."""
    kept = min(max(probability, least), 1 - least)
    return math.log(kept / (1 - kept))


def most_likely(probabilities: Mapping[str, float]) -> str:
    """The label with the highest probability, the first of equals."""
    return max(probabilities, key=probabilities.__getitem__)


def _weight(found: Found, kind: str) -> float:
    """The weight of different cues; the same words again add nothing."""
    cues = {
        tuple(token.stem for token in found.tokens[hit.start : hit.end]): hit.cue.weight
        for hit in longest(found.of(kind))
    }
    return sum(cues.values())
