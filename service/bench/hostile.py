"""Expressions meant to stop the service or to get past the language, and how soon each is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import re2

from service.bench.figures import BenchFailed
from service.route.conditions import parse
from service.route.names import Names
from service.route.patterns import compiled
from service.route.tokens import InvalidExpression

_TIMES = 20  # the quickest counts: the machine may be busy with something else
HOSTILE: Mapping[str, str] = {
    "10,000 brackets": "(" * 10_000 + "true" + ")" * 10_000,
    "900 brackets": "(" * 900 + "true" + ")" * 900,
    "brackets with and": "(" * 30 + "true" + " and true)" * 30,
    "deep in few brackets": "not (true and " * 15 + "true" + ")" * 15,
    "500 nots": "not " * 499 + "true",
    "1,900 signs": "scores.nps > " + "-" * 1_900 + "1",
    "powers": "9**9**9 > scores.nps",
    "huge number": "scores.nps > " + "9" * 1_500,
    "infinite number": "scores.nps > 1e999",
    "imaginary": "scores.nps == 1j",
    "f-string": 'f"{source}" == source',
    "raw string": r'r"\d" == source',
    "bytes": 'b"x" == source',
    "joined texts": '"a" "b" == source',
    "triple quotes": '"""a""" == source',
    "bad escape": r"source == '\d'",
    "null escape": r"source == '\u0000'",
    "half a character": r"source == '\ud800'",
    "half a character, written": "source == '\ud800'",
    "null byte": "scores.nps > 1\0",
    "lambda": "lambda: 1",
    "walrus": "(x := 1) > 0",
    "conditional": "true if true else false",
    "comprehension": "[x for x in y]",
    "import": "__import__('os').system('x')",
    "dunder": "scores.__class__.__base__ == 1",
    "method": "source.upper() == 'A'",
    "subscript": "context['x'] == 1",
    "keyword": "known(x=scores.nps)",
    "star": "known(*scores)",
    "closing trick": "true) or (true",
    "statements": "true; true",
    "comment": "true # or not",
    "continued line": "scores.nps \\\n > 1",
    "await": "await true",
    "number glued": "scores.nps in [1]or 1in [1]",
    "long name": "a" + ".a" * 900,
    "many parts": " or ".join(["true"] * 300),
    "many unknown fields": " or ".join(f"ctx.ab{i}<1" for i in range(120)),
    "long chain": "<".join(["scores.nps"] * 150),
    "long list": "scores.nps in [" + "1," * 900 + "1]",
    "nested lists": "scores.nps in " + "[" * 19 + "]" * 19,
    "nested calls": "known(" * 19 + "source" + ")" * 19,
    "many any_of": "any_of(" * 19 + "true" + ")" * 19,
    "wide any_of": "any_of(" + "scores.nps, " * 190 + "scores.nps) < any_of(scores.nps, 1)",
    "division": "scores.nps / scores.csat > 1",
    "catastrophic, nested counts": r'matches(text, "((a{1,100}){1,100}){1,100}")',
    "a pattern that looks back": r'matches(text, "(a)\\1")',
    "a pattern that looks ahead": 'matches(text, "(?=.*a)b")',
    "a pattern of a thousand": 'matches(text, "(?i)[^a]{1000}")',
    "a pattern of all letters, a thousand": r'matches(text, "\\pL{1000}")',
    "many classes": r'matches(text, "(?i)' + r"\\pL" * 90 + '")',
    "many patterns, the last bad": " or ".join(rf'matches(text, "(?i)\\pL[a-{n % 10}")' for n in range(40)) + " or x",
    "two heavy patterns, the third bad": r'matches(text, any_of("(?i)\\pLa", "(?i)\\pLb", "["))',
    "heavy patterns, the heaviest bad": r'matches(text, "(?i)\\pL") or matches(text, "(?i)\\pLbbbbbbbbbbbbbbbbb[")',
    "two long patterns, the third bad": " or ".join(f'matches(text, "(?i){"k" * n}")' for n in (430, 440))
    + ' or matches(text, "[")',
    "long patterns, the last bad": " or ".join(f'matches(text, "(?i){"k" * 480}{n}")' for n in range(3)) + " or x",
    "an endless pattern": 'matches(text, "' + "a|" * 600 + '")',
    "brackets in a pattern": 'matches(text, "' + "(" * 480 + '")',
    "a pattern for everything": 'matches(text, "refund|")',
    "a control character in a pattern": r'matches(text, "\bword\b")',
    "count of a million": 'count_recent("ticket", days=1000000) > 1',
    "days from a field": 'count_recent("ticket", days=scores.nps) > 1',
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An expression of the table and how long it took to refuse it, in milliseconds."""

    name: str
    milliseconds: float


def slowest_refusal(names: Names) -> Refusal:
    """The expression that takes longest to refuse, with no pattern compiled before.

    Raises:
        BenchFailed: one is accepted.
    """
    return max((Refusal(name, _milliseconds(name, names)) for name in HOSTILE), key=lambda one: one.milliseconds)


def _milliseconds(name: str, names: Names) -> float:
    took = []
    for _ in range(_TIMES):
        compiled.cache_clear()
        re2.purge()
        began = perf_counter()
        try:
            parse(HOSTILE[name], names)
        except InvalidExpression:
            took.append(1_000 * (perf_counter() - began))
        else:
            raise BenchFailed(f"A hostile expression ({name}) was accepted: nothing was measured.")
    return min(took)
