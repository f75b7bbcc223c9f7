"""What happened to a work item, in words, newest first. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.api.shapes import EventOut
from service.pages.event_words import what_happened
from service.pages.words import kind

RESULTS: Mapping[bool | str, tuple[str, str]] = {
    True: ("met", "good"),
    False: ("not met", "calm"),
    "unknown": ("not known", "warn"),
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of the history: `ana acknowledged it`; `quoted` are words that somebody typed."""

    who: str
    what: str
    at: datetime
    quoted: Sequence[str] = ()
    made: Sequence[tuple[str, str]] = ()  # kind and id of items that came of it


def history(events: Sequence[EventOut]) -> list[Happened]:
    """Every event in words, newest first."""
    return [_happened(event) for event in reversed(events)]


def _happened(event: EventOut) -> Happened:
    data = event.data
    typed = [
        data[name] for name in ("outcome", "root_cause", "comment") if name in data and event.type != "contact_attempt"
    ]
    if event.type == "contact_attempt" and "comment" in data:
        typed = [data["comment"]]
    made = [(kind(one["kind"]), one["id"]) for one in data.get("made", ())]
    return Happened(event.actor, what_happened(event), event.at, typed, made)


@dataclass(frozen=True, slots=True)
class Level:
    """A level of escalation that went off: who was told what, and who of them said that they see to it."""

    number: int
    told: Sequence[str]
    notice: str
    because: str
    at: datetime
    seen_by: str | None = None
    seen_at: datetime | None = None


def escalations(events: Sequence[EventOut]) -> list[Level]:
    """The levels that went off, in their order."""
    levels = []
    for event in events:
        if event.type == "escalated":
            seen = next((one for one in events if _sees_to(one, event)), None)
            data = event.data
            levels.append(
                Level(
                    number=data["level"],
                    told=data["told"],
                    notice=data["notice"],
                    because=str(data.get("because") or ""),
                    at=event.at,
                    seen_by=seen.actor if seen else None,
                    seen_at=seen.at if seen else None,
                )
            )
    return levels


def _sees_to(one: EventOut, escalated: EventOut) -> bool:
    later = one.sequence > escalated.sequence
    return later and one.type == "acknowledge_escalation" and one.actor in escalated.data["told"]


def asked_to_see(levels: Sequence[Level], name: str) -> bool:
    """Whether somebody was told of an escalation and has not said yet that they see to it."""
    return any(name in level.told and level.seen_by is None for level in levels)


def newest_join(events: Sequence[EventOut]) -> datetime | None:
    """When an answer last joined the item."""
    return max((event.at for event in events if event.type == "joined"), default=None)
