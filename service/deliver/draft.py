"""The words of a work item: its title and its text, made from plain values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.deliver.plain_text import one_line, visible

LONGEST_TITLE = 120  # characters
LONGEST_QUOTE = 4_000  # characters of each answer; the whole text stays on the work item's page

_NAMES = {
    "follow_up": "Follow up",
    "ticket": "Ticket",
    "quality_case": "Quality case",
    "backlog_item": "Suggestion",
    "review": "To review",
}
_SCORES = {"nps": "NPS", "csat": "CSAT", "ces": "CES", "stars": "Stars"}
_EVENTS = {
    "joined": "Another answer joined this item.",
    "revised": "An answer behind this item was edited.",
    "restored": "The answer behind this item was edited, and asks for it again.",
    "retracted": "This item was retracted: {reason}.",
    "answer_ended": "One answer no longer stands behind this item: {reason}.",
}
_ENDED = {
    "edited": "the answer was edited, and no rule asks for it any more",
    "withdrawn": "the answer was withdrawn",
}
_RESULTS = {True: "true", False: "false", None: "unknown"}


@dataclass(frozen=True)
class Said:
    """One open answer and the question it answers."""

    question: str | None
    text: str


@dataclass(frozen=True)
class Clause:
    """One clause of a rule, as the receipt has it: its text, the value it saw, and what came of it (None: unknown)."""

    text: str
    value: object
    result: bool | None


@dataclass(frozen=True)
class Reason:
    """The rule that made the work item."""

    rule: str
    clauses: tuple[Clause, ...]
    note: str | None = None  # why a person is asked, where one is


def title(kind: str, scores: Mapping[str, float], topics: Sequence[str], words: str) -> str:
    """One line of at most 120 characters: `Detractor (NPS 3): "Parcel came two weeks late and broken."`.

    Args:
        kind: the work item's kind.
        scores: measure to value; nps, csat, ces, stars.
        topics: labels, most probable first; they stand in where a score says less.
        words: the customer's, possibly empty; hidden characters in them become visible.
    """
    said = _scores(scores)
    about = list(topics[:2])
    facts = (said or about) if kind == "follow_up" else (about or said)
    head = one_line(f"{_name(kind, scores)} ({', '.join(facts)})" if facts else _name(kind, scores), 80)
    quote = one_line(words, LONGEST_TITLE - len(head) - 4)
    return f'{head}: "{quote}"' if quote else head


def body(
    said: Sequence[Said], scores: Mapping[str, float], customer: str | None, tier: str | None, reason: Reason
) -> str:
    """The text of a work item: what the customer said, how they scored, who they are and which rule asked for it.

    Plain text; the customer's words are quoted line by line with `> `, so that they cannot pass for ours.
    """
    parts = [_quoted(answer) for answer in said]
    if scores:
        parts.append("Scores: " + ", ".join(_scores(scores)))
    if customer:
        parts.append("Customer: " + one_line(f"{customer} ({tier})" if tier else customer, 300))
    if reason.note:
        parts.append(f"A person decides: {reason.note}")
    parts.append("\n".join([f"Made by the rule {one_line(reason.rule, 200)}:", *map(_clause, reason.clauses)]))
    return "\n\n".join(parts)


def remark(event: str, data: Mapping[str, Any], said: Sequence[Said], scores: Mapping[str, float]) -> str:
    """What a destination is told of an event in an item's history: one sentence, and what the customer said.

    Args:
        event: joined, revised, restored, retracted or answer_ended.
        data: the event's own.
        said: the answer it tells of; quoted where its words are new to the item.
        scores: of that answer.
    """
    parts = [_EVENTS[event].format(reason=_ENDED.get(data.get("reason", ""), ""))]
    changes = data.get("changes", {})
    if event == "joined" or changes.get("words"):
        parts.extend(_quoted(answer) for answer in said)
    if event == "joined" and scores:
        parts.append("Scores: " + ", ".join(_scores(scores)))
    parts.extend(f"{_SCORES.get(name, name)}: {_was_is(*pair)}" for name, pair in changes.get("scores", {}).items())
    if "priority" in data:
        parts.append(f"Priority: {_was_is(*data['priority'])}")
    return "\n\n".join(part for part in parts if part)


def _was_is(before: object, after: object) -> str:
    one, other = ("none" if value is None else str(value) for value in (before, after))
    return f"{one}, now {other}"


def _name(kind: str, scores: Mapping[str, float]) -> str:
    if kind == "follow_up" and scores.get("nps", 10) <= 6:
        return "Detractor"
    return _NAMES.get(kind, kind)


def _scores(scores: Mapping[str, float]) -> list[str]:
    return [f"{_SCORES.get(measure, measure)} {value:g}" for measure, value in scores.items()]


def _quoted(answer: Said) -> str:
    text = visible(answer.text).strip()
    cut = text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
    lines = [f"> {line}".rstrip() for line in cut.splitlines()]
    return "\n".join([one_line(answer.question, 300), *lines] if answer.question else lines)


def _clause(clause: Clause) -> str:
    value = f"{clause.value:.3g}" if isinstance(clause.value, float) else str(clause.value)
    seen = "missing" if clause.value is None else one_line(value, 100)
    return f"- {one_line(clause.text, 300)}: {_RESULTS[clause.result]} ({seen})"
