"""Three-valued truth, against a naive evaluator that shares no code with the product."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.route.case import Case, Customer, Scores
from service.route.conditions import parse
from service.route.names import Names
from service.route.truth import View, compile_expression

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
NAMES = Names({"context.site": "text", "context.vip": "boolean", "context.n": "number"}, ["a", "b"], ["delivery"])
BELIEFS = {"sentiment.negative", "urgency.high", 'topic("delivery")'}

NUMBERS = ["scores.nps", "scores.csat", "context.n", *sorted(BELIEFS), 'threshold("a")', 'threshold("b")']
TEXTS = ["customer.tier", "context.site", "language"]


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

    def side(value):
        if isinstance(value, tuple):
            return "[" + ", ".join(side(one) for one in value) + "]"
        return (
            f"'{value}'" if isinstance(value, Word) else str(value).lower() if isinstance(value, bool) else str(value)
        )

    return f"{side(tree[2])} {kind} {side(tree[3])}"


some_number = st.sampled_from([0, 1, 3, 6, 0.25, 0.5, -1])
some_word = st.sampled_from(["gold", "lodz", "en"]).map(Word)
looked_at = st.sampled_from(NUMBERS[:-2])
clause = st.one_of(
    st.tuples(
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.just(0),
        looked_at,
        some_number | st.sampled_from(NUMBERS),
    ),
    st.tuples(st.sampled_from(["<", ">="]), st.just(0), some_number | st.sampled_from(NUMBERS[-2:]), looked_at),
    st.tuples(st.sampled_from(["==", "!="]), st.just(0), st.sampled_from(TEXTS), some_word | st.sampled_from(TEXTS)),
    st.tuples(
        st.sampled_from(["in", "not in"]),
        st.just(0),
        looked_at,
        st.lists(some_number, min_size=1, max_size=3).map(tuple),
    ),
    st.tuples(st.sampled_from(["in", "not in"]), st.just(0), st.sampled_from(TEXTS), st.tuples(some_word, some_word)),
    st.tuples(st.just("known"), st.sampled_from([*NUMBERS[:-2], *TEXTS, "context.vip"])),
    st.tuples(st.just("is"), st.just(0), st.just("context.vip"), st.just(True)),
)
trees = st.recursive(
    clause,
    lambda inner: (
        st.tuples(st.just("not"), inner)
        | st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3))
    ),
    max_leaves=8,
)


def maybe(values):
    return st.none() | values


records = st.fixed_dictionaries(
    {
        "scores.nps": maybe(st.sampled_from([0, 3, 6, 10])),
        "scores.csat": maybe(st.sampled_from([1, 2.5, 6])),
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
    }
)


def view_of(record, *, withheld=False):
    def held(name, label):
        return {} if record[name] is None else {label: record[name]}

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
    )
    return View(case, {"a": record['threshold("a")'], "b": record['threshold("b")']}, withheld)


@settings(max_examples=1_000)
@given(trees, records, st.booleans())
def test_truth_agrees_with_the_naive_evaluator(tree, record, withheld):
    compiled = compile_expression(parse(spell(tree), NAMES))
    seen = {name: None if withheld and name in BELIEFS else value for name, value in record.items()}

    truth, findings = compiled.ask(view_of(record, withheld=withheld))

    assert truth is naive(tree, seen)
    assert [finding.text for finding in findings] == list(compiled.texts)


@settings(max_examples=400)
@given(trees, records, st.booleans())
def test_a_rule_hangs_exactly_when_some_answer_of_the_judgement_would_fire_it(tree, record, withheld):
    """Try both answers for each clause that judgement left open, in every combination."""
    compiled = compile_expression(parse(spell(tree), NAMES))
    view = view_of(record, withheld=withheld)
    truth, findings = compiled.ask(view)
    if truth is not None or 'threshold("' not in spell(tree):
        return

    def hangs(text):
        """Open: unknown, though every field in its text is told by the record."""
        names = [name for name in record if name in text and not name.startswith("threshold")]
        return all(record[name] is not None for name in names)

    found = {finding.text: finding.result for finding in findings}
    open_ones = [text for text, result in found.items() if result is None and hangs(text)]

    def reach(node):
        """Give the values a node may take: each open clause as it likes, by itself."""
        if node[0] == "not":
            return {None if value is None else not value for value in reach(node[1])}
        if node[0] in {"and", "or"}:
            sets = [reach(part) for part in node[1]]
            combined = sets[0]
            for other in sets[1:]:
                combined = {naive((node[0], [("fixed", one), ("fixed", two)]), {}) for one in combined for two in other}
            return combined
        text = compile_expression(parse(spell(node), NAMES)).texts[0]
        return {True, False} if text in open_ones else {found[text]}

    assert compiled.hangs_on_judgement(view, findings) is (True in reach(tree))


@pytest.mark.parametrize(
    ("written", "clauses"),
    [
        ("scores.nps <= 6 or scores.csat <= 2", [("scores.nps <= 6", 3, True), ("scores.csat <= 2", None, None)]),
        ("not (language == 'en')", [('language == "en"', "en", True)]),
        ("6 >= scores.nps", [("6 >= scores.nps", 3, True)]),
        ("threshold('a') <= urgency.high", [('threshold("a") <= urgency.high', 0.9, None)]),
        ("known(context.site)", [("known(context.site)", None, False)]),
        ("scores.nps in [3, 4]", [("scores.nps in [3, 4]", 3, True)]),
        ("context.vip", [("context.vip", False, False)]),
        ("true", [("true", True, True)]),
        (
            "scores.nps < 3 and (scores.nps > 1 or not scores.nps < 3)",
            [("scores.nps < 3", 3, False), ("scores.nps > 1", 3, True)],
        ),
    ],
)
def test_each_clause_is_explained_once_with_the_value_looked_at(written, clauses):
    case = Case("s", NOW, scores=Scores(nps=3), urgency={"high": 0.9}, language="en", context={"vip": False})

    _, findings = compile_expression(parse(written, NAMES)).ask(View(case, {}, withheld=False))

    assert [tuple(finding) for finding in findings] == clauses


def test_unknown_is_written_as_a_word():
    case = Case("s", NOW)

    _, findings = compile_expression(parse("scores.nps > 1", NAMES)).ask(View(case, {}, withheld=False))

    assert [finding.to_json() for finding in findings] == [
        {"text": "scores.nps > 1", "value": None, "result": "unknown"}
    ]
