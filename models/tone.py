"""Tone: what the judged words of a text are worth once negation, degree, contrast and emphasis are counted in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from models.lexicon import Lexicon
from models.phrases import Hit, longest
from models.text import Token

_REACH = 4  # tokens: 'not what I would call good' is rarer than a negation that belongs to something else
_IRONIES = 8  # nobody is ironic more often in one answer, and each one looks at all that follows
_PUNCTUATION = frozenset('.!?…,;:()"\n')


class _Clause(NamedTuple):
    start: int
    end: int
    factor: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Tokens `start` (inclusive) to `end` (exclusive), modifiers included, and what they are worth (-6 to 6)."""

    start: int
    end: int
    value: float


def weigh(
    tokens: Sequence[Token], sentences: Sequence[tuple[int, int]], hits: Sequence[Hit], lexicon: Lexicon
) -> list[Evidence]:
    """All evidence of a text in order: words and phrases of the lexicon with what stands around them."""
    phrases = {hit.start: hit for hit in longest(hit for hit in hits if hit.cue.kind == "tone")}
    irony = [hit for hit in hits if hit.cue.kind in {"settled", "opening"}]
    loud = sum(token.loud for token in tokens)
    shouting = 1.2 if loud * 2 < len(tokens) else 1.0  # capitals mean something only beside lower case
    found: list[Evidence] = []
    for start, end in sentences:
        evidence = [
            item
            for clause in _clauses(tokens, start, end, lexicon)
            for item in _judge(tokens, clause, phrases, lexicon, shouting)
        ]
        sentence_irony = [hit for hit in irony[:_IRONIES] if start <= hit.start < end]
        if sentence_irony:
            evidence = _ironic(evidence, sentence_irony)
        factor = _mark(tokens[start:end])
        found.extend(replace(item, value=item.value * factor) for item in evidence)
    return found


def _clauses(tokens: Sequence[Token], start: int, end: int, lexicon: Lexicon) -> list[_Clause]:
    """A sentence cut at 'but' and its like: what follows counts more than what came before."""
    cuts = [i for i in range(start + 1, end) if tokens[i].form in lexicon.contrast]
    edges = [start, *cuts, end]
    last = len(edges) - 2
    return [
        _Clause(edges[i], edges[i + 1], 1.0 if not cuts else 1.2 if i == last else 0.7) for i in range(len(edges) - 1)
    ]


def _judge(
    tokens: Sequence[Token], clause: _Clause, phrases: dict[int, Hit], lexicon: Lexicon, shouting: float
) -> Iterator[Evidence]:
    unreal = False
    unused: list[int] = []
    i = clause.start
    while i < clause.end:
        token = tokens[i]
        phrase = phrases.get(i)
        end = phrase.end if phrase else i + 1
        worth = phrase.cue.weight if phrase else _worth(tokens, i, lexicon)
        if worth:
            start, value = _modified(tokens, clause.start, i, worth, lexicon)
            if unreal and value > 0:
                value *= 0.3  # 'should be easy' and 'if it were good' praise nothing
            if token.loud:
                value *= shouting
            if token.run and token.form[0].isalpha():
                value *= 1.15
            unused = [place for place in unused if place < start]
            yield Evidence(start, end, value * clause.factor)
        elif token.form in lexicon.negations:
            unused.append(i)
        unreal = unreal or (not phrase and token.form in lexicon.unreal)
        i = end
    for place in unused:
        yield Evidence(place, place + 1, -0.5 * clause.factor)


def _worth(tokens: Sequence[Token], place: int, lexicon: Lexicon) -> float:
    """The valence of one word; a swear word that only underlines praise ('bloody brilliant') has none."""
    following = tokens[place + 1] if place + 1 < len(tokens) else None
    if following and tokens[place].form in lexicon.degree and lexicon.worth(following) > 0:
        return 0.0
    return lexicon.worth(tokens[place])


def _modified(tokens: Sequence[Token], floor: int, place: int, value: float, lexicon: Lexicon) -> tuple[int, float]:
    """Where the modifiers of the word at `place` begin, and its value with them."""
    start, negated = place, False
    for back in range(place - 1, max(floor, place - _REACH) - 1, -1):
        form = tokens[back].form
        if form in _PUNCTUATION:
            break
        if form in lexicon.degree and place - back <= 2:
            value *= lexicon.degree[form]
            start = back
        elif form in lexicon.negations and tokens[back + 1].form != "only":
            negated, start = True, back
    if negated:
        value = -0.7 * value if value > 0 else -0.4 * value
    return start, value


def _ironic(evidence: list[Evidence], irony: list[Hit]) -> list[Evidence]:
    """Praise turned round where it opens a complaint ('thanks for losing my bag') or never is meant ('yeah right')."""
    turned = evidence
    for hit in irony:
        after = [item for item in turned if item.start >= hit.end]
        meant = any(item.value > 1 for item in after) or not any(item.value <= -1.4 for item in after)
        if hit.cue.kind == "opening" and meant:
            continue
        turned = [
            replace(item, value=-0.7 * item.value) if item.value > 0 and item.start < hit.end else item
            for item in turned
        ]
        if hit.cue.kind == "settled" and not any(item.value < 0 for item in turned):
            turned = [Evidence(hit.start, hit.end, -1.5), *turned]
    return turned


def _mark(sentence: Sequence[Token]) -> float:
    """What the closing marks of a sentence make of it: '!!!' adds up to a quarter, '?' takes a third."""
    last = next((token for token in reversed(sentence) if token.form in {"!", "?", "."}), None)
    if last is None or last.form == ".":
        return 1.0
    return 0.67 if last.form == "?" else 1 + 0.08 * min(3, last.run)
