"""Tone: what the judged words of a text are worth once negation, degree, contrast and emphasis are counted in."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from models.lexicon import Lexicon
from models.phrases import Hit, longest
from models.text import Token

_REACH = 4  # tokens: 'not what I would call good' is rarer than a negation that belongs to something else
_QUOTE = 7  # tokens with both marks: a longer quotation is something somebody said
_QUOTED, _ORDERED = 0.2, 0.5  # praise in quotation marks, and weak blame in an order: "Cut the queues"
_IRONIES = 8  # nobody is ironic more often in one answer, and each one looks at all that follows
_TURNED = 0.7  # what ironic praise keeps of its strength as blame
_ASIDE = 8  # tokens: "Oh lovely, it crashed again. Five stars!" goes on being ironic, a longer sentence may be meant
_PUNCTUATION = frozenset('.!?…,;:()"\n')


class _Clause(NamedTuple):
    start: int
    end: int
    factor: float


class Evidence(NamedTuple):
    """Tokens `start` (inclusive) to `end` (exclusive), modifiers included, and what they are worth (-6 to 6)."""

    start: int
    end: int
    value: float


def weigh(
    tokens: Sequence[Token], sentences: Sequence[tuple[int, int]], hits: Sequence[Hit], lexicon: Lexicon
) -> list[Evidence]:
    """All evidence of a text in order: words and phrases of the lexicon with what stands around them."""
    phrases = {hit.start: hit for hit in longest(hit for hit in hits if hit.cue.kind == "tone")}
    failures = _told(tokens, hits, lexicon)
    quoted = _quoted(tokens)
    orders = {hit.start for hit in hits if hit.cue.kind == "imperative"}
    loud = sum(token.loud for token in tokens)
    shouting = 1.2 if loud * 2 < len(tokens) else 1.0  # capitals mean something only beside lower case
    found: list[list[Evidence]] = []
    for start, end in sentences:
        factor = _mark(tokens[start:end])
        weak = factor * (_ORDERED if start in orders else 1.0)
        found.append(
            [
                Evidence(
                    at, to, value * (_QUOTED if value > 0 and at in quoted else weak if -2 < value < 0 else factor)
                )
                for clause in _clauses(tokens, start, end, lexicon)
                for at, to, value in _absorbed([*_judge(tokens, clause, phrases, lexicon, shouting)], failures, clause)
            ]
        )
    for hit in [hit for hit in hits if hit.cue.kind in {"settled", "opening"}][:_IRONIES]:
        place = bisect_right(sentences, hit.start, key=lambda sentence: sentence[0]) - 1
        found[place] = _ironic(found, place, hit, failures)
        if hit.cue.kind == "settled" and any(_tells(item, failures) for item in found[place]):
            for start, end in sentences[place + 1 : place + 2]:
                found[place + 1] = _aside(tokens[start:end], found[place + 1], lexicon)
    return [item for evidence in found for item in evidence]


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
    token = tokens[place]
    value = lexicon.valence.get(token.form, 0.0) if not token.run else lexicon.worth(token)
    if value and token.form in lexicon.degree and place + 1 < len(tokens) and lexicon.worth(tokens[place + 1]) > 0:
        return 0.0
    return value


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
        elif form in lexicon.negations and tokens[back + 1].form != "only" and not _answers(tokens, back, lexicon):
            negated, start = True, back
    if negated:
        value = -0.7 * value if value > 0 else -0.4 * value
    return start, value


def _answers(tokens: Sequence[Token], place: int, lexicon: Lexicon) -> bool:
    """Whether a 'nothing' answers the question and denies nothing: 'Nothing, all was fine' without the comma."""
    return place == 0 and tokens[0].form in {"nothing", "no", "none"} and tokens[1].form in lexicon.subjects


def _ironic(found: list[list[Evidence]], place: int, hit: Hit, failures: Sequence[Hit]) -> list[Evidence]:
    """Praise turned round where it opens a complaint ('thanks for losing my bag') or never is meant ('yeah right').

    `place` is the sentence of the hit. An opening of weight 1 looks at the rest of that sentence only, the others at
    the sentences beside it as well, and one of weight 3 needs a failure there, not just words that speak badly.
    """
    here, near = found[place], hit.cue.weight > 1
    after = [item for item in here if item.start >= hit.end]
    before: list[Evidence] = []
    if near:
        after.extend(item for evidence in found[place + 1 : place + 2] for item in evidence)
        before.extend(item for evidence in found[max(0, place - 1) : place] for item in evidence)
    bad = [item for item in (*before, *here, *after) if item.value <= -1.2]
    if hit.cue.weight > 2:
        bad = [item for item in bad if _tells(item, failures)]
    if hit.cue.kind == "opening" and (not bad or any(item.value > 1 for item in after)):
        return here
    turned = [
        item._replace(value=-_TURNED * item.value) if item.value > 0 and item.start < hit.end else item for item in here
    ]
    if hit.cue.kind == "settled" and not any(item.value < 0 for item in turned):
        return [Evidence(hit.start, hit.end, -1.5), *turned]
    return turned


def _aside(sentence: Sequence[Token], evidence: list[Evidence], lexicon: Lexicon) -> list[Evidence]:
    """The praise of a few words that follow an ironic sentence, turned round as well."""
    if len(sentence) > _ASIDE or any(token.form in lexicon.contrast for token in sentence):
        return evidence
    return [item._replace(value=-_TURNED * item.value) if item.value > 0 else item for item in evidence]


def _mark(sentence: Sequence[Token]) -> float:
    """What the closing marks of a sentence make of it: '!!!' adds up to a quarter, '?' takes a third, or more."""
    last = next((token for token in reversed(sentence) if token.form in {"!", "?", "."}), None)
    if last is None or last.form == ".":
        return 1.0
    if last.form == "?":
        return 0.4 if any(token.form == "if" for token in sentence) else 0.67
    return 1 + 0.08 * min(3, last.run)


def _told(tokens: Sequence[Token], hits: Sequence[Hit], lexicon: Lexicon) -> list[Hit]:
    """The failures a text tells of, without those it denies or only supposes ('never crashed', 'if it breaks')."""
    return [
        hit
        for hit in _gravest(hit for hit in hits if hit.cue.kind == "failure")
        if not _denied(tokens, hit.start, lexicon)
    ]


def _tells(item: Evidence, failures: Sequence[Hit]) -> bool:
    place = bisect_left(failures, item.start, key=lambda hit: hit.start)
    return place < len(failures) and failures[place].start < item.end


def _quoted(tokens: Sequence[Token]) -> set[int]:
    """The tokens within short quotation marks: in 'your "premium" support' the praise is somebody else's."""
    marks = [place for place, token in enumerate(tokens) if token.form == '"']
    return {
        place
        for opened, closed in zip(marks[::2], marks[1::2], strict=False)
        if closed - opened <= _QUOTE and closed - opened < len(tokens) - 2
        for place in range(opened, closed)
    }


