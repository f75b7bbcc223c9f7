"""Patterns of words with gaps and choices, found in one pass: each token becomes one letter, each pattern a regex."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from models.characters import normalise
from models.phrases import Cue, Hit
from models.text import Token, tokenise

_ENDS = ".!?…\n"
_PART = re.compile(r"\{(?P<list>\w+)\}|~(?P<gap>\d)|(?P<sign>[()|?^])|(?P<word>[^\s(){}|?^~]+)|\s+")
_AMOUNT = re.compile(r"([$£€]?)(\d{1,9})(?:[.,:/]\d+)*")
_SPAN = re.compile(r"\d+(?:mins?|minutes?|hrs?|hours?|h|days?|wks?|weeks?)")
_BUILT_IN = ("<few>", "<many>", "<money>", "<span>")
_MANY = 15
_END, _OTHER, _FIRST = "!", "_", 0xE000  # a private range of Unicode has one letter for every word of ours


class Patterns:
    """Finds patterns such as `{nobody} ~2 {answers}` in the tokens of a text.

    A pattern is made of words (matched by stem), `{lists}` of words or of further patterns, choices `(a|b c)`, `?`
    after what may be missing, `~3` for up to three words of any kind, and `^` for the start of a sentence. No match
    leaves its sentence, and a gap holds no word of the list `shield`. Built-in words stand for numbers below and from
    15 (`<few>`, `<many>`), an amount with its currency sign (`<money>`), and '45min' (`<span>`).
    """

    def __init__(self, lists: Mapping[str, Sequence[str]], patterns: Iterable[tuple[Cue, Sequence[str]]]) -> None:
        self._letters: dict[str, str] = dict.fromkeys(_ENDS, _END)
        for word in _BUILT_IN:
            self._letter(word)
        self._lists: dict[str, str] = {}
        self._words: dict[str, str] = {}
        shield = "".join(self._word(word) for word in lists["shield"])
        self._gap = f"[^{_END}{shield}]"
        for name, entries in lists.items():
            self._lists[name] = _choice(self._entries(entries))
        self._regexes = [(cue, re.compile(_looking_ahead(self._entries(group)))) for cue, group in patterns]

    def find(self, tokens: Sequence[Token]) -> Iterator[Hit]:
        """The hits of every cue in order of the cues; those of one cue do not overlap."""
        letters = self._letters
        text = "".join([letters.get(token.stem) or letters.get(_kind(token.form), _OTHER) for token in tokens])
        for cue, regex in self._regexes:
            for match in regex.finditer(text):
                yield Hit(cue, match.start(), match.end())

    def _letter(self, stem: str) -> str:
        return self._letters.setdefault(stem, chr(_FIRST + len(self._letters)))

    def _word(self, word: str) -> str:
        if word in _BUILT_IN:
            return self._letters[word]
        found = self._words.get(word)
        if found is None:
            found = "".join(self._letter(token.stem) for token in tokenise(normalise(word)))
            self._words[word] = found
        return found

    def _entries(self, patterns: Sequence[str]) -> list[str]:
        return [self._compile(pattern) for pattern in patterns]

    def _compile(self, pattern: str) -> str:
        found = []
        for part in _PART.finditer(pattern):
            if part["list"]:
                found.append(self._lists[part["list"]])
            elif part["gap"]:
                found.append(f"{self._gap}{{0,{part['gap']}}}?")
            elif part["sign"]:
                found.append({"(": "(?:", "^": f"(?<![^{_END}])"}.get(part["sign"], part["sign"]))
            elif part["word"]:
                found.append(self._word(part["word"]))
        return "".join(found)


def _choice(entries: Sequence[str]) -> str:
    """Single words become one class of letters, which is much faster than a choice."""
    letters = "".join(sorted({entry for entry in entries if len(entry) == 1}))
    return "(?:" + "|".join([*([f"[{letters}]"] if letters else []), *(one for one in entries if len(one) > 1)]) + ")"


def _looking_ahead(entries: Sequence[str]) -> str:
    """A choice behind a look at one letter, which spares most places the choice between all patterns."""
    letters = {letter for entry in entries for letter in _opening(entry)}
    return "(?=[" + "".join(sorted(letters)) + "])" + _choice(entries)


def _kind(form: str) -> str:
    """Which built-in word a token stands for, if any."""
    if form[0].isalpha():
        return ""
    amount = _AMOUNT.fullmatch(form)
    if amount:
        return "<money>" if amount[1] else "<many>" if int(amount[2]) >= _MANY else "<few>"
    return "<span>" if _SPAN.fullmatch(form) else ""


def _opening(regex: str) -> set[str]:
    """The letters of the first part that a match cannot do without, and of those before it."""
    letters: set[str] = set()
    depth = 0
    for sign, following in zip(regex, regex[1:] + " ", strict=True):
        depth += (sign in "([") - (sign in ")]")
        if ord(sign) >= _FIRST:
            letters.add(sign)
        if letters and not depth and sign != "?" and following != "?":
            break
    return letters
