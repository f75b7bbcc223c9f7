"""The parts of a policy in words of people: fields, beliefs, values, lengths of time and conditions. Pure."""

import re
from collections.abc import Mapping, Sequence

from service.route.clocks import ALWAYS, Duration
from service.route.expression import (
    OPPOSITE,
    And,
    Compare,
    CountRecent,
    DaysSinceLast,
    Expression,
    FieldOf,
    Fixed,
    Known,
    Matches,
    Not,
    OneOf,
    Operand,
    Or,
    ThresholdOf,
    TopicOf,
    Verbatims,
)

KINDS: Mapping[str, str] = {
    "follow_up": "Follow-up",
    "ticket": "Ticket",
    "quality_case": "Quality case",
    "backlog_item": "Idea",
    "review": "Review",
}
FIELDS: Mapping[str, str] = {
    "source": "the source",
    "language": "the language",
    "text": "the text",
    "scores.nps": "NPS",
    "scores.csat": "satisfaction",
    "scores.ces": "the effort score (CES)",
    "scores.stars": "the number of stars",
    "customer.id": "the customer",
    "customer.tier": "the customer's tier",
    "customer.region": "the customer's region",
    "customer.account_value": "the account's value",
}
BELIEFS: Mapping[str, tuple[str, str]] = {
    "sentiment.negative": ("sounds negative", "does not sound negative"),
    "sentiment.neutral": ("sounds neutral", "does not sound neutral"),
    "sentiment.positive": ("sounds positive", "does not sound positive"),
    "type.complaint": ("is a complaint", "is no complaint"),
    "type.suggestion": ("makes a suggestion", "makes no suggestion"),
    "type.praise": ("is praise", "is no praise"),
    "type.question": ("asks a question", "asks no question"),
    "urgency.low": ("can wait", "cannot wait"),
    "urgency.normal": ("is as urgent as most", "is not as urgent as most"),
    "urgency.high": ("is urgent", "is not urgent"),
}
BOUNDS: Mapping[str, str] = {
    "<": "less than {}",
    "<=": "{} or less",
    ">": "more than {}",
    ">=": "{} or more",
    "==": "{}",
    "!=": "anything but {}",
}
_BESIDE: Mapping[str, str] = {"<=": "at most {}", ">=": "at least {}"}  # before what is no plain value
TURNED: Mapping[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_WORDS = re.compile(r"(?P<any>\(\?i\))?(?P<words>\w[\w '-]*(?:\|\w[\w '-]*)*)")
_UNITS: Mapping[str, tuple[str, str]] = {"m": ("minute", "minutes"), "h": ("hour", "hours"), "d": ("day", "days")}

_LANGUAGES: Mapping[str, str] = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "und": "no known language",
    "zh": "Chinese",
}


def sure(probability: float) -> str:
    """How sure the classifier is, in words.

    >>> [sure(p) for p in (0.99, 0.8, 0.62, 0.4)]
    ['very sure', 'fairly sure', 'not very sure', 'a guess']
    """
    steps = ((0.9, "very sure"), (0.75, "fairly sure"), (0.55, "not very sure"))
    return next((said for least, said in steps if probability >= least), "a guess")