def _gravest(hits: Iterable[Hit]) -> list[Hit]:
    """Of overlapping hits the worst, not the longest: 'charged me again' in 'charged me again after one week'."""
    kept: list[Hit] = []
    taken: set[int] = set()
    for hit in sorted(hits, key=lambda hit: (hit.cue.weight, hit.start, -hit.end)):
        if taken.isdisjoint(range(hit.start, hit.end)):
            kept.append(hit)
            taken.update(range(hit.start, hit.end))
    return sorted(kept, key=lambda hit: hit.start)


def _denied(tokens: Sequence[Token], place: int, lexicon: Lexicon) -> bool:
    for back in range(place - 1, max(0, place - _REACH) - 1, -1):
        form = tokens[back].form
        if form in _PUNCTUATION:
            return False
        if form in lexicon.denials or (form in lexicon.negations and tokens[back + 1].form != "only"):
            return True
    return False


def _absorbed(evidence: list[Evidence], failures: Sequence[Hit], clause: _Clause) -> list[Evidence]:
    """A failure takes in the words that tell of it: worth what it is or what they are, whichever is worse."""
    first, last = (bisect_left(failures, edge, key=lambda hit: hit.start) for edge in (clause.start, clause.end))
    if first == last:
        return evidence
    waiting = deque(sorted(evidence, key=lambda item: item.start))
    found: list[Evidence] = []
    for hit in failures[first:last]:
        within: list[Evidence] = []
        while waiting and waiting[0].start < hit.end:
            item = waiting.popleft()
            (within if item.end > hit.start else found).append(item)
        worth = min(hit.cue.weight * clause.factor, sum(item.value for item in within if item.value < 0))
        start = min([hit.start, *(item.start for item in within)])
        found.append(Evidence(start, max([hit.end, *(item.end for item in within)]), worth))
    return [*found, *waiting]
