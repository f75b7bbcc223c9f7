"""What happened to a work item, in words, newest first. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.api.shapes import EventOut
from service.deliver.plain_text import one_line
from service.pages.words import kind, moment

RESULTS: Mapping[bool | str, tuple[str, str]] = {
    True: ("met", "good"),
    False: ("not met", "calm"),
    "unknown": ("not known", "warn"),
}
_CHANNELS = {"email": "by e-mail", "phone": "by phone", "chat": "by chat", "other": "in another way"}
_OUTCOMES = {"reached": "reached them", "no_answer": "no answer", "failed": "it could not be delivered"}


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
    return Happened(event.actor, _what(event.type, data), event.at, typed, made)


def _what(type_: str, data: Mapping[str, Any]) -> str:
    match type_:
        case "created":
            owner = f", for {one_line(data['owner'], 60)}" if data.get("owner") else ""
            return f"made it by the rule {one_line(data['rule'], 100)}{owner}"
        case "assign":
            return f"assigned it to {one_line(data['owner'], 100)}"
        case "contact_attempt" if data["outcome"] == "not_allowed":
            return "recorded: not contacted: no consent"
        case "contact_attempt":
            return f"contacted the customer {_CHANNELS[data['channel']]}: {_OUTCOMES[data['outcome']]}"
        case "wait":
            until = data.get("until")
            return f"lets it wait{f' until {_told(until)}' if until else ''}"
        case "judge":
            return _judged(data)
    return _PLAIN.get(type_, type_.replace("_", " "))


_PLAIN: Mapping[str, str] = {
    "acknowledge": "acknowledged it",
    "resume": "let it go on",
    "resolve": "finished it",
    "reopen": "opened it again",
    "retract": "took it back",
}


def _judged(data: Mapping[str, Any]) -> str:
    said = "; ".join(f"{'yes' if answer else 'no'} to {one_line(name, 60)}" for name, answer in data["rules"].items())
    existing = ", ".join(one_line(name, 60) for name in data.get("existing", ()))
    return f"decided: {said}" + (f" (what {existing} asks for was there already)" if existing else "")


def _told(at: str) -> str:
    return moment(datetime.fromisoformat(at)).striptags()
