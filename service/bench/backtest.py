"""`heed bench backtest`: records a second of a whole backtest, beside nothing but deciding the same cases in memory."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files

import psycopg

from models.taxonomy import default_taxonomy
from service.backtest import job
from service.backtest.judging import needs
from service.backtest.reading import lay, stored
from service.backtest.result import Result
from service.bench.figures import BenchFailed, Report, machine, noisy, paragraphs, ratio, series
from service.bench.multiplied import fill
from service.bench.programs import running
from service.bench.scratch import Scratch, scratch
from service.route import versions
from service.route.case import Case
from service.route.decide import ResolvedThreshold, decide, kinds, resolve_uncertified
from service.route.policy import Policy
from service.route.policy_document import check
from service.settings import Settings
from service.store.tables import Backtest

_CASES = 10_000  # in memory, for the bare rates
_OPEN_ITEMS = 100
_RULES = (5, 20)
_BEGIN = "\nrules:\n"

HOW = paragraphs(
    """
    a scratch database whose records are copies of the demo's feedback, spread over two years; over all of it the demo's
    policy is compared with one of a higher limit for detractors, by `job.run` as a worker runs it: laying out the
    period, starting its processes, reading, deciding twice, counting, keeping the differences, simulating the queues,
    storing the result

    5 rules: the demo's; 20 rules: 15 more of the same kind, which share clauses with them as rules do

    bare decide: `decide` of both policies on 10,000 of the same cases in memory, in one process, times as many
    processes as the backtest uses; nothing is read, counted or kept, and the processes do not share the cores with
    PostgreSQL or with each other, so this is more than the machine could really do

    bare fast path: the same with `kinds`, which gives what is made without the evidence; it is what a backtest uses

    rounds are interleaved, a ratio is the median of the rounds' own ratios
    """
)


def measure(settings: Settings, records: int, rounds: int) -> Report:
    """Run the benchmark.

    Args:
        settings: where the server is; the data are not touched.
        records: how many are stored, at least.
        rounds: how often everything is repeated, at least once.

    Raises:
        BenchFailed: the database could not be filled, or a backtest came to nothing.
    """
    load = os.getloadavg()[0]
    with scratch(settings) as place:
        serve = ("service.cli", "serve", "--no-worker", "--port", "0")
        with running(place, *serve, until="web.started") as web:
            filled = fill(place, web.port, records, _OPEN_ITEMS)
        found: dict[str, list[float]] = defaultdict(list)
        pairs = {rules: _published(place, rules) for rules in _RULES}
        for _ in range(rounds):
            for rules, pair in pairs.items():
                _round(place, pair, f"{rules} rules", found)
        facts = machine(place.opened.database, load)
    figures = {name: series(rounds_of) for name, rounds_of in found.items()}
    ratios = {
        f"backtest / {peer}, {rules} rules": ratio(found[f"backtest, {rules} rules"], found[f"{peer}, {rules} rules"])
        for rules in _RULES
        for peer in ("bare decide", "bare fast path")
    }
    return Report("backtest", filled.records, ratios, figures, {}, facts, noisy(figures), HOW)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two versions in the database, and cases as a backtest of them reads them."""

    now: int
    then: int
    policies: tuple[Policy, Policy]
    cases: tuple[Case, ...]


def _published(place: Scratch, rules: int) -> _Pair:
    document = (files("service.demo") / "policy.yaml").read_text()
    topics = default_taxonomy().labels
    own = len(check(document, topics).policy.rules)
    grown = document.replace(_BEGIN, _BEGIN + "".join(_rule(number) for number in range(rules - own)))
    with place.opened.database.session() as session:
        now = versions.publish(session, grown, topics, by="bench").version
        higher = grown.replace("scores.nps <= 6 or", "scores.nps <= 7 or")
        then = versions.publish(session, higher, topics, by="bench").version
        policies = versions.fetch(session, now), versions.fetch(session, then)
    if len(policies[0].rules) != rules or policies[0].rules == policies[1].rules:
        raise BenchFailed("The demo's policy is not what this benchmark takes it for.")
    return _Pair(now, then, policies, _in_memory(place, policies))


def _rule(number: int) -> str:
    when = f'scores.nps <= 6 and topic("delivery") >= 0.5 and customer.account_value >= {number * 1_000}'
    return f"  - {{name: more-{number}, when: '{when}', then: {{create: ticket, assign: regional}}}}\n"


def _round(place: Scratch, pair: _Pair, name: str, found: dict[str, list[float]]) -> None:
    bare, fast = (_rate(pair, work) for work in (decide, kinds))
    result = _backtest(place, pair)
    found[f"backtest, {name}"].append(result.records / result.seconds)
    found[f"seconds for a million, {name}"].append(1e6 * result.seconds / result.records)
    found[f"bare decide, {name}"].append(result.processes * bare)
    found[f"bare fast path, {name}"].append(result.processes * fast)


def _in_memory(place: Scratch, policies: tuple[Policy, Policy]) -> tuple[Case, ...]:
    cases: list[Case] = []
    with psycopg.connect(place.opened.database.conninfo, autocommit=True) as connection:
        for piece in lay(connection, *_period(place)).pieces:
            cases.extend(one.case for one in stored(connection, needs(*policies), piece) if one.case is not None)
            if len(cases) >= _CASES:
                break
    return tuple(cases[:_CASES])


def _rate(pair: _Pair, work: Callable[[Policy, Case, Mapping[str, ResolvedThreshold]], object]) -> float:
    ready = [(policy, resolve_uncertified(policy)) for policy in pair.policies]
    for policy, thresholds in ready:
        work(policy, pair.cases[0], thresholds)  # compiles its rules
    began = time.perf_counter()
    for case in pair.cases:
        for policy, thresholds in ready:
            work(policy, case, thresholds)
    return len(pair.cases) / (time.perf_counter() - began)


def _backtest(place: Scratch, pair: _Pair) -> Result:
    with place.opened.database.session() as session:
        begun = job.begin(session, job.Wanted(pair.then, *_period(place), pair.now, {}), by="bench").id
    job.run(place.opened.database, begun)
    with place.opened.database.session() as session:
        row = session.get_one(Backtest, begun)
    if row.result is None:
        raise BenchFailed(f"The backtest is {row.state}: {row.reason}")
    return Result.model_validate(row.result)


def _period(place: Scratch) -> tuple[datetime, datetime]:
    with place.opened.database.session() as session:
        period = job.stored_period(session)
    if period is None:
        raise BenchFailed("Nothing was stored.")
    return period[0], period[1] + timedelta(seconds=1)
