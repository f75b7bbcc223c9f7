"""What rules cost: records a second for 1, 20 and 200 rules, beside cel-expr-python on the same rules and records.

Every answer is compared: a benchmark of two engines that disagree would measure nothing. Also how soon a hostile
expression is refused.
"""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from time import perf_counter
from typing import Protocol, TypeVar

from service.bench.figures import BenchFailed, Series, paragraphs, ratio, series
from service.bench.hostile import HOSTILE, Refusal, slowest_refusal
from service.route.case import KINDS, Case, Customer, Scores, Value
from service.route.conditions import parse
from service.route.decide import decide, resolve_uncertified
from service.route.expression import Expression
from service.route.names import Names
from service.route.policy import Action, Policy, Rule, Threshold

Data = Mapping[str, Mapping[str, Value]]
T = TypeVar("T")
RULES = (1, 20, 200)
LEAST_RATIO = 10.0  # times what the peer does, at 200 rules
MOST_GROWTH = 10.0  # of the cost of a record, from 20 to 200 rules: in proportion would be 10
MOST_MILLISECONDS = 1.0  # to refuse any of the hostile expressions
_TOPICS = ("delivery", "price", "staff", "website", "product quality", "returns", "opening hours", "payment")
_SITES = ("Lodz", "Kielce", "Gdansk", "Brno")
_NAMES = Names({"context.site": "text"}, ("negative",), _TOPICS)
_HOW = """
Conditions take their clauses from a pool of about 60, as the rules of one house do: scores, beliefs, topics, customer,
context, a threshold; three clauses each, joined by `and`, `or` and `not`. Records lack values as real ones do.

`fires` is what a backtest asks: which rules are definitely true. `decide` is what a live record costs: every clause
with its value and truth, work items and bypasses included. The peer gives truths only, so it is compared with `fires`.

The peer's expressions are compiled before, its values are ready in its own types; a record costs it one activation and
one evaluation for each rule. Every answer of both was compared.

Each hostile expression is refused 20 times with no pattern compiled before; the quickest of its times counts, and of
all expressions the slowest.
"""


class Engine(Protocol):
    """The peer: conditions compiled, records made ready for it, and which conditions are true for one."""

    def ready(self, case: Case, thresholds: Mapping[str, float | None]) -> Data: ...

    def fires(self, data: Data) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class Line:
    """The figures with one number of rules, in records a second; ratios are round by round."""

    rules: int
    fires: Series
    decide: Series
    peer: Series
    fires_ratio: Series
    decide_ratio: Series


