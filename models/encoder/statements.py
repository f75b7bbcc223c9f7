"""What a stretch of words holds: a tag per token, and patterns over the tags that make a statement."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from spacy.lang.en.stop_words import STOP_WORDS

from models.lexicon import english
from models.text import Token

CONTRASTS = (
    *("but", "however", "although", "though", "yet", "whereas", "while", "except", "unfortunately", "despite"),
    *("nevertheless", "nonetheless"),
)
_WORDS = {
    "contrast": " ".join(CONTRASTS),
    "clausal": "if when whenever because since unless until after before as once which who whose where how why",
    "person": "i we you they he she it there everything everyone everybody nobody someone nothing",
    "demonstrative": "this that these those",
    "determiner": "the my our your their his her its some every each all",
    "article": "a an",
    "verb": "am is are was were be been has have had do does did can could will would should may might must gets get"
    " got seems seem seemed looks look looked feels takes took works worked keeps kept came comes went goes made makes"
    " needs wants arrived tastes tasted smelled cost costs stopped broke crashes crashed fails failed",
    "report": "think thought believe guess suppose hope wish say said says know knew feel felt",
    "verdict-verb": "love loved hate hated like liked dislike disliked enjoy enjoyed miss adore adored loathe"
    " recommend",
    "and": "and & plus",
    "content": "support quality value price order delivery return returns refund queue birthday party star stars",
}
_CONTENT = ("content", "good", "bad", "verdict-verb")


# What a stretch of words holds, as bits of one number: a sentence's core ('they were late'), a thing and its verdict
# ('food great'), a verdict and its thing ('great food').
STATEMENT, VERDICT, LABEL = 1, 2, 4


_TAGS = (*_WORDS, "function", "good", "bad", "degree", "negation", "mark")
_LETTERS = {tag: chr(ord("a") + place) for place, tag in enumerate(_TAGS)}


def _any(*tags: str) -> str:
    return "[" + "".join(_LETTERS[tag] for tag in tags) + "]"


# Over one letter per tag. Every repetition is bounded: the time stays linear in the text.
_PATTERNS = {
    STATEMENT: (
        _any("person") + _any("degree", "function") + "?" + _any("verb", "negation", *_CONTENT),
        _any("determiner", "article", "demonstrative") + _any("degree", *_CONTENT) + "{1,3}" + _any("verb"),
        _any("content", "demonstrative") + _any("verb"),
        _any("verb") + _any("negation"),
        _any("verdict-verb") + _any("determiner", "article", "demonstrative", "person", "content"),
    ),
    VERDICT: (
        _any("content") + _any("degree", "negation", "function") + "{0,2}" + _any("good", "bad"),
        _any("content") + _any("negation") + _any("degree") + _any("degree"),
    ),
    LABEL: (_any("good", "bad") + _any("content"), _any("negation") + _any("content")),
}
_BEGINS = {shape: re.compile(f"(?={'|'.join(patterns)})") for shape, patterns in _PATTERNS.items()}


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    lexicon = english()
    known = dict.fromkeys(STOP_WORDS, "function")
    known |= {word: "good" if worth > 0 else "bad" for word, worth in lexicon.valence.items()}
    known |= dict.fromkeys(lexicon.degree, "degree") | dict.fromkeys(lexicon.negations, "negation")
    return known | {word: tag for tag, words in _WORDS.items() for word in words.split()}


def tagged(tokens: Sequence[Token]) -> list[str]:
    """One tag per token: 'good', 'bad', 'verb', 'content' and so on; 'mark' for everything that is no word."""
    known, worth = _known(), english().worth
    tags = []
    for token in tokens:
        tag = known.get(token.form)
        if tag is None and token.run and worth(token):
            tag = "good" if worth(token) > 0 else "bad"
        tags.append(tag or ("content" if token.form[0].isalpha() else "mark"))
    return tags


def shapes(tags: Sequence[str]) -> list[int]:
    """For each token the shapes that begin there; none reaches across a mark, a conjunction or a contrast."""
    found = [0] * len(tags)
    letters = "".join([_LETTERS[tag] for tag in tags])
    for shape, begins in _BEGINS.items():
        for match in begins.finditer(letters):
            found[match.start()] |= shape
    return found


def signs(tokens: Sequence[Token], tags: Sequence[str]) -> list[int]:
    """1 for a word that speaks well, -1 for one that speaks badly, turned by a negation up to two tokens before it."""
    worth = english().worth
    found = []
    for place, token in enumerate(tokens):
        value = worth(token) if tags[place] in {"good", "bad", "verdict-verb"} else 0.0
        sign = (value > 0) - (value < 0)
        found.append(-sign if "negation" in tags[max(0, place - 2) : place] else sign)
    return found


def is_emoji(form: str) -> bool:
    """An emoji, another picture, or an emoticon such as ':-)'."""
    return not form[0].isalnum() and (unicodedata.category(form[0]) == "So" or (len(form) > 1 and form[0] not in "$£€"))
