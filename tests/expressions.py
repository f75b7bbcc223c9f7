"""Conditions and records at random, spelled in the rule language, and a naive evaluator that shares no code with it."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from service.route.case import Case, Customer, Scores
from service.route.names import Names
from service.route.truth import View

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
NAMES = Names({"context.site": "text", "context.vip": "boolean", "context.n": "number"}, ["a", "b"], ["delivery"])
BELIEFS = {"sentiment.negative", "urgency.high", 'topic("delivery")'}

NUMBERS = ["scores.nps", "scores.csat", "context.n", *sorted(BELIEFS), 'threshold("a")', 'threshold("b")']
TEXTS = ["customer.tier", "context.site", "language"]
PAST = ['count_recent("ticket", days=30)', 'days_since_last("ticket")']
PATTERNS = ["go", "^l", "(?i)GOLD|X", "z$", "o{2}"]


def naive(tree, record):
    """Evaluate a tuple tree over a flat record, straight from Kleene's tables."""
    kind = tree[0]
    if kind == "not":
        inner = naive(tree[1], record)
        return {True: False, False: True, None: None}[inner]
    if kind in {"and", "or"}:
        parts = [naive(part, record) for part in tree[1]]
        rank = {False: 0, None: 1, True: 2}
        return sorted(parts, key=rank.get)[0 if kind == "and" else -1]
    if kind == "fixed":
        return tree[1]
    if kind == "known":
        return record.get(tree[1]) is not None
    if kind == "matches":
        texts = (record[tree[2]],) if isinstance(record[tree[2]], str) else record[tree[2]]
        return None if texts is None else any(re.search(tree[3], text) is not None for text in texts)
    left, right = (
        record.get(side) if isinstance(side, str) and side in record else side for side in (tree[2], tree[3])
    )
    if left is None or right is None:
        return None
    return {
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
        "==": lambda: left == right,
        "!=": lambda: left != right,
        "in": lambda: any(left == one for one in right),
        "not in": lambda: all(left != one for one in right),
        "is": lambda: left,
    }[kind]()


class Word(str):
    """A written text, as opposed to the name of a field."""

    __slots__ = ()


def spell(tree):
    kind = tree[0]
    if kind == "not":
        return f"not ({spell(tree[1])})"
    if kind in {"and", "or"}:
        return f" {kind} ".join(f"({spell(part)})" for part in tree[1])
    if kind == "known":
        return f"known({tree[1]})"
    if kind == "is":
        return tree[2]
    if kind == "matches":
        return f'matches({tree[2]}, "{tree[3]}")'

    def side(value):
        if isinstance(value, tuple):
            return "[" + ", ".join(side(one) for one in value) + "]"
        return (
            f"'{value}'" if isinstance(value, Word) else str(value).lower() if isinstance(value, bool) else str(value)
        )

    return f"{side(tree[2])} {kind} {side(tree[3])}"


some_number = st.sampled_from([0, 1, 3, 6, 0.25, 0.5, -1])
some_word = st.sampled_from(["gold", "lodz", "en"]).map(Word)
some_words = st.lists(some_word, min_size=1, max_size=2).map(tuple)
some_numbers = st.lists(some_number, min_size=1, max_size=3).map(tuple)
order = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])


def clauses(numbers, searched):
    """Clauses over some number fields and some texts that can be searched."""
    looked_at = st.sampled_from(numbers)
    return st.one_of(
        st.tuples(order, st.just(0), looked_at, some_number | st.sampled_from([*numbers, *NUMBERS[-2:]])),
        st.tuples(order, st.just(0), some_number | st.sampled_from(NUMBERS[-2:]), looked_at),
        st.tuples(
            st.sampled_from(["==", "!="]), st.just(0), st.sampled_from(TEXTS), some_word | st.sampled_from(TEXTS)
        ),
        st.tuples(st.sampled_from(["in", "not in"]), st.just(0), looked_at, some_numbers),
        st.tuples(st.sampled_from(["in", "not in"]), st.just(0), st.sampled_from(TEXTS), some_words),
        st.tuples(st.just("known"), st.sampled_from([*numbers, *TEXTS, "context.vip"])),
        st.tuples(st.just("is"), st.just(0), st.just("context.vip"), st.just(True)),
        st.tuples(st.just("matches"), st.just(0), st.sampled_from(searched), st.sampled_from(PATTERNS)),
    )


def joined(clause):
    """Trees of such clauses."""
    return st.recursive(
        clause,
        lambda inner: (
            st.tuples(st.just("not"), inner)
            | st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3))
        ),
        max_leaves=8,
    )


trees = joined(clauses([*NUMBERS[:-2], *PAST], [*TEXTS, "text"]))
trees_of_the_peer = joined(clauses(NUMBERS[:-2], TEXTS))


def maybe(values):
    return st.none() | values


records = st.fixed_dictionaries(
    {
        "scores.nps": maybe(st.sampled_from([0, 3, 6, 10])),
        "scores.csat": maybe(st.sampled_from([1, 2.5, 5])),
        "context.n": maybe(some_number),
        "sentiment.negative": maybe(st.sampled_from([0.25, 0.5, 1.0])),
        "urgency.high": maybe(st.sampled_from([0.25, 0.5, 1.0])),
        'topic("delivery")': maybe(st.sampled_from([0.25, 0.5, 1.0])),
        'threshold("a")': maybe(st.sampled_from([0.5, 1.0])),
        'threshold("b")': maybe(st.sampled_from([0.25])),
        "customer.tier": maybe(st.sampled_from(["gold", "lodz"])),
        "context.site": maybe(st.sampled_from(["gold", "lodz"])),
        "language": maybe(st.just("en")),
        "context.vip": maybe(st.booleans()),
        "text": maybe(st.lists(st.sampled_from(["Good gold", "zoo lodz", "x"]), min_size=1, max_size=2).map(tuple)),
        "days ago": maybe(st.lists(st.sampled_from([0, 1, 3, 30, 31, 400]), max_size=3)),  # tickets of this customer
    }
).map(lambda record: record | past_values(record["days ago"]))


def seen(record, *, withheld):
    """The record as conditions see it: without beliefs where those are withheld."""
    return {name: None if withheld and name in BELIEFS else value for name, value in record.items()}


def past_values(days):
    """What the two functions of the past give, counted by hand."""
    if days is None:
        return dict.fromkeys(PAST)
    return {PAST[0]: sum(one <= 30 for one in days), PAST[1]: min(days, default=None)}


def view_of(record, *, withheld=False):
    def held(name, label):
        return {} if record[name] is None else {label: record[name]}

    days = record["days ago"]
    case = Case(
        source="s",
        now=NOW,
        scores=Scores(nps=record["scores.nps"], csat=record["scores.csat"]),
        sentiment=held("sentiment.negative", "negative"),
        types={},
        urgency=held("urgency.high", "high"),
        topics=held('topic("delivery")', "delivery"),
        language=record["language"],
        customer=Customer(tier=record["customer.tier"]),
        context=held("context.site", "site") | held("context.vip", "vip") | held("context.n", "n"),
        degraded=withheld,
        text=record["text"],
        past=None if days is None else {"ticket": tuple(NOW - timedelta(days=one) for one in sorted(days))},
    )
    return View(case, thresholds_of(record), withheld)


def thresholds_of(record):
    """The values the two thresholds have."""
    return {"a": record['threshold("a")'], "b": record['threshold("b")']}