@dataclass(frozen=True, slots=True)
class RouteReport:
    """The lines, how often answers were compared, and how the cost of a record grew from 20 to 200 rules.

    `slowest` is, of so many `hostile` expressions, the one that takes longest to refuse.
    """

    records: int
    compared: int
    lines: tuple[Line, ...]
    growth: Series
    decide_growth: Series
    peer_growth: Series
    hostile: int
    slowest: Refusal
    cores: int
    python: str
    load: float
    how: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether all goals were reached."""
        fast = self.lines[-1].fires_ratio.median >= LEAST_RATIO and self.growth.median < MOST_GROWTH
        return fast and self.slowest.milliseconds < MOST_MILLISECONDS


def measure(records: int, rounds: int) -> RouteReport:
    """Run everything.

    Raises:
        BenchFailed: cel-expr-python is not installed, the two disagree, or a hostile expression is accepted.
    """
    try:
        from service.bench.cel import Peer  # noqa: PLC0415 - it is there where heed is developed
    except ImportError as error:
        raise BenchFailed(
            "cel-expr-python is not installed: pip install cel-expr-python, then run this again"
        ) from error
    cases = [_case(Random(number)) for number in range(records)]  # noqa: S311 - records, not secrets
    lines = [_line(count, cases, Peer, rounds) for count in RULES]
    return RouteReport(
        records=records,
        compared=records * sum(RULES),
        lines=tuple(lines),
        growth=ratio(lines[1].fires.rounds, lines[2].fires.rounds),
        decide_growth=ratio(lines[1].decide.rounds, lines[2].decide.rounds),
        peer_growth=ratio(lines[1].peer.rounds, lines[2].peer.rounds),
        hostile=len(HOSTILE),
        slowest=slowest_refusal(_NAMES),
        cores=len(os.sched_getaffinity(0)),
        python=platform.python_version(),
        load=os.getloadavg()[0],
        how=paragraphs(_HOW),
    )


def _line(count: int, cases: Sequence[Case], peer_of: Callable[[Sequence[Expression]], Engine], rounds: int) -> Line:
    policy = policy_of(count)
    thresholds = resolve_uncertified(policy)
    values = {name: one.value for name, one in thresholds.items()}
    peer = peer_of([rule.when for rule in policy.rules])
    told = [(case, peer.ready(case, values)) for case in cases]

    def asked(case: Case, _: object) -> list[int]:
        return policy.program.fires(case, values)

    def decided(case: Case, _: object) -> object:
        return decide(policy, case, thresholds)

    def by_the_peer(_: object, data: Data) -> list[int]:
        return peer.fires(data)

    if any(asked(*one) != by_the_peer(*one) for one in told):
        raise BenchFailed(f"With {count} rules heed and cel-expr-python disagree: nothing was measured.")
    timed = [tuple(_rate(engine, told) for engine in (asked, decided, by_the_peer)) for _ in range(rounds)]
    fires, decides, theirs = zip(*timed, strict=True)
    return Line(count, series(fires), series(decides), series(theirs), ratio(fires, theirs), ratio(decides, theirs))


def _rate(engine: Callable[[Case, Data], object], told: Sequence[tuple[Case, Data]]) -> float:
    began = perf_counter()
    for case, data in told:
        engine(case, data)
    return len(told) / (perf_counter() - began)


def _pool() -> list[str]:
    beliefs = ("sentiment.negative", "sentiment.positive", "type.complaint", "type.suggestion", "urgency.high")
    return [
        *(f"scores.nps <= {n}" for n in range(3, 9)),
        *(f"scores.{name} <= {n}" for name in ("csat", "ces", "stars") for n in (2, 3)),
        *(f"{belief} >= {level}" for belief in beliefs for level in (0.5, 0.7, 0.9)),
        *(f'topic("{topic}") >= {level}' for topic in _TOPICS for level in (0.5, 0.8)),
        'sentiment.negative >= threshold("negative")',
        *(f'customer.tier == "{tier}"' for tier in ("gold", "silver")),
        'customer.region in ["emea", "apac"]',
        *(f"customer.account_value >= {value}" for value in (1_000, 50_000)),
        *(f'context.site == "{site}"' for site in _SITES),
        "known(context.site)",
        'language == "en"',
        'source in ["app", "store"]',
    ]


def policy_of(rules: int) -> Policy:
    """A policy of so many rules that share their clauses, the same at each call."""
    pool, chance = _pool(), Random(1)  # noqa: S311 - conditions, not secrets

    def condition() -> str:
        one, two, three = chance.sample(pool, 3)
        return chance.choice(
            (f"{one} and {two} and {three}", f"{one} and ({two} or {three})", f"{one} and {two} and not {three}")
        )

    return Policy(
        name="bench",
        review="triage",
        fields={"context.site": "text"},
        thresholds={"negative": Threshold(axis="sentiment", label="negative", uncertified=0.8)},
        rules=tuple(
            Rule(name=f"rule-{number}", when=parse(condition(), _NAMES), then=Action(create=KINDS[number % 4]))
            for number in range(rules)
        ),
    )


def _case(chance: Random) -> Case:
    """A record with about every third value missing."""

    def maybe(value: T) -> T | None:
        return value if chance.random() < 0.67 else None

    return Case(
        source=chance.choice(("app", "store", "mail")),
        now=datetime(2026, 11, 20, 10, tzinfo=UTC),
        scores=Scores(maybe(chance.randint(0, 10)), maybe(chance.randint(1, 5)), maybe(chance.randint(1, 7)), None),
        sentiment=_beliefs(chance, ("negative", "neutral", "positive")),
        types=_beliefs(chance, ("complaint", "suggestion", "praise", "question")),
        urgency=_beliefs(chance, ("low", "normal", "high")),
        topics={topic: round(chance.random() ** 3, 4) for topic in _TOPICS},
        language="en",
        customer=Customer(
            "c-1", maybe(chance.choice(("gold", "silver", "bronze"))), maybe("emea"), maybe(chance.random() * 1e5)
        ),
        context={"site": chance.choice(_SITES)} if chance.random() < 0.5 else {},
    )


def _beliefs(chance: Random, labels: Sequence[str]) -> dict[str, float]:
    drawn = [chance.random() ** 2 for _ in labels]
    return {label: round(one / sum(drawn), 4) for label, one in zip(labels, drawn, strict=True)}
