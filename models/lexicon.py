"""The English lexicon: our own words and phrases with their weights, read from `english_lexicon.toml`."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from models.characters import normalise
from models.phrases import Cue
from models.text import Token, tokenise

_FILE = Path(__file__).with_name("english_lexicon.toml")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    words: dict[float, list[str]]
    phrases: dict[float, list[str]]
    emoji: dict[float, list[str]]
    negations: frozenset[str]
    stronger: dict[str, float]
    weaker: dict[str, float]
    contrast: frozenset[str]
    unreal: frozenset[str]
    denials: frozenset[str]
    subjects: frozenset[str]
    cues: dict[
        Literal["settled", "opening", "imperative", "suggestion", "complaint", "praise", "question"],
        dict[float, list[str]],
    ]
    urgency: dict[Literal["high", "low"], dict[float, list[str]]]
    asks: dict[str, list[str]]
    nothing: list[str]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What a word is worth (-4 to 4), what changes it, and which phrases speak for what."""

    valence: Mapping[str, float]
    negations: frozenset[str]
    degree: Mapping[str, float]
    contrast: frozenset[str]
    unreal: frozenset[str]
    denials: frozenset[str]
    subjects: frozenset[str]
    cues: tuple[tuple[Cue, tuple[str, ...]], ...]
    asks: tuple[tuple[Cue, tuple[str, ...]], ...]
    nothing: frozenset[tuple[str, ...]]

    def worth(self, token: Token) -> float:
        """The valence of one word; 'sooo' and 'baaad' are tried with the stretched letter once."""
        found = self.valence.get(token.form)
        if found is None and token.run:
            found = self.valence.get(_squeeze(token.form))
        return found or 0.0


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text without punctuation: what decides whether an answer says nothing."""
    return tuple(token.form for token in tokenise(normalise(text)) if token.form[0].isalnum())


def _squeeze(form: str) -> str:
    return "".join(letter for i, letter in enumerate(form) if i == 0 or letter != form[i - 1])


def _inflected(entry: str) -> Iterator[str]:
    base = entry.removesuffix("~")
    yield base
    if base != entry:
        root = base.removesuffix("e")
        yield from (base + ("es" if base.endswith(("s", "x", "ch", "sh")) else "s"), root + "ed", root + "ing")


def _valences(groups: dict[float, list[str]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for value, entries in groups.items():
        for entry in entries:
            for form in _inflected(entry):
                if found.setdefault(form, value) != value:
                    raise ValueError(f"{_FILE.name}: {form!r} stands under {found[form]} and {value}; keep one.")
    return found


@lru_cache(maxsize=1)
def english() -> Lexicon:
    """The lexicon as shipped.

    Raises:
        ValueError: the file gives a word two valences, or a type or urgency nobody knows.
    """
    file = _File.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))
    cues = [(Cue("tone", "", value), tuple(phrases)) for value, phrases in file.phrases.items()]
    for kind, groups in file.cues.items():
        cues.extend((Cue(kind, kind, weight), tuple(found)) for weight, found in groups.items())
    for label, groups in file.urgency.items():
        cues.extend((Cue("urgency", label, weight), tuple(found)) for weight, found in groups.items())
    return Lexicon(
        valence=_valences(file.words) | _valences(file.emoji),
        negations=file.negations,
        degree=file.stronger | file.weaker,
        contrast=file.contrast,
        unreal=file.unreal,
        denials=file.denials,
        subjects=file.subjects,
        cues=tuple(cues),
        asks=tuple((Cue("ask", label, 1.0), tuple(found)) for label, found in file.asks.items()),
        nothing=frozenset(words_of(phrase) for phrase in file.nothing),
    )
