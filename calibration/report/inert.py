"""Other people's words as they may be shown on a page or a terminal."""

import unicodedata

LONGEST_TEXT = 400  # characters of a customer's text that are shown
_KEPT = {"\u200d", "\n", "\t"}  # the joiner inside emoji, and plain white space


def inert(text: str) -> str:
    """A customer's text as it may be shown: cut, and with control and direction characters made visible.

    >>> inert("abc" + chr(0x202E) + "def")
    'abc[U+202E]def'
    """
    cut = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    return "".join(one if _harmless(one) else f"[U+{ord(one):04X}]" for one in cut)


def inert_line(text: str) -> str:
    """A name as it may be shown within a line: as `inert`, and unable to begin a line of its own.

    >>> inert_line("late" + chr(10) + "promised")
    'late promised'
    """
    return " ".join(inert(text).split())


def _harmless(character: str) -> bool:
    return character in _KEPT or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
