"""What the model must not judge: other languages, answers that say nothing, other people's words."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from spacy.lang.en.stop_words import STOP_WORDS

from models.encoder.own_words import own_words
from models.encoder.segments import Segment
from models.encoder.statements import is_emoji
from models.lexicon import english
from models.prediction import AbstainReason, Verbatim
from models.text import Language, Token, Tokenised, declared, detect, tokenise, tokenised

_FEW_WORDS = 3
_LONGEST_WORD = 40  # code points
_SURE = 0.97
_ADDRESS = re.compile(r"(?<!\S)[^\s@]{1,64}@[\w-]{1,64}\.\S+|(?:https?://|www\.)\S+", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z]\w{0,15} ?/?>|</?3")
_CODE_MARK = re.compile(r"[{}<>=;|\\\[\]*+]|(?<=\w)\(|(?<=\w)\.(?=[a-z_])")
_REFERENCE = frozenset(
    {"order", "number", "no", "nr", "ref", "reference", "ticket", "case", "invoice", "id", "account", "booking", "tel"}
    | {"telephone", "phone", "mobile", "cell", "email", "mail", "e", "tracking", "po", "is", "my", "the", "customer"}
)
_FOR_NOW = (
    ("that", "i", "can", "think", "of"),
    ("at", "the", "moment"),
    ("at", "this", "time"),
    ("at", "present"),
    ("at", "all"),
    ("as", "of", "now"),
    ("right", "now"),
    ("for", "now"),
    ("for", "me"),
    ("so", "far"),
    ("thank", "you"),
    ("thanks",),
    ("currently",),
    ("today",),
    ("really",),
    ("sorry",),
    ("yet",),
)
_UNSPEAKABLE = re.compile(r"[^aeiouyàâäéèêëíîïóôöúûü]{5}|(?<![aeiouy])[^\Waeiouy]{2,}(?![aeiouy])\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a text is before anybody judges it: its language, its writer's own words, and why to abstain, if so.

    `abstain` says 'out-of-domain' of program code only: all else takes the vector (models/encoder/domain.py). `whole`
    is the share of words that the encoder's vocabulary holds in one piece: English .9 and more, other languages .4.
    `words` is the text that was looked at, for all who read it next.
    """

    language: Language
    own: tuple[Segment, ...]
    abstain: AbstainReason | None
    whole: float
    words: Tokenised


def limits(verbatim: Verbatim, pieces: Sequence[tuple[int, int]]) -> Limits:
    """Look at a text before it is judged.

    Args:
        verbatim: the text as given, its question and the language its source declared.
        pieces: the code points of each token of the encoder (`Tokens.offsets`), in order.
    """
    given = tokenised(verbatim.text)
    text, own = given.text, tuple(own_words(given.text))
    tokens = [token for token in given.tokens if _within(token, own)]
    words = [token for token in tokens if token.form[0].isalpha()]
    known = [_known(text, word, pieces) for word in words]
    whole = sum(known) / len(known) if known else 1.0
    said = "\n".join(text[one.start : one.end] for one in own)
    language, foreign = _language(said, tokens, declared(verbatim.language), whole)
    reason: AbstainReason | None = None
    if not own and any(letter.isalnum() for letter in text):
        reason = "quote"
    elif not any(_speaks(token) for token in tokens) and not any(letter.isalnum() for letter in said):
        reason = "empty"
    elif _is_code(said):
        reason = "out-of-domain"
    elif foreign:
        reason = "language"
    elif _says_nothing(said, tokens, known, verbatim.question):
        reason = "short"
    return Limits(language, own, reason, whole, given)


def _within(token: Token, own: Sequence[Segment]) -> bool:
    place = bisect_right(own, token.start, key=lambda one: one.start) - 1
    return place >= 0 and token.start < own[place].end


def _known(text: str, word: Token, pieces: Sequence[tuple[int, int]]) -> bool:
    """Whether the vocabulary holds a word in one piece; contractions and words with a worth count as held."""
    if "'" in text[word.start : word.end] or english().worth(word):
        return True
    first = bisect_left(pieces, (word.start, word.start))
    one_piece = first < len(pieces) and pieces[first] == (word.start, word.end)
    return one_piece and word.end - word.start <= _LONGEST_WORD  # beyond it the vocabulary has one piece for everything


