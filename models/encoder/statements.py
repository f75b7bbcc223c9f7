"""What a stretch of words holds: a tag per token, and spaCy patterns over the tags that make a statement."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from spacy.lang.en.stop_words import STOP_WORDS
from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

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


def _tag(*tags: str, times: str | None = None) -> dict[str, Any]:
    return {"ORTH": {"IN": list(tags)}} | ({"OP": times} if times else {})


# Every repetition is bounded: the matcher's time stays linear in the text.
_PATTERNS: dict[int, list[list[dict[str, Any]]]] = {
    STATEMENT: [
        [_tag("person"), _tag("degree", "function", times="?"), _tag("verb", "negation", *_CONTENT)],
        [_tag("determiner", "article", "demonstrative"), _tag("degree", *_CONTENT, times="{1,3}"), _tag("verb")],
        [_tag("content", "demonstrative"), _tag("verb")],
        [_tag("verb"), _tag("negation")],
        [_tag("verdict-verb"), _tag("determiner", "article", "demonstrative", "person", "content")],
    ],
    VERDICT: [
        [_tag("content"), _tag("degree", "negation", "function", times="{0,2}"), _tag("good", "bad")],
        [_tag("content"), _tag("negation"), _tag("degree"), _tag("degree")],
    ],
    LABEL: [[_tag("good", "bad"), _tag("content")], [_tag("negation"), _tag("content")]],
}


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    lexicon = english()
    known = dict.fromkeys(STOP_WORDS, "function")
    known |= {word: "good" if worth > 0 else "bad" for word, worth in lexicon.valence.items()}
    known |= dict.fromkeys(lexicon.degree, "degree") | dict.fromkeys(lexicon.negations, "negation")
    return known | {word: tag for tag, words in _WORDS.items() for word in words.split()}


@lru_cache(maxsize=1)
def _matcher() -> tuple[Vocab, Matcher, dict[int, int]]:
    """The vocabulary holds our tags and nothing of what customers write, however long the process lives."""
    vocab = Vocab()
    matcher = Matcher(vocab)
    for shape, patterns in _PATTERNS.items():
        matcher.add(f"shape {shape}", patterns)
    return vocab, matcher, {vocab.strings[f"shape {shape}"]: shape for shape in _PATTERNS}


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
    vocab, matcher, shape_of = _matcher()
    found = [0] * len(tags)
    for key, start, _ in matcher(Doc(vocab, words=list(tags))):
        found[start] |= shape_of[key]
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
