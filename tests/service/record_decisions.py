"""Wrote `recorded_decisions_2.json`: several dozen decisions under a policy that uses the whole rule language.

Run by hand, once: `python tests/service/record_decisions.py NEW_FILE`. What is recorded is never recorded anew: whoever
has such receipts stored could not replay them. What the language learns later goes into a third file.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.route.case import Case, Customer, Scores
from service.route.decide import ResolvedThreshold, decide
from service.route.policy_document import check
from service.route.receipt import Provenance, calendars_of, receipt

TOPICS = ["delivery", "product quality", "price"]
POLICY = """
name: whole language
review: triage
fallback: triage
fields:
  context.site: text
  context.lot: text
  context.nights: number
  context.flag: boolean
  customer.attributes.risk: number
thresholds:
  negative: {axis: sentiment, label: negative, promise: {precision: 0.9, confidence: 0.95}, uncertified: 0.8}
  urgent: {axis: urgency, label: high}
bypass:
  - name: large-account
    when: customer.account_value >= 100000 and (customer.attributes.risk > 0.7 or customer.tier == "gold")
    to: mia
    quota: 3
    reason: large and at risk
rules:
  - name: lawyer
    when: matches(text, "(?i)\\\\b(lawyer|court)\\\\b")
    then: {create: follow_up, mandatory: true, priority: urgent, assign: triage, sla: quick}
    stop: true
  - name: low
    when: scores.nps <= 6 or scores.csat <= 2 or scores.ces < 2.5 or scores.stars == 1
    then: {create: follow_up, mandatory: true, sla: quick, assign: regional, priority: high}
  - name: again
    when: count_recent("ticket", days=30) >= 2 or days_since_last("follow_up") < 7
    then: {create: follow_up, priority: urgent}
  - name: negative
    when: sentiment.negative >= threshold("negative") and not type.praise > 0.5
    then: {create: ticket, sla: plain, tags: topics, deliver: [desk], join: 14d}
  - name: urgent
    when: urgency.high >= threshold("urgent")
    then: {create: ticket, tags: [urgent]}
  - name: defect
    when: topic("product quality") >= 0.5 and known(context.site) and context.flag
    then: {create: quality_case, key: [context.site, context.lot]}
  - name: foreign
    when: language not in ["en", "de"] and source != "shop" and 1 < context.nights <= 14
    then: {create: quality_case, assign: regional}
  - name: idea
    when: any_of(type.suggestion >= 0.6, matches(context.site, "^L")) and not urgency.high >= 0.5
    then: {create: backlog_item, tags: topics, key: [context.lot], join: 30d}
slas:
  quick: {calendar: emea, acknowledge: 4h, resolve: 2d, escalate: [{after: 1h, to: directors}]}
  plain: {resolve: 5d}
calendars: {emea: {zone: Europe/Warsaw, hours: {mon-fri: ["09:00-12:30", "13:00-17:00"]}, holidays: PL}}
groups:
  regional: {by: customer.region, emea: {people: [ana, jan]}, default: triage}
  triage: {people: [sam]}
  directors: {people: [mia]}
