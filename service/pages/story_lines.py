"""What happened to a feedback record, line by line; its answers, scores and readings in words. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.prediction import Classification
from service.api.feedback import StoryOut
from service.api.shapes import EventOut, WorkItemOut
from service.pages.marks import Quote, quote_of, said
from service.pages.words import kind
from service.route.expression import asked, text_of
from service.route.phrases import number, sure
from service.route.policy import Policy
from service.store.tables import DeliveryAttempt

_LIKELY = 0.5  # a type at or above it is named
_SCORES: Mapping[str, str] = {
    "nps": "NPS {} of 10",
    "csat": "CSAT {} of 5",
    "ces": "Effort (CES) {} of 7",
    "stars": "{} of 5 stars",
}
_DONE: Mapping[str, str] = {
    "created": "was made",
    "acknowledge": "was taken up",
    "assign": "was given to {owner}",
    "contact_attempt": "customer contacted by {channel}: {outcome}",
    "refused": "not contacted: no consent",
    "wait": "waits for the customer",
    "resume": "goes on",
    "resolve": "is done",
    "reopen": "was opened again",
    "judge": "was judged by a person",
}
_OUTCOMES = {"reached": "reached", "no_answer": "no answer", "failed": "it could not be delivered"}
_TRIED: Mapping[str, str] = {
    "delivered": "Sent to {}",
    "rejected": "Tried to send to {}: refused",
    "trylater": "Tried to send to {}: did not work, to be tried again",
    "lost": "Tried to send to {}: cut off",
}


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened; `quoted` are words that are not ours."""

    at: datetime
    what: str
    who: str = ""
    quoted: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Something that was read in the words, how sure, and the figure."""

    words: str
    sure: str
    figure: float


def quotes(story: StoryOut) -> list[Quote]:
    """The answers with what was read in them marked."""
    spans = story.classification.spans if story.classification else []
    return [
        quote_of(answer.get("question"), answer["text"], [span for span in spans if span.verbatim == place])
        for place, answer in enumerate(story.feedback.get("verbatims", []))
    ]


def scores(given: Mapping[str, float]) -> list[str]:
    """Scores as people say them: `NPS 3 of 10`, `2 of 5 stars`."""
    return [_SCORES[measure].format(number(value)) for measure, value in given.items() if measure in _SCORES]


def readings(read: Classification) -> list[Reading]:
    """What the classifier believes: sentiment, topics, what kind of text, how urgent."""
    types = sorted(read.type.probabilities.items(), key=lambda one: -one[1])
    beliefs = [
        ("sentiment", read.sentiment.label, read.sentiment.probabilities[read.sentiment.label]),
        *(("topic", topic.label, topic.probability) for topic in read.topics),
        *(("type", label, probability) for label, probability in types if probability >= _LIKELY),
        ("urgency", read.urgency.label, read.urgency.probabilities[read.urgency.label]),
    ]
    return [Reading(said(axis, label), sure(figure), figure) for axis, label, figure in beliefs]


def figures(read: Classification) -> list[tuple[str, float]]:
    """Every figure behind the readings, by axis and label."""
    axes = (
        ("sentiment", read.sentiment.probabilities),
        ("topic", {topic.label: topic.probability for topic in read.topics}),
        ("type", read.type.probabilities),
        ("urgency", read.urgency.probabilities),
    )
    return [(said(axis, label), figure) for axis, found in axes for label, figure in found.items()]


def lines(
    story: StoryOut,
    received: Sequence[tuple[int, datetime]],
    read_at: datetime | None,
    attempts: Mapping[UUID, Sequence[DeliveryAttempt]],
) -> list[Line]:
    """Everything that happened, newest first.

    Args:
        story: the record and what became of it.
        received: each revision and when it came in, oldest first.
        read_at: when the newest answer was classified.
        attempts: of each delivery, in order.
    """
    found = [
        Line(at, f"Received from {story.feedback['source']}" if not place else f"Answer changed: revision {revision}")
        for place, (revision, at) in enumerate(received)
    ]
    if read_at is not None and story.classification:
        found.append(Line(read_at, f"Read by {story.classification.classifier}"))
    if story.decision:
        version = story.decision.policy_version
        found.append(Line(story.decision.decided_at, f"Decided under version {version} of the policy"))
    for item in story.work_items:
        found.extend(_happened(item, event) for event in item.events)
    for delivery in story.deliveries:
        found.extend(_tried(delivery.destination, attempts.get(delivery.id, ())))
    return sorted(found, key=lambda line: line.at)[::-1]  # of one moment, too, what came last comes first


def _happened(item: WorkItemOut, event: EventOut) -> Line:
    data: dict[str, Any] = {"owner": "somebody", "channel": "other", **event.data}
    data["outcome"] = _OUTCOMES.get(str(data.get("outcome", "")), "")
    said = "refused" if event.data.get("outcome") == "not_allowed" else event.type
    what = _DONE.get(said, event.type.replace("_", " ")).format_map(data)
    words = event.data.get("comment") or (event.data.get("outcome", "") if event.type == "resolve" else "")
    return Line(event.at, f"{kind(item.kind)}: {what}", event.actor, str(words))


def _tried(destination: str, attempts: Iterable[DeliveryAttempt]) -> Iterable[Line]:
    for attempt in attempts:
        what = _TRIED.get(attempt.outcome or "", "Tried to send to {}: under way, or cut off").format(destination)
        yield Line(attempt.started_at, f"{what} (try {attempt.number})", "", attempt.detail or "")


def denied(policy: Policy) -> set[tuple[str, str]]:
    """The clauses, each with its rule, that a rule asks not to hold: those that stand only behind a `not`."""
    wants = {(rule.name, text_of(clause), wanted) for rule in policy.rules for clause, wanted in asked(rule.when)}
    return {(rule, clause) for rule, clause, wanted in wants if not wanted and (rule, clause, True) not in wants}
