"""What happened to a work item, in words, newest first. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.api.shapes import EventOut
from service.pages.event_words import STANDING, what_happened
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


def history(events: Sequence[EventOut], zone: str | None) -> list[Happened]:
    """Every event in words, newest first; times in this zone."""
    return [_happened(event, zone) for event in reversed(events)]


def _happened(event: EventOut, zone: str | None) -> Happened:
    data = event.data
    typed = [
        data[name] for name in ("outcome", "root_cause", "comment") if name in data and event.type != "contact_attempt"
    ]
    if event.type == "contact_attempt" and "comment" in data:
        typed = [data["comment"]]
    made = [(kind(one["kind"]), one["id"]) for one in data.get("made", ())]
    return Happened(event.actor, what_happened(event, zone), event.at, typed, made)


@dataclass(frozen=True, slots=True)
class Level:
    """A level of escalation that went off: who was told what, as whom, and who said after it that they see to it."""

    number: int
    to: str
    told: Sequence[str]
    notice: str
    because: str
    at: datetime
    seen_by: str | None = None
    seen_at: datetime | None = None


def escalations(events: Sequence[EventOut]) -> list[Level]:
    """The levels that went off, in their order."""
    levels = []
    for place, event in enumerate(events):
        if event.type == "escalated":
            seen = next((one for one in events[place:] if one.type == "acknowledge_escalation"), None)
            data = event.data
            levels.append(
                Level(
                    number=data["level"],
                    to=whom(str(data.get("to") or "")),
                    told=data["told"],
                    notice=data["notice"],
                    because=str(data.get("because") or ""),
                    at=event.at,
                    seen_by=seen.actor if seen else None,
                    seen_at=seen.at if seen else None,
                )
            )
    return levels


def whom(to: str) -> str:
    """Whom a level names, in words: `the manager of its owner`, `the group directors`."""
    return STANDING.get(to, f"the group {to}" if to else "")


def asked_to_see(levels: Sequence[Level], name: str) -> bool:
    """Whether somebody was told of an escalation and has not said yet that they see to it."""
    return any(name in level.told and level.seen_by is None for level in levels)


def newest_join(events: Sequence[EventOut]) -> datetime | None:
    """When an answer last joined the item."""
    return max((event.at for event in events if event.type == "joined"), default=None)
