"""Normalised text cut into tokens, stemmed; and its language."""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from spacy.lang.en.stop_words import STOP_WORDS

from models.characters import HIDDEN, MAX_CODE_POINTS, normalise

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_LONGEST_WORD = 40  # NFKC is quadratic in a run of combining marks, and no word we know is longer
_LANGUAGE_SAMPLE = 1_000


class Token(NamedTuple):
    """A word, emoticon or punctuation mark: `start` to `end` are code points of the text as given.

    `form` is lower case, without contractions (`can't` makes two tokens over the same code points) and with at
    most two of a repeated letter; `stem` is what phrases are matched on; `run` is the length of '!!!'
    or the number of letters too many in 'sooooo'.
    """

    form: str
    stem: str
    start: int
    end: int
    loud: bool = False
    run: int = 0


# `plain` is what most words are: `word` would take the same letters, after all that comes before it was tried.
_TOKEN = re.compile(
    r"""
    (?P<plain>[a-z]+(?=[ ,!?]))
  | (?P<skip>https?://\S+|www\.\S+|</?[a-zA-Z!][^<>\n]{0,200}>|&(?:[a-z]{2,6}|\#\d{1,6});|(?<!\w)@\w+)
  | (?P<face>(?<![\w:;=])[:;=]['\-o^]?[()\[\]dDpP/\\|*3@](?!\w)|</?3|\^_\^|-_-)
  | (?P<short>\b(?:e\.g|i\.e|a\.m|p\.m|mr|mrs|ms|dr|prof|vs|approx|etc)\.(?=\s+[a-z0-9A-Z]))
  | (?P<word>(?:[^\W\d_]|\d++[^\W\d_])(?:[\w\u0300-\u036f\u200b]|'(?=[^\W\d_]))*)
  | (?P<number>[$£€]?\d+(?:[.,:/]\d+)*)
  | (?P<line>\n\s*)
  | (?P<mark>[!?]+|\.{2,}|…|[.,;:()"—–]|(?<=\s)-(?=\s))
  | (?P<other>[^\s\u200b\u0300-\u036f\ufe0e\ufe0f'#*_\-])
    """,
    re.VERBOSE | re.IGNORECASE,
)

_SPELLING = Path(__file__).with_name("english_spelling.toml")
_ENDINGS = {"n't": " not", "'d": " would", "'ll": " will", "'ve": " have", "'m": " am", "'re": " are", "'s": ""}
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")


@lru_cache(maxsize=1)
def _spelled() -> dict[str, str]:
    """What short forms and common misspellings stand for."""
    file = tomllib.loads(_SPELLING.read_text(encoding="utf-8"))
    meant = {wrong: right for right, forms in file["misspelt"].items() for wrong in forms}
    spoken: dict[str, str] = file["spoken"]
    return {wrong: spoken.get(right, right) for wrong, right in meant.items()} | spoken


