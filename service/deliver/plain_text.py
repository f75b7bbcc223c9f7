"""Strangers' text made safe to show: hidden characters become visible, lines become one, secrets go."""

import re
import unicodedata
from collections.abc import Sequence

_NAMES = {
    "\u061c": "ALM",
    "\u200b": "ZWSP",
    "\u200e": "LRM",
    "\u200f": "RLM",
    "\u202a": "LRE",
    "\u202b": "RLE",
    "\u202c": "PDF",
    "\u202d": "LRO",
    "\u202e": "RLO",
    "\u2060": "WJ",
    "\u2066": "LRI",
    "\u2067": "RLI",
    "\u2068": "FSI",
    "\u2069": "PDI",
    "\ufeff": "BOM",
}
_JOINERS = frozenset("\u200c\u200d")  # emoji and several scripts cannot be written without them
_TOKEN = re.compile(r"(?:bearer|basic)\s+[^\s\"',;<>]+|eyJ[\w.-]{8,}|[\w+/=.-]{24,}", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>\"']{1,64}@[^\s@<>\"']{1,255}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def visible(text: str) -> str:
    """Control, direction and invisible characters as ⟦RLO⟧ or ⟦U+001B⟧; lines, tabs and joiners stay."""
    if text.isprintable():  # nothing of the kind in it: most texts, a hundred times as fast
        return text
    return "".join(map(_shown, text.replace("\r\n", "\n")))


def one_line(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters, hidden characters made visible, cut at a word with `…`."""
    line = " ".join(visible(text[: 4 * limit + 100]).split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    at_word = cut[: cut.rfind(" ")] if " " in cut[limit // 2 :] else cut
    return at_word.rstrip() + "…"


def excerpt(body: bytes, secrets: Sequence[str], limit: int = 300) -> str:
    """The start of a stranger's answer for our log, without our secrets, anything like a token, or an address."""
    text = body[:8192].decode("utf-8", "replace")
    for secret in secrets:
        text = text.replace(secret, "[redacted]")
    return one_line(_ADDRESS.sub("[address]", _TOKEN.sub(_unless_uuid, text)), limit)


def _shown(char: str) -> str:
    if char in "\n\t" or char in _JOINERS or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return char
    return f"⟦{_NAMES.get(char) or f'U+{ord(char):04X}'}⟧"


def _unless_uuid(match: re.Match[str]) -> str:
    return match[0] if _UUID.fullmatch(match[0]) else "[redacted]"
