"""The forms of a work item: which are open when, what was typed into them, and what was wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter, ValidationError

from service.api.shapes import WorkItemOut
from service.deliver.plain_text import one_line
from service.ingest.wording import sentence
from service.pages.visitor import Form
from service.pages.words import status
from service.review import WrongAnswers
from service.store.tables import WorkItem
from service.work.events import Event
from service.work.lifecycle import UNRESOLVED, Impossible

Pairs = Sequence[tuple[str, str]]

CHANGED = (
    "Somebody else changed this meanwhile. Look at it again: what you typed is still here, send it once more if it "
    "still fits."
)
GONE = "This was done meanwhile (see History); there is nothing to send again."
TAKEN_BACK = (
    "Meanwhile the customer changed or withdrew the answer: there is nothing left to do here, or to send again."
)
_DONE: Mapping[str, str] = {
    "acknowledge": "Acknowledged.",
    "assign": "Assigned.",
    "contact_attempt": "The contact attempt is recorded.",
    "wait": "It waits: its clock stands still.",
    "resume": "It goes on: its clock runs again.",
    "take": "It is yours now.",
    "resolve": "Done.",
    "reopen": "Opened again.",
    "judge": "Decided as you said. What was made stands in the history.",
    "hand_off": "Offered. It stays where it is until they accept.",
    "accept": "It is yours now.",
    "decline": "The offer has ended.",
    "review_bypass": "Your review is recorded.",
    "acknowledge_escalation": "Recorded: you see to it. Whose it is has not changed.",
    "wrong_routing": "Recorded among the corrections. It changes nothing about this item.",
}
CHOICES: Mapping[str, Pairs] = {
    "channel": (
        ("", "choose …"),
        ("phone", "by phone"),
        ("email", "by e-mail"),
        ("chat", "by chat"),
        ("other", "in another way"),
    ),
    "outcome": (
        ("", "choose …"),
        ("reached", "reached the customer"),
        ("no_answer", "no answer"),
        ("failed", "it could not be delivered"),
        ("not_allowed", "not contacted: no consent"),
    ),
}
# What each form asks for beside a comment.
_FIELDS: Mapping[str, Sequence[str]] = {
    "acknowledge": (),
    "assign": ("owner",),
    "contact_attempt": ("channel", "outcome"),
    "wait": ("until",),
    "resume": (),
    "resolve": ("outcome", "root_cause"),
    "reopen": (),
    "judge": (),
    "hand_off": ("owner",),
    "accept": (),
    "decline": (),
    "review_bypass": ("fitting",),
    "acknowledge_escalation": (),
    "wrong_routing": ("about", "right"),
}
_OPEN: Mapping[str, Sequence[str]] = {
    "open": ("acknowledge", "contact_attempt", "assign", "wait", "resolve"),
    "acknowledged": ("contact_attempt", "resolve", "assign", "wait"),
    "waiting": ("resume", "contact_attempt", "resolve", "assign"),
    "resolved": ("reopen",),
    "retracted": (),
}
# What depends on more than the status: to whom it is offered, who was told, how it came here.
_BESIDE = frozenset({"judge", "hand_off", "accept", "decline", "review_bypass", "acknowledge_escalation"})
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_MISSING: Mapping[str, str] = {
    "owner": "Say who is to have it.",
    "comment": "Say why.",
    "channel": "Choose how the customer was contacted.",
    "outcome": "Choose what came of it.",
    "until": "Give a day and a time, or leave it empty.",
    "fitting": "Answer yes or no.",
}


class InvalidForm(Exception):
    """What was typed cannot be used. `errors` holds a sentence by field name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was sent: its type, what was typed by field name, and errors by field name ("" is the whole).

    `stale`: the item was changed since the form was shown.
    """

    type: str = ""
    typed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    errors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    stale: bool = False

    def with_errors(self, errors: Mapping[str, str]) -> "Filled":
        """The same form with what is wrong with it."""
        return replace(self, errors=errors)

    def overtaken(self) -> "Filled":
        """The same form after the item was changed."""
        return replace(self, stale=True)


@dataclass(frozen=True, slots=True)
class Actions:
    """The one next action, the others, and what a mandatory item still lacks before it can be finished."""

    main: str | None
    others: Sequence[str] = ()
    lacking: Sequence[str] = ()


NOTHING = Actions(None)


def meanwhile(form: Filled, possible: Actions, item: WorkItemOut) -> str:
    """What is said above a form that came too late: it may be sent again, or there is nothing left to send."""
    if not form.stale:
        return ""
    if form.type == possible.main or form.type in possible.others:
        return CHANGED
    return TAKEN_BACK if item.status == "retracted" else GONE


def actions(item: WorkItemOut, me: str, *, judging: bool, told: bool) -> Actions:
    """What somebody can do with an item as it stands, and what comes first: a judgement, an answer to others, work.

    `told`: they were told of an escalation, and nobody has said since that they see to it.
    """
    contacted = any(event.type == "contact_attempt" for event in item.events)
    lacking = ["a contact attempt"] if item.mandatory and not contacted else []
    goes_on = item.status in UNRESOLVED
    take = ["take"] if goes_on and item.owner != me != item.offered_to else []
    possible = [*_answers_to_others(item, me, told=told), *take, *_OPEN[item.status]]
    if goes_on and item.offered_to is None:
        possible.append("hand_off")
    if item.bypass is not None and item.bypass.reviewed is None and item.status != "retracted":
        possible.append("review_bypass")
    possible.append("wrong_routing")
    main = "judge" if judging else _first(item, possible, contacted=contacted)
    return Actions(main, [one for one in possible if one != main], lacking)


def _answers_to_others(item: WorkItemOut, me: str, *, told: bool) -> list[str]:
    if item.status in {"resolved", "retracted"}:
        return []
    offered = ["accept", "decline"] if item.offered_to == me else []
    back = ["decline"] if item.offered_to is not None and item.owner == me != item.offered_to else []
    return [*offered, *(["acknowledge_escalation"] if told else []), *back]


def _first(item: WorkItemOut, possible: Sequence[str], *, contacted: bool) -> str | None:
    if possible[:1] == ["accept"] or (possible[:1] == ["acknowledge_escalation"] and _is_late(item)):
        return possible[0]
    if item.status in {"open", "waiting"}:
        return _OPEN[item.status][0]
    if item.status == "acknowledged":
        return "contact_attempt" if item.kind == "follow_up" and not contacted else "resolve"
    return "review_bypass" if "review_bypass" in possible else None


def _is_late(item: WorkItemOut) -> bool:
    """Whether a promise was missed that is not kept yet, late as it is."""
    missed = {event.data["target"] for event in item.events if event.type == "missed"}
    return any(one is not None and one.met_at is None for name, one in item.targets if name in missed)


def done(type_: str, owner: str | None) -> str:
    """What is said after an event was recorded; of any other word, nothing."""
    if type_ == "assign" and owner:
        return f"Assigned to {one_line(owner, 128)}."
    return _DONE.get(type_, "")


def filled(form: Form) -> Filled:
    """What was typed, whatever it is."""
    type_ = form.text("type")
    names = [f"{type_}-{name}" for name in (*_FIELDS.get(type_, ()), "comment")]
    answers = {f"judge-{number}": form.text(f"judge-{number}") for number in range(200) if form.text(f"judge-{number}")}
    return Filled(type_, {name: form.text(name)[:5_000] for name in names} | answers)


def read_event(form: Form, zone: str | None, rules: Sequence[str]) -> Event:
    """The event a form describes; `rules` are those a review asks about, answered as `judge-0`, `judge-1`, ...

    Raises:
        InvalidForm: with a sentence for each field that is wrong.
    """
    type_ = form.text("type")
    asked = _FIELDS.get(type_)
    if asked is None:
        raise InvalidForm({"": "Choose one of the actions on this page."})
    given: dict[str, Any] = {name: text for name in (*asked, "comment") if (text := form.text(f"{type_}-{name}"))}
    if "until" in given:
        given["until"] = _local(given["until"], zone)
    if type_ == "review_bypass" and "fitting" in given:
        given["fitting"] = {"yes": True, "no": False}.get(str(given["fitting"]))
    if "about" in given:
        given["axis"], _, given["label"] = given.pop("about").partition(":")
    if type_ == "judge" and not rules:
        raise InvalidForm({"": "There is nothing to decide on this item."})
    if type_ == "judge":
        given["rules"] = _answers(form, rules)
    try:
        return _EVENT.validate_python({"type": type_, **given})
    except ValidationError as error:
        raise InvalidForm({f"{type_}-{_field(one['loc'])}": _wording(dict(one)) for one in error.errors()}) from error


def _answers(form: Form, rules: Sequence[str]) -> dict[str, bool]:
    said = {name: form.text(f"judge-{number}") for number, name in enumerate(rules)}
    open_ones = [f"judge-{number}" for number, name in enumerate(rules) if said[name] not in {"yes", "no"}]
    if open_ones:
        raise InvalidForm(dict.fromkeys(open_ones, "Answer yes or no."))
    return {name: answer == "yes" for name, answer in said.items()}


def _local(text: str, zone: str | None) -> str:
    """A moment as a date field sends it, in the reader's zone."""
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone) if zone else UTC)
        return aware.astimezone(UTC).isoformat()
    except (ValueError, OverflowError, ZoneInfoNotFoundError) as error:
        raise InvalidForm({"wait-until": _MISSING["until"]}) from error