@lru_cache(maxsize=1 << 16)
def _word(raw: str) -> tuple[tuple[str, str, int], ...]:
    plain = unicodedata.normalize("NFKC", raw[:_LONGEST_WORD]).lower().replace(HIDDEN, "")
    form = _STRETCHED.sub(r"\1\1", plain)
    run = len(plain) - len(form)
    form = _spelled().get(form, form)
    for ending, spelled in _ENDINGS.items():
        if form.endswith(ending):
            form = form[: -len(ending)] + spelled
            break
    return tuple((part, stem(part), run) for part in form.split())


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The word without plural and verb endings: `parcels` and `parcel`, `arrived` and `arriving` meet.

    Both sides of every comparison go through it, so only collisions matter, not beauty: it takes the endings off
    that Porter's first step does ("An algorithm for suffix stripping", 1980) and leaves short stems alone.
    """
    if len(word) > 4 and word.endswith(("ies", "ied")):
        word = word[:-3] + "y"
    elif len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes", "zes")):
        word = word[:-2]
    elif len(word) > 3 and word[-1] == "s" and word[-2] not in "siu":
        word = word[:-1]
    else:
        for ending in ("ing", "ed"):
            kept = word.removesuffix(ending)
            if kept != word and (len(kept) > 3 or (len(kept) == 3 and kept[-1] in "xydk")):
                word = kept
                break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word[-1] == "e" else word


def tokenise(text: str) -> list[Token]:
    """The tokens of a normalised text in order; links, HTML tags and @names are left out."""
    tokens: list[Token] = []
    add = tokens.append
    for match in _TOKEN.finditer(text):
        kind, raw, (start, end) = match.lastgroup, match.group(), match.span()
        if kind in {"plain", "word"}:
            loud = raw.isupper() and len(raw) > 1
            for form, stemmed, run in _word(raw):
                add(Token(form, stemmed, start, end, loud, run))
        elif kind == "mark":
            mark = "?" if "?" in raw else "…" if raw.startswith("..") else raw[0]
            add(Token(mark, mark, start, end, run=len(raw)))
        elif kind == "line":
            if raw.count("\n") > 1 or not text[end : end + 1].islower():
                add(Token("\n", "\n", start, start + 1))
        elif kind != "skip":
            add(Token(raw.lower(), raw.lower(), start, end))
    return tokens


@dataclass(frozen=True, slots=True)
class Tokenised:
    """A normalised text and its tokens: made once and handed on, as all that is read of a text begins with them."""

    text: str
    tokens: Sequence[Token]


def tokenised(text: str) -> Tokenised:
    """As much of a text as is read, MAX_CODE_POINTS of it."""
    plain = normalise(text[:MAX_CODE_POINTS])
    return Tokenised(plain, tokenise(plain))


@dataclass(frozen=True, slots=True)
class Language:
    """An ISO 639-1 code ('und' when nothing can be said) and how likely it is."""

    code: str
    probability: float


_LANGUAGES = ("ar", "cs", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "zh")
_ISO_639_3 = {"eng": "en", "deu": "de", "fra": "fr", "spa": "es", "ita": "it", "por": "pt", "nld": "nl"}
# English words that are common words elsewhere too say nothing about the language.
_AMBIGUOUS = frozenset(
    {"a", "also", "am", "an", "are", "as", "at", "be", "by", "come", "do", "former", "go", "he", "hers", "i", "if"}
    | {"in", "is", "it", "me", "my", "no", "of", "on", "one", "or", "per", "see", "so", "to", "under", "us", "via"}
    | {"was", "we"}
)
_ENGLISH = (STOP_WORDS - _AMBIGUOUS) | frozenset(
    {"bad", "good", "great", "help", "like", "love", "need", "please", "thank", "thanks", "time", "want", "work"}
)


@lru_cache(maxsize=1)
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import LanguageIdentifier  # noqa: PLC0415 (most English texts do without it)

    identifier = LanguageIdentifier.from_model_file("data/model.npz.xz", norm_probs=True)
    identifier.set_languages(list(_LANGUAGES))
    return identifier


def declared(tag: str | None) -> Language | None:
    """The language a source declared (BCP 47: `fr-CA` is `fr`), or None if it declared none that means anything."""
    code = re.split(r"[-_]", (tag or "").strip().lower())[0]
    code = _ISO_639_3.get(code, code)
    if not re.fullmatch(r"[a-z]{2,3}", code) or code in {"und", "mul", "zxx", "mis"}:
        return None
    return Language(code, 1.0)


def detect(text: str, tokens: Sequence[Token]) -> Language:
    """The language of a normalised text.

    English words outvote the identifier, which takes short and misspelt English for Dutch or Swedish; a Latin
    text of under 20 letters is called foreign only when it is sure.
    """
    words = [token.form for token in tokens if token.form[0].isalpha()]
    letters = sum(map(len, words))
    if not letters:
        return Language("und", 0.0)
    known = sum(word in _ENGLISH for word in words)
    if known > 1 and known * 5 >= len(words):
        return Language("en", min(0.99, 0.7 + 0.05 * known))
    shares = dict(_identifier().rank(text[:_LANGUAGE_SAMPLE]))
    latin = sum(len(word) for word in words if word[0] < "\u0250")
    if latin * 2 < letters and letters > 1:
        code = max((name for name in shares if name != "en"), key=shares.__getitem__)
        return Language(code, max(shares[code], 0.9))
    code = max(shares, key=shares.__getitem__)
    if code == "en" or known * 5 >= len(words):
        return Language("en", max(shares["en"], 0.6 + 0.1 * known))
    if shares[code] >= (0.97 if letters < 20 else 0.5):
        return Language(code, shares[code])
    return Language("und", shares[code])