def _language(said: str, tokens: list[Token], given: Language | None, whole: float) -> tuple[Language, bool]:
    """The language, and whether it is certainly not English.

    The identifier takes short English for French and short German for English; how the vocabulary breaks the words
    decides where it is in doubt. A source that declares English for all its answers is believed until the words and
    the identifier agree against it.
    """
    guess = detect(said, tokens)
    words = [token for token in tokens if token.form[0].isalpha()]
    foreign = guess.code not in {"en", "und"}
    if given and given.code != "en":
        return given, True
    if given:
        sure = foreign and guess.probability >= 0.9 and whole < 0.7 and len(words) > _FEW_WORDS
        return (guess, True) if sure else (given, False)
    if foreign:
        doubted = whole == 1.0 and guess.probability < _SURE
        return (Language("und", 1 - guess.probability), False) if doubted else (guess, True)
    english_words = sum(token.form in STOP_WORDS or bool(english().worth(token)) for token in words)
    if guess.code == "en" and english_words * 4 >= len(words):
        return guess, False
    accented = not english_words and len(words) > 1 and any(_has_accent(token.form) for token in words)
    least = _least_whole(len(words), english_words if guess.code == "und" else 1)
    return (Language("und", 1 - whole), True) if accented or whole < least else (guess, False)


def _least_whole(words: int, english_words: int) -> float:
    """Below this share of words in one piece a text is no English; measured on surveys, reviews and tweets."""
    if words <= 1:
        return 0.0
    if not english_words:
        return 0.34 if words < _FEW_WORDS else 0.81
    return 0.34 if words <= _FEW_WORDS else 0.67


def _is_code(said: str) -> bool:
    """Program code by its marks: several kinds of them, and about one to three words."""
    if len(set(_CODE_MARK.findall(said))) < 3:  # what stands in addresses and tags would only come off
        return False
    prose = _TAG.sub(" ", _ADDRESS.sub(" ", said))
    marks = _CODE_MARK.findall(prose)
    return len(set(marks)) > 2 and len(marks) >= 0.3 * len(re.findall(r"\w+", prose))


def _has_accent(form: str) -> bool:
    return any(letter > "\u00bf" for letter in form)


def _speaks(token: Token) -> bool:
    return token.form[0].isalnum() or is_emoji(token.form)


def _says_nothing(said: str, tokens: Sequence[Token], known: Sequence[bool], question: str | None) -> bool:
    """Whole answers that decide nothing, bare numbers, addresses and references, pictures alone, keys hit at random."""
    words = tuple(token.form for token in tokens if token.form[0].isalnum())
    if _without(_FOR_NOW, words) in english().nothing or words in english().nothing:
        return True
    if any(english().worth(token) for token in tokens if token.form[0].isalnum()):
        return False
    if _is_reference(said, tokens):
        return True
    if len(words) > _FEW_WORDS and len(set(words)) == 1:
        return True
    if len(words) > _FEW_WORDS or any(known):
        return False
    return not question or not any(len(word) > _FEW_WORDS and not _UNSPEAKABLE.search(word) for word in words)


def _without(endings: Sequence[tuple[str, ...]], words: tuple[str, ...]) -> tuple[str, ...]:
    """The words without such endings: 'none at the moment thanks' is 'none'."""
    for _ in range(len(words)):
        ending = next((one for one in endings if len(one) < len(words) and words[-len(one) :] == one), None)
        if ending is None:
            break
        words = words[: -len(ending)]
    return words


def _is_reference(said: str, tokens: Sequence[Token]) -> bool:
    """Nothing but addresses, numbers and what they are called: 'Order no. AB-1234', 'www.example.com'."""
    bare = tokenise(_ADDRESS.sub(" ", said)) if _ADDRESS.search(said) else tokens
    words = [token for token in bare if token.form[0].isalnum()]
    numbered = len(words) < len([token for token in tokens if token.form[0].isalnum()]) or bare is not tokens
    numbered = numbered or not words or any(_has_digit(word) for word in words)
    return numbered and all(
        word.form in _REFERENCE or _has_digit(word) or (word.loud and len(word.form) <= _FEW_WORDS) for word in words
    )


def _has_digit(token: Token) -> bool:
    return any(letter.isdigit() for letter in token.form)