def _field(place: Sequence[int | str]) -> str:
    return str(place[1]) if len(place) > 1 else ""


def _wording(found: dict[str, Any]) -> str:
    missing = found["type"] in {"missing", "literal_error", "bool_type"} or found.get("ctx", {}).get("min_length") == 1
    return (_MISSING.get(_field(found["loc"])) if missing else None) or sentence(found)  # type: ignore[arg-type] # a copy of pydantic's


_LACKING: Mapping[str, str] = {
    "/contact_attempt": "The customer has not been contacted yet: record a contact attempt first.",
    "/outcome": "Say what came of it.",
    "/root_cause": "Say what the cause was.",
}


def errors_of(refusal: Impossible | WrongAnswers, row: WorkItem, type_: str) -> Mapping[str, str]:
    """Why an event was refused, by field name; what belongs to no field stands under ""."""
    if isinstance(refusal, WrongAnswers):
        return {"": "The open questions of this item are others by now: answer those that are shown."}
    if not refusal.missing and type_ in _BESIDE and row.status not in {"resolved", "retracted"}:
        return {"": _not_theirs(refusal, row, type_)}
    if not refusal.missing:
        return {"": f"That is not possible any more: the item is {status(row.status)}."}
    told = {pointer: _LACKING.get(pointer, detail) for pointer, detail in refusal.missing}
    whole = {"": told.pop("/contact_attempt")} if "/contact_attempt" in told else {}
    return whole | {f"{type_}-{pointer[1:]}": detail for pointer, detail in told.items()}


def _not_theirs(refusal: Impossible, row: WorkItem, type_: str) -> str:
    """A refusal as the buttons of the page call things."""
    offered = one_line(row.offered_to or "", 128)
    match type_:
        case "accept" | "decline" if not offered:
            return "There is no offer any more: it was answered, taken back, or has run out."
        case "accept":
            return f"It is offered to {offered}, who alone can accept it. To have it at once, take it over."
        case "decline":
            return f"It is offered to {offered}: they can decline it, and its owner can take the offer back."
        case "hand_off" if offered:
            return f"It is offered to {offered} already: take that offer back first, or assign it at once."
        case _:
            return refusal.detail
