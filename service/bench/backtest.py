"""`heed bench backtest`: records a second of a whole backtest, beside nothing but deciding the same cases in memory."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from multiprocessing import get_context
from threading import Barrier
from typing import Any

import psycopg

from models.taxonomies.taxonomy import default_taxonomy
from service.backtest import job
from service.backtest.columns import Columns
from service.backtest.reading import lay, stored
from service.backtest.result import Result
from service.bench.figures import BenchFailed, Report, Series, machine, noisy, paragraphs, ratio, series
from service.bench.multiplied import fill
from service.bench.programs import PATIENCE, running
from service.bench.scratch import Scratch, scratch
from service.route import versions
from service.route.case import Case
from service.route.decide import ResolvedThreshold, decide, kinds, resolve_uncertified
from service.route.policy import Policy
from service.route.policy_document import check
from service.settings import Settings
from service.store.tables import Backtest

LEAST_SHARE = 0.5  # of the bare decide rate
MOST_SECONDS = 60.0  # for a million records, with the demo's rules
RULES = (5, 20, 200)
_CASES = 10_000  # in memory, for the bare rates
_OPEN_ITEMS = 100
_BEGIN = "\nrules:\n"

HOW = paragraphs(
    """
    a scratch database whose records are copies of the demo's feedback, spread over two years; over all of it the demo's
    policy is compared with one of a higher limit for detractors, by `job.run` as a worker runs it: laying out the
    period, starting its processes, reading, deciding twice, counting, keeping the differences, simulating the queues,
    storing the result

    5 rules: the demo's; 20 and 200 rules: more of the same kind, which share clauses with them as rules do

    bare decide: what routing asks of a record, `decide` with every clause of the receipt, under both policies, for
    10,000 of the same cases in memory, in as many processes as the backtest uses, all at work at once: their rates are
    measured so and added up; nothing is read, counted or kept, and PostgreSQL takes no core from them

    bare fast path: the same with `kinds`, which gives what is made without the evidence; it is what a backtest uses,
    and shows how much of its time goes elsewhere

    rounds are interleaved, a ratio is the median of the rounds' own ratios; the goals are half of the bare decide rate
    for every number of rules, and a million records of the demo's rules in less than 60 seconds
    """
)


@dataclass(frozen=True, slots=True)
class BacktestReport(Report):
    """The figures, and whether every goal is kept."""

    kept: bool


def measure(settings: Settings, records: int, rounds: int) -> BacktestReport:
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
        pairs = {rules: _published(place, rules) for rules in RULES}
        for _ in range(rounds):
            for rules, pair in pairs.items():
                _round(place, pair, f"{rules} rules", found)
        facts = machine(place.opened.database, load)
    figures = {name: series(rounds_of) for name, rounds_of in found.items()}
    ratios = {
        f"backtest / {peer}, {rules} rules": ratio(found[f"backtest, {rules} rules"], found[f"{peer}, {rules} rules"])
        for rules in RULES
        for peer in ("bare decide", "bare fast path")
    }
    return BacktestReport(
        "backtest", filled.records, ratios, figures, {}, facts, noisy(figures), HOW, _kept(ratios, figures)
    )


def _kept(ratios: Mapping[str, Series], figures: Mapping[str, Series]) -> bool:
    shares = [ratios[f"backtest / bare decide, {rules} rules"].median for rules in RULES]
    return min(shares) >= LEAST_SHARE and figures[f"seconds for a million, {RULES[0]} rules"].median < MOST_SECONDS


Work = Callable[[Policy, Case, Mapping[str, ResolvedThreshold]], object]


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
    result = _backtest(place, pair)
    found[f"backtest, {name}"].append(result.records / result.seconds)
    found[f"seconds for a million, {name}"].append(1e6 * result.seconds / result.records)
    found[f"bare decide, {name}"].append(_together(pair, decide, result.processes))
    found[f"bare fast path, {name}"].append(_together(pair, kinds, result.processes))


def _in_memory(place: Scratch, policies: tuple[Policy, Policy]) -> tuple[Case, ...]:
    cases: list[Case] = []
    with psycopg.connect(place.opened.database.conninfo, autocommit=True) as connection:
        for piece in lay(connection, *_period(place)).pieces:
            cases.extend(one.case for one in stored(connection, Columns(*policies), piece) if one.case is not None)
            if len(cases) >= _CASES:
                break
    return tuple(cases[:_CASES])


def _together(pair: _Pair, work: Work, processes: int) -> float:
    """Records a second of so many processes, each of which decides all the cases while the others do."""
    spawning = get_context("spawn")
    with spawning.Manager() as manager:
        begin = manager.Barrier(processes)
        with ProcessPoolExecutor(processes, mp_context=spawning) as pool:
            trees = [policy.canonical for policy in pair.policies]
            told = [pool.submit(_rate, trees, pair.cases, work, begin) for _ in range(processes)]
            return sum(one.result() for one in told)


def _rate(trees: Sequence[Mapping[str, Any]], cases: Sequence[Case], work: Work, begin: Barrier) -> float:
    ready = [(policy, resolve_uncertified(policy)) for policy in map(Policy.from_canonical, trees)]
    for policy, thresholds in ready:
        work(policy, cases[0], thresholds)  # compiles its rules
    begin.wait(PATIENCE)
    began = time.perf_counter()
    for case in cases:
        for policy, thresholds in ready:
            work(policy, case, thresholds)
    return len(cases) / (time.perf_counter() - began)


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
