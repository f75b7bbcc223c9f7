"""A first look over an expression: only words and signs of the rule language reach Python's parser.

That parser also reads what rules never need (f-strings, lambdas, walrus) and recurses on nesting, so both end here.
"""

import keyword
import re
from dataclasses import dataclass

MAX_CHARACTERS = 2_000
MAX_DEPTH = 20
MAX_NODES = 200

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<text>"(?:[^"\\\r\n]|\\.)*" | '(?:[^'\\\r\n]|\\.)*')
    | (?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![\w.]))
    | (?P<keyword>days\s*=(?!=))
    | (?P<name>[^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*)
    | (?P<sign>==|!=|<=|>=|<(?!>)|>|\(|\)|\[|\]|,|-)""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:[\\'\"bfnrt]|u[0-9a-fA-F]{4})|(?P<bad>\\.?)")
_OTHER_SPACE = re.compile(r"[^\S ]")
_WORDS = frozenset({"and", "or", "not", "in", "true", "false", "True", "False"})
_JOINING = frozenset({"and", "or", "not", "in"})
_COMPARING = frozenset({"==", "!=", "<", "<=", ">", ">="})
_SEARCH = 'write matches(text, "(?i)refund")'
_OTHER_WORDS = {
    "None": "ask known(field) whether a value is there",
    "null": "ask known(field) whether a value is there",
    "is": "write == to compare; known(field) asks whether a value is there",
    "contains": _SEARCH,
    "like": _SEARCH,
}
_INSTEAD = {
    "=<": "write <=",
    "=>": "write >=",
    "<>": "write !=",
    "%": "a chance is a number from 0 to 1: write 0.8 for 80 %",
    "=": "write == to compare",
    "!": "write `not`, or != for 'differs'",
    "&": "write `and`",
    "|": "write `or`",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "“": 'write straight quotes: "',
    "”": 'write straight quotes: "',
    "„": 'write straight quotes: "',
    "‘": "write straight quotes: '",
    "’": "write straight quotes: '",
    '"': "close the text with the same quote, on the same line",
    "'": "close the text with the same quote, on the same line",
    "{": "write a list in square brackets",
}
NO_ARITHMETIC = "rules compare values, they do not calculate"
_NO_DIVISION = "rules compare values, they do not divide: there is no answer where the value below is missing or zero"
_SEND_IT = "let the source send the result as a field of its own, such as context.ratio"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in an expression: where (0-based code point, and 1-based line and column), which word, why."""

    offset: int
    line: int
    column: int
    word: str
    detail: str
    suggestion: str | None = None


class InvalidExpression(ValueError):
    """The expression cannot become a rule; `problems` says where and why, in the order of the text."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.line}:{p.column}: {p.detail}" for p in problems))


def problem(text: str, offset: int, word: str, detail: str, suggestion: str | None = None) -> Problem:
    """Make a problem at a code point of the text, finding its line and column."""
    before = text[:offset]
    line_start = before.rfind("\n") + 1
    return Problem(offset, before.count("\n") + 1, offset - line_start + 1, word, detail, suggestion)


def screen(text: str) -> None:
    """Refuse whatever cannot be an expression: too long, too deep, or with a word or sign that has no meaning.

    Raises:
        InvalidExpression: with the first such place.
    """
    if len(text) > MAX_CHARACTERS:
        detail = f"the expression has {len(text)} characters, at most {MAX_CHARACTERS} are allowed: split the rule"
        raise InvalidExpression(problem(text, 0, "", detail))
    position, previous, brackets, prefixes, parts = 0, "", list[tuple[str, int]](), 0, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InvalidExpression(_stray(text, position))
        kind, token = str(match.lastgroup), match.group()
        if kind != "space":
            _meaning(text, position, kind, token, previous)
            _nest(text, position, token, brackets)
            parts += kind == "number" or token in _COMPARING or (kind == "name" and token not in _JOINING)
            prefixes = prefixes + 1 if token in {"not", "-"} else 0
            previous = "word" if token in _WORDS else kind
            if max(len(brackets), prefixes) > MAX_DEPTH or parts > MAX_NODES:
                limit = f"{MAX_NODES} parts" if parts > MAX_NODES else f"{MAX_DEPTH} levels"
                detail = f"the expression has more than {limit}: split the rule"
                raise InvalidExpression(problem(text, position, token, detail))
        position = match.end()
    if brackets:
        opened, offset = brackets[-1]
        raise InvalidExpression(problem(text, offset, opened, f"this {opened} is never closed"))


def on_one_line(text: str) -> str:
    """Give a screened text with a plain space for every space and line break that is not inside a written text."""
    if _OTHER_SPACE.search(text) is None:
        return text
    return "".join(
        match.group() if match.lastgroup == "text" else re.sub(r"\s", " ", match.group())
        for match in _TOKEN.finditer(text)
    )


def _stray(text: str, position: int) -> Problem:
    sign = text[position]
    if sign == "/":
        return problem(text, position, sign, _NO_DIVISION, _SEND_IT)
    if sign in "+*^@":
        return problem(text, position, sign, NO_ARITHMETIC)
    if sign.isdigit():
        word = re.match(r"[\w.]+", text[position:])
        found = word.group() if word else sign
        return problem(text, position, found[:64], f"{found[:64]} is not a number")
    sign = text[position : position + 2] if text[position : position + 2] in _INSTEAD else sign
    shown = sign if sign.isprintable() else f"a hidden character (U+{ord(sign):04X})"
    detail = f"{shown} has no meaning here" if sign not in "\"'" else "this text is never closed"
    return problem(text, position, sign, detail, _INSTEAD.get(sign, "delete it" if shown != sign else None))


def _meaning(text: str, position: int, kind: str, token: str, previous: str) -> None:
    def refuse(detail: str, suggestion: str | None = None) -> InvalidExpression:
        return InvalidExpression(problem(text, position, token[:64], detail, suggestion))

    if kind == "text":
        if previous in {"text", "name"}:
            raise refuse("a text cannot follow here", "put `and`, `or` or a comparison between the two")
        if any(found.group("bad") for found in _ESCAPE.finditer(token)):
            raise refuse("this text holds an escape that has no meaning", r"write \\ for a backslash")
    elif kind == "number" and len(token) > 30:
        raise refuse("this number has too many digits")
    elif kind == "name" and token not in _WORDS:
        if token.casefold() in {"and", "or", "not", "in", "true", "false"}:
            raise refuse(f"{token} is not a word of the rule language", f"did you mean {token.casefold()}?")
        if token in _OTHER_WORDS:
            raise refuse(f"{token} is not a word of the rule language", _OTHER_WORDS[token])
        parts = [part.strip() for part in token.split(".")]
        if len(parts) > 4 or len(token) > 200 or any(keyword.iskeyword(part) for part in parts):
            raise refuse(f"{token[:64]} is not a word of the rule language")


def _nest(text: str, position: int, token: str, brackets: list[tuple[str, int]]) -> None:
    if token in {"(", "["}:
        brackets.append((token, position))
    elif token in {")", "]"} and (not brackets or brackets.pop()[0] != {")": "(", "]": "["}[token]):
        raise InvalidExpression(problem(text, position, token, f"this {token} closes nothing"))
