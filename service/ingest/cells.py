"""The values of cells: what a person or a program may have written, read in the one way it can be read."""

import re
from datetime import date, datetime

_SHOWN = 40  # characters of a cell that is told again
_PLAIN = re.compile(r"[+-]?\d{1,30}(?:[.,]\d{1,30})?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?P<group>[.,'’ \u00a0\u202f])\d{3})+(?:(?!(?P=group))[.,]\d{1,30})?")
_TWO_WAYS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_NUMBER_AS_TEXT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
_MOST_DIGITS = 15  # what a floating-point number keeps exactly, and Excel at all
_YES = frozenset({"yes", "y", "true", "1", "ja", "j", "si", "sí", "oui", "wahr", "verdadero", "vrai"})
_NO = frozenset({"no", "n", "false", "0", "nein", "non", "falsch", "falso", "faux"})


class Unusable(Exception):
    """The cell cannot be read; the message is a sentence for whoever filled it in."""


class TwoWays(Unusable):
    """The cell can be read in two ways, and nobody but who filled it in knows which is meant."""


def shown(value: object) -> str:
    """The value as it may stand in a sentence."""
    plain = str(value) if not isinstance(value, str) else value[: _SHOWN + 1]
    printable = "".join(one if one.isprintable() else " " for one in plain)
    return f"'{printable[:_SHOWN]}...'" if len(printable) > _SHOWN else f"'{printable}'"


def text(value: object) -> str:
    """A cell as text, as it stands.

    Raises:
        Unusable: it holds what no database text can.
    """
    if not isinstance(value, str):
        return _written(value)
    if "\0" in value:
        raise Unusable("The text holds a NUL character: remove it.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unusable("The text holds half of a surrogate pair: send whole characters.") from None
    return value


def example(value: object) -> str:
    """A cell to be looked at: as it would be stored, or as it came where it cannot be."""
    try:
        return text(value)
    except Unusable:
        return str(value)


def word(value: object) -> str:
    """A cell as a short text: without white space around it."""
    return text(value).strip()


def language(value: object) -> str:
    """A tag such as `pt-BR`, also where it was written `pt_BR`."""
    return word(value).replace("_", "-")


def _written(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case float() if value.is_integer() and abs(value) < 10**_MOST_DIGITS:
            return str(int(value))
        case float() if abs(value) >= 10**_MOST_DIGITS:
            raise Unusable(
                f"This number has more than {_MOST_DIGITS} digits, which Excel does not keep: format the column as"
                " text, and fill it again."
            )
        case _:
            return str(value)


def score(value: object) -> int | float:
    """A number on a short scale: `9`, `9.0`, `4,5`.

    Raises:
        Unusable: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Unusable(f"A number is needed here, not {shown(value)}.")
    if not isinstance(value, str):
        return value
    digits = value.strip()
    if digits.isdecimal() and len(digits) <= _MOST_DIGITS:
        return int(digits)
    if not _PLAIN.fullmatch(digits):
        raise Unusable(f"A number is needed here, not {shown(value)}.")
    return _number(digits.replace(",", "."))


def amount(value: object) -> int | float:
    """A number of any size, also with its thousands apart: `1,250.50`, `1.250,50`, `12500`.

    Raises:
        Unusable: it is none, or can be read in two ways (`1,250`).
    """
    if not isinstance(value, str):
        return score(value)
    digits = value.strip()
    if _TWO_WAYS.fullmatch(digits):
        raise TwoWays(
            f"The number {shown(digits)} can be read in two ways: write {re.sub('[.,]', '', digits)}"
            f" or {digits.replace(',', '.')}0."
        )
    grouped = _GROUPED.fullmatch(digits)
    return score(digits.replace(grouped["group"], "") if grouped else digits)


def _number(digits: str) -> int | float:
    return float(digits) if "." in digits else int(digits)


def flag(value: object) -> bool:
    """Yes or no, in the words that survey tools write.

    Raises:
        Unusable: it is neither.
    """
    if isinstance(value, bool):
        return value
    said = word(value).lower()
    if said in _YES:
        return True
    if said in _NO:
        return False
    raise Unusable(f"Yes or no is needed here, not {shown(value)}.")


def scalar(value: object) -> str | int | float | bool:
    """What somebody keeps beside an answer, of the type it has."""
    return value if isinstance(value, (bool, int, float)) else text(value)


def guessed_scalar(value: object) -> str | int | float | bool:
    """The same for a text that may be a number; one that reads like an id (`007`, 16 digits) stays a text."""
    if not isinstance(value, str):
        return scalar(value)
    plain = text(value).strip()
    if plain[-1:].isdigit() and _NUMBER_AS_TEXT.fullmatch(plain) and len(plain.strip("-").replace(".", "")) <= 15:
        return _number(plain)
    return plain