def number(value: float) -> str:
    """A number as people write it: thousands apart, no needless decimals."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}".rstrip("0").rstrip(".")


def exactly(value: float) -> str:
    """A number of a policy: thousands apart, and every decimal that was written, for rules hang on them."""
    return f"{value:,}".removesuffix(".0")


def language(code: str | None) -> str:
    """A language's name, where it has one here.

    >>> language("en"), language("und"), language("mt")
    ('English', 'no known language', 'mt')
    """
    return _LANGUAGES.get(code or "und", code or "")


def percent(share: float) -> str:
    """A share of one as a percentage, exactly.

    >>> percent(0.07), percent(0.9999)
    ('7 %', '99.99 %')
    """
    return f"{exactly(round(100 * share, 10))} %"


def listed(parts: Sequence[str], word: str) -> str:
    """`a, b and c`; one part stands alone.

    >>> listed(["ana"], "and"), listed(["ana", "jan", "mia"], "or")
    ('ana', 'ana, jan or mia')
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def sentence(text: str) -> str:
    """The same with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def a_kind(kind: str) -> str:
    """A kind of work item with its article: `an idea`."""
    name = KINDS.get(kind, kind).lower()
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def kinds_of(kinds: Sequence[str]) -> str:
    """Several kinds of work item: `a follow-up and a ticket`, `nothing`."""
    return listed([a_kind(kind) for kind in kinds], "and") if kinds else "nothing"


def length(time: Duration, calendar: str) -> str:
    """A length of time on a calendar.

    >>> length(Duration(amount=2, unit="d"), "emea"), length(Duration(amount=1, unit="h"), "always")
    ('2 working days', '1 hour')
    """
    unit = _UNITS[time.unit][time.amount != 1]
    return f"{time.amount:,} {unit if calendar == ALWAYS else f'working {unit}'}"


def field_words(name: str) -> str:
    """A field as people call it: `NPS`, `site`."""
    return FIELDS.get(name) or name.removeprefix("context.").removeprefix("customer.attributes.").replace("_", " ")


def same_words(name: str) -> str:
    """A field that two items have in common: `the same site`, `the same region of the customer`."""
    words = field_words(name)
    whose = words.removeprefix("the customer's ")
    return f"the same {words.removeprefix('the ') if whose == words else f'{whose} of the customer'}"


def value_words(value: object) -> str:
    """A written value, on one line and with nothing hidden in it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return exactly(value)
    text = " ".join(str(value).split())
    return (text if text.isprintable() else ascii(text)) or "empty"


def condition(tree: Expression) -> str:
    """A condition in words: `NPS is 6 or less, or satisfaction is 2 or less`.

    What a `not` stands before is said the other way round, which in three-valued logic too is the same.
    """
    return _asserted(tree)


def clause(tree: Expression) -> str:
    """A condition in words that can stand inside another: in brackets where it has several parts."""
    return _bracketed(tree, _asserted(tree))


def bound(tree: Expression) -> tuple[str, str] | None:
    """A comparison of a score or another plain field with a value, as `("NPS", "6 or less")`; None for the rest."""
    if isinstance(tree, Compare) and isinstance(tree.left, FieldOf) and isinstance(tree.right, Fixed):
        if tree.left.name in BELIEFS:
            return None
        return field_words(tree.left.name), BOUNDS[tree.op].format(value_words(tree.right.value))
    return None


def _asserted(tree: Expression) -> str:
    if isinstance(tree, Not):
        return _denied(tree.item)
    if isinstance(tree, And | Or):
        word = ", and " if isinstance(tree, And) else ", or "
        return word.join(_bracketed(item, _asserted(item)) for item in tree.items)
    if isinstance(tree, Compare):
        return _compared(tree.left, tree.op, tree.right)
    if isinstance(tree, OneOf):
        return _one_of(tree, tree.op)
    if isinstance(tree, Known):
        return f"{_what(tree.item)} is known"
    if isinstance(tree, Matches):
        return f"{operand_words(tree.item)} {_found(tree.pattern, 'contains', 'or')}"
    return _holds(tree.item, "yes", "always")


def _denied(tree: Expression) -> str:
    if isinstance(tree, Not):
        return _asserted(tree.item)
    if isinstance(tree, And | Or):
        word = ", or " if isinstance(tree, And) else ", and "
        return word.join(_bracketed(item, _denied(item)) for item in tree.items)
    if isinstance(tree, Compare):
        return _compared(tree.left, OPPOSITE[tree.op], tree.right)
    if isinstance(tree, OneOf):
        return _one_of(tree, "in" if tree.op == "not in" else "not in")
    if isinstance(tree, Known):
        return f"{_what(tree.item)} is not known"
    if isinstance(tree, Matches):
        return f"{operand_words(tree.item)} {_found(tree.pattern, 'does not contain', 'or')}"
    return _holds(tree.item, "no", "never")