"""
NOW = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)
TEXT = Case(
    "survey",
    NOW,
    Scores(nps=8),
    sentiment={"negative": 0.2, "neutral": 0.5, "positive": 0.3},
    types={"suggestion": 0.1, "complaint": 0.2, "praise": 0.1, "question": 0.1},
    urgency={"low": 0.6, "normal": 0.3, "high": 0.1},
    topics={"delivery": 0.3, "product quality": 0.1, "price": 0.0},
    language="en",
    customer=Customer(id="c-1", tier="silver", region="emea", account_value=900.5),
    text=("It was fine.",),
    past={"ticket": (), "follow_up": ()},
)
ANGRY = {"negative": 0.93, "neutral": 0.05, "positive": 0.02}


def ago(*days: float) -> tuple[datetime, ...]:
    return tuple(NOW - timedelta(days=one) for one in days)


def cases() -> Iterator[Case]:
    """Every rule true, false and unknown; every way in which one stands before another."""
    yield TEXT
    yield from _of_what_was_said()
    yield from _of_whom_and_where()


def _of_what_was_said() -> Iterator[Case]:
    for nps in range(11):
        yield replace(TEXT, scores=Scores(nps=nps))
    for scores in (Scores(), Scores(csat=2), Scores(csat=2.0000000000000004), Scores(ces=2.4999), Scores(stars=1)):
        yield replace(TEXT, scores=scores)
    for negative in (0.79999999, 0.8, 0.93):
        yield replace(TEXT, sentiment={**ANGRY, "negative": negative}, tags=("delivery", "price"))
    yield replace(TEXT, sentiment=ANGRY, types={"praise": 0.51, "suggestion": 0.7})
    for said in (("I will see you in COURT.",), ("Der Anwalt kommt.", "lawyer"), ("",), None):
        yield replace(TEXT, text=said, scores=Scores(nps=1))
    for past in (None, {"ticket": ago(1, 29.9), "follow_up": ()}, {"ticket": ago(1, 31), "follow_up": ago(6.9, 400)}):
        yield replace(TEXT, past=past)
    for reason in ("short", "language"):
        yield replace(TEXT, sentiment=ANGRY, abstain=reason)
    yield replace(TEXT, sentiment=ANGRY, degraded=True, tags=("delivery",))


def _of_whom_and_where() -> Iterator[Case]:
    broken = {"delivery": 0.1, "product quality": 0.5, "price": 0.2}
    for context in (
        {},
        {"site": "Łódź", "flag": True},
        {"site": "Lodz", "lot": "L-204", "flag": True},
        {"flag": "yes"},
    ):
        yield replace(TEXT, topics=broken, context=context)
    for nights in (1, 1.5, 14, 14.5, True):
        yield replace(TEXT, language="pl", source="hotel", context={"nights": nights})
    yield replace(TEXT, types={"suggestion": 0.6}, urgency={"high": 0.49}, context={"lot": "L-1"})
    for customer in (
        Customer(id="c-2", tier="gold", region="amer", account_value=1e5),
        Customer(id="c-3", account_value=250_000, attributes={"risk": 0.71}),
        Customer(id="c-4", account_value=250_000, attributes={"risk": "high"}),
        Customer(),
    ):
        yield replace(TEXT, scores=Scores(nps=0), customer=customer)
    yield replace(TEXT, scores=Scores(nps=0), sentiment=ANGRY, history=True)
    yield Case("shop", NOW, Scores(nps=3))
    for scores in (Scores(nps=2), Scores(nps=9)):  # superseded, and not
        for sentiment in (TEXT.sentiment, ANGRY):
            past = {"ticket": ago(1, 2, 3), "follow_up": ()}
            yield replace(TEXT, scores=scores, sentiment=sentiment, urgency={"high": 0.9}, past=past, tags=("price",))


def main(path: str) -> None:
    policy = check(POLICY, TOPICS).policy
    certified = ResolvedThreshold(0.83, certified=True, certificate="c-7")
    void = ResolvedThreshold(None, certificate="c-7")
    receipts = {}
    for number, case in enumerate(cases()):
        thresholds = {
            "negative": (ResolvedThreshold(0.8), certified, void)[number % 3 if number > 40 else 0],
            "urgent": ResolvedThreshold(0.5 if number % 5 else None),
        }
        decision = decide(policy, case, thresholds)
        provenance = Provenance(
            f"d-{number}",
            f"f-{number}",
            1 + number % 3,
            1,
            "keywords@1" if case.sentiment else None,
            "identity@1" if case.sentiment else None,
            "default@1" if case.sentiment else None,
            calendars_of(policy, decision),
            "history" if case.history else "live",
            case.now,
            f"{number:064x}",
        )
        receipts[f"decision {number}"] = receipt(decision, case, provenance)
    told = {"policies": {"1": policy.canonical}, "receipts": receipts}
    Path(path).write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
