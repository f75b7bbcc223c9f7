"""Patterns of matches(): RE2 only, which takes time in proportion to the text, checked before a policy is published."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, cast

import re2

MAX_PATTERN = 500
_MAX_MEMORY = 256 * 1024  # of a compiled pattern, in bytes
_MAX_CLASSES = 2  # \p{...}: each is hundreds of ranges
_MAX_TOGETHER = 1_000  # characters
_MAX_REPEATS = 200  # all {n} together
_CLASS = re.compile(r"\\[pP]")
_REPEAT = re.compile(r"\{(\d{1,9})(?:,(\d{1,9})?)?\}")
_AROUND = re.compile(r"\(\?(?:[=!>]|<[=!])")
_BACK = re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]|\(\?P[=>]")
_TOO_LARGE = (
    f"the patterns of this rule grow too large: together they may have {_MAX_TOGETHER} characters,"
    f" repeat {_MAX_REPEATS} times and say \\p {_MAX_CLASSES} times"
)
_FEWER = "look for fewer words, or split the rule"


class Pattern(Protocol):
    """A compiled pattern."""

    def search(self, text: str) -> "Found | None": ...


class Found(Protocol):
    """Where a pattern was found."""

    def group(self) -> str: ...


@lru_cache(maxsize=1_024)
def compiled(pattern: str) -> Pattern:
    """Compile a pattern once.

    Raises:
        re2.error: RE2 refuses it.
    """
    options = re2.Options()
    options.max_mem, options.log_errors = _MAX_MEMORY, False
    return cast("Pattern", re2.compile(pattern, options))


def screened(pattern: str, before: Sequence[str]) -> tuple[str, str] | None:
    """Say at once why a pattern cannot be used and what to do, or None; `before` holds the rule's earlier ones."""
    if len(pattern) > MAX_PATTERN:
        return f"this pattern has {len(pattern)} characters, at most {MAX_PATTERN} are allowed", "look for fewer words"
    if "\b" in pattern or "\f" in pattern:
        return "this pattern holds a control character", r"write two backslashes: \\b is the edge of a word"
    if _AROUND.search(pattern):
        return "a pattern cannot look ahead or behind", "write two conditions joined by `and` or `and not`"
    if _BACK.search(pattern):
        return "a pattern cannot refer back to what it found before", "write out what may follow"
    if _too_heavy([*before, pattern]):
        return _TOO_LARGE, _FEWER
    return None


def cost(pattern: str) -> tuple[int, int]:
    """What goes up with the time that compiling takes."""
    return len(_CLASS.findall(pattern)), len(pattern)


def _too_heavy(patterns: Sequence[str]) -> bool:
    repeats = sum(int(found[2] or found[1]) for pattern in patterns for found in _REPEAT.finditer(pattern))
    classes = sum(len(_CLASS.findall(pattern)) for pattern in patterns)
    return repeats > _MAX_REPEATS or classes > _MAX_CLASSES or sum(map(len, patterns)) > _MAX_TOGETHER


def refused(pattern: str) -> tuple[str, str] | None:
    """Say why RE2 does not take a pattern and what to do, or None where it can be used."""
    try:
        regexp = compiled(pattern)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        if "too large" in reason or "repetition size" in reason:
            return _TOO_LARGE, _FEWER
        return f"this is no pattern of RE2: {reason}", r"put a backslash, written \\, before a sign meant as itself"
    if regexp.search("") and regexp.search("\N{SNOWMAN}"):
        return "this pattern is found in every text, so it asks nothing", "look for a | or * too many"
    return None