def _bracketed(tree: Expression, said: str) -> str:
    inside = tree.item if isinstance(tree, Not) else tree
    return f"({said})" if isinstance(inside, And | Or) else said


def _compared(left: Operand, sign: str, right: Operand) -> str:
    if isinstance(left, Fixed | ThresholdOf) and not isinstance(right, Fixed | ThresholdOf):
        left, sign, right = right, TURNED[sign], left
    belief = _belief(left)
    if belief is not None:
        return _believed(belief, sign, right)
    if sign in {"==", "!="}:
        return f"{operand_words(left)} is {'' if sign == '==' else 'not '}{operand_words(right)}"
    form = BOUNDS[sign] if isinstance(right, Fixed) else _BESIDE.get(sign, BOUNDS[sign])
    return f"{operand_words(left)} is {form.format(operand_words(right))}"


def _found(pattern: str, verb: str, word: str) -> str:
    """What is looked for: the words themselves where the pattern only lists words."""
    found = _WORDS.fullmatch(pattern)
    if found is None:
        return f"{verb} what the pattern {value_words(pattern)} stands for"
    quoted = [f'"{one}"' for one in found["words"].split("|")]
    return f"{verb} {listed(quoted, word)}{', in capitals or not' if found['any'] else ''}"


def _believed(belief: tuple[str, str], sign: str, right: Operand) -> str:
    if isinstance(right, ThresholdOf) and sign in {">", ">="}:
        enough = "sure enough for" if sign == ">=" else "surer than"
        return f"the text {belief[0]} ({enough} the threshold {right.name})"
    limit = right.value if isinstance(right, Fixed) else None
    if isinstance(limit, int | float) and sign in {">", ">="} and limit >= 0.5:
        least = "at least" if sign == ">=" else "more than"
        return f"the text {belief[0]} ({least} {percent(limit)} sure)"
    wanted = percent(limit) if isinstance(limit, int | float) else operand_words(right)
    form = BOUNDS[sign] if isinstance(right, Fixed) else _BESIDE.get(sign, BOUNDS[sign])
    return f"the chance that the text {belief[0]} is {form.format(wanted)}"


def _one_of(tree: OneOf, op: str) -> str:
    values = [value_words(value.value) for value in tree.values]
    if op == "in":
        return f"{operand_words(tree.item)} is {listed(values, 'or')}"
    return (
        f"{operand_words(tree.item)} is not {values[0]}"
        if len(values) == 1
        else f"{operand_words(tree.item)} is none of {listed(values, 'and')}"
    )


def _holds(item: Operand, answer: str, constant: str) -> str:
    if isinstance(item, Fixed):
        return constant if item.value else {"always": "never", "never": "always"}[constant]
    return f"{operand_words(item)} is {answer}"


def _belief(item: Operand) -> tuple[str, str] | None:
    if isinstance(item, TopicOf):
        return f"is about {item.label}", f"is not about {item.label}"
    return BELIEFS.get(item.name) if isinstance(item, FieldOf) else None


def _what(item: Operand) -> str:
    belief = _belief(item)
    return operand_words(item) if belief is None else f"whether the text {belief[0]}"


def operand_words(item: Operand | Verbatims) -> str:
    """A value as people call it: `NPS`, `the chance that the text is urgent`."""
    if isinstance(item, Fixed):
        return value_words(item.value)
    if isinstance(item, ThresholdOf):
        return f"what the threshold {item.name} asks"
    if isinstance(item, Verbatims):
        return "the text"
    if isinstance(item, CountRecent):
        days = "day" if item.days == 1 else f"{item.days:,} days"
        return f"the number of the customer's {KINDS[item.of].lower()}s in the last {days}"
    if isinstance(item, DaysSinceLast):
        return f"the number of days since the customer's last {KINDS[item.of].lower()}"
    if isinstance(item, FieldOf) and item.name not in BELIEFS:
        return field_words(item.name)
    return f"the chance that the text {(_belief(item) or ('',))[0]}"
