"""What happened to a work item, each kind of event in words. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from service.api.shapes import EventOut
from service.deliver.plain_text import one_line
from service.pages.words import many, moment

PROMISES: Mapping[str, str] = {"acknowledge": "acknowledge it", "contact": "reach the customer", "resolve": "finish it"}
# Whom a level of an escalation names, as they stand to the item.
STANDING: Mapping[str, str] = {
    "owner": "its owner",
    "owner.manager": "the manager of its owner",
    "owner.manager.manager": "the manager of its owner's manager",
}
_CHANNELS = {"email": "by e-mail", "phone": "by phone", "chat": "by chat", "other": "in another way"}
_OUTCOMES = {"reached": "reached them", "no_answer": "no answer", "failed": "it could not be delivered"}
_PLAIN: Mapping[str, str] = {
    "acknowledge": "acknowledged it",
    "resume": "went on with it: the clock runs again",
    "resolve": "finished it",
    "reopen": "opened it again",
    "retract": "took it back",
    "acknowledge_escalation": "said: I see to it",
}
Data = Mapping[str, Any]


def what_happened(event: EventOut, zone: str | None) -> str:
    """An event as the end of a sentence that begins with who it was: `assigned it to jan`; times in this zone."""
    dated = _DATED.get(event.type)
    if dated:
        return dated(event.data, zone)
    if event.type == "assign" and event.data["owner"] == event.actor:
        return f"took it over from {_name(event.data['from'])}" if event.data.get("from") else "took it"
    told = _TOLD.get(event.type)
    return told(event.data) if told else _PLAIN.get(event.type, event.type.replace("_", " "))


def _created(data: Data) -> str:
    owner = f", for {_name(data['owner'])}" if data.get("owner") else ""
    past = f', past the groups by the bypass "{_name(data["bypass"])}"' if data.get("bypass") else ""
    return f'made it by the rule "{_name(data["rule"])}"{owner}{past}{_notes(data)}'


def _assigned(data: Data) -> str:
    before = f" (it was {_name(data['from'])}'s)" if data.get("from") else ""
    return f"assigned it to {_name(data['owner'])}{before}"


def _contacted(data: Data) -> str:
    if data["outcome"] == "not_allowed":
        return "recorded: not contacted: no consent"
    return f"contacted the customer {_CHANNELS[data['channel']]}: {_OUTCOMES[data['outcome']]}"


def _waits(data: Data, zone: str | None) -> str:
    until = f" until {_moment(data['until'], zone)}" if data.get("until") else ""
    return f"let it wait for the customer{until}"


def _judged(data: Data) -> str:
    said = "; ".join(f"{'yes' if answer else 'no'} to {one_line(name, 60)}" for name, answer in data["rules"].items())
    existing = ", ".join(one_line(name, 60) for name in data.get("existing", ()))
    return f"decided: {said}" + (f" (what {existing} asks for was there already)" if existing else "")


def _offered(data: Data, zone: str | None) -> str:
    due = f", to be accepted by {_moment(data['due_at'], zone)}" if data.get("due_at") else ""
    return f"offered it to {_name(data['owner'])}{due}"


def _accepted(data: Data) -> str:
    before = f" from {_name(data['from'])}" if data.get("from") else ""
    return f"accepted it{before}"


def _declined(data: Data) -> str:
    if data.get("withdrawn"):
        return f"took the offer to {_name(data.get('offered_to'))} back"
    return "could not take it"


def _lapsed(data: Data) -> str:
    return f"ended the offer to {_name(data['offered_to'])}: nobody accepted it in time"


def _bypass_reviewed(data: Data) -> str:
    return f"said that the bypass {_name(data.get('bypass'))} was {'right' if data['fitting'] else 'not right'} here"


def _wrong(data: Data) -> str:
    found = " ".join(_name(data[name]) for name in ("axis", "label") if data.get(name))
    about = f": {found}" if found else ""
    right = f", it should be {_name(data['right'])}" if data.get("right") else ""
    return f"said that this routing is wrong{about}{right}"


def _at_risk(data: Data, zone: str | None) -> str:
    return f"noted: the promise to {_promise(data)} was at risk, due {_moment(data['due_at'], zone)}"


def _missed(data: Data, zone: str | None) -> str:
    return f"noted: the promise to {_promise(data)} was missed, due {_moment(data['due_at'], zone)}"


def _escalated(data: Data) -> str:
    told = ", ".join(_name(name) for name in data["told"]) or "nobody, for nobody could be reached"
    because = f" ({one_line(str(data['because']), 300)})" if data.get("because") else ""
    who = f", {STANDING[data['to']]}" if data["told"] and not because and data.get("to") in STANDING else ""
    return f"escalated it, level {data['level']}: told {told}{who}{because}"


def _joined(data: Data) -> str:
    return f"added another answer that says the same, now {many(data['answers'], 'answer')}{_raised(data)}"


def _revised(data: Data) -> str:
    return f"noted that the customer changed the answer{_changes(data)}{_raised(data)}"


def _restored(data: Data) -> str:
    return f"opened it again, for the changed answer asks for it{_notes(data)}"


def _retracted(data: Data) -> str:
    return f"took it back: {_gone(data)}"


def _answer_ended(data: Data) -> str:
    return f"noted that one answer counts no more: {_gone(data)}"


_TOLD: Mapping[str, Callable[[Data], str]] = {
    "created": _created,
    "assign": _assigned,
    "contact_attempt": _contacted,
    "judge": _judged,
    "accept": _accepted,
    "decline": _declined,
    "hand_off_lapsed": _lapsed,
    "review_bypass": _bypass_reviewed,
    "wrong_routing": _wrong,
    "escalated": _escalated,
    "joined": _joined,
    "revised": _revised,
    "restored": _restored,
    "retracted": _retracted,
    "answer_ended": _answer_ended,
}
_DATED: Mapping[str, Callable[[Data, str | None], str]] = {
    "wait": _waits,
    "hand_off": _offered,
    "at_risk": _at_risk,
    "missed": _missed,
}


def _name(text: object) -> str:
    return one_line(str(text), 100)


def _promise(data: Data) -> str:
    return PROMISES.get(data["target"], str(data["target"]))


def _notes(data: Data) -> str:
    return f" ({'; '.join(one_line(str(note), 300) for note in data['notes'])})" if data.get("notes") else ""


def _raised(data: Data) -> str:
    return f"; its priority is {data['priority'][1]} instead of {data['priority'][0]}" if data.get("priority") else ""


def _changes(data: Data) -> str:
    changes = data.get("changes", {})
    told = [
        f"{name.upper()} {'nothing' if new is None else new} instead of {'nothing' if old is None else old}"
        for name, (old, new) in changes.get("scores", {}).items()
    ]
    return f": {', '.join([*told, *(['other words'] if changes.get('words') else [])])}" if changes else ""


def _gone(data: Data) -> str:
    return (
        "the answer was withdrawn" if data.get("reason") == "withdrawn" else "the changed answer no longer asks for it"
    )


def _moment(at: str, zone: str | None) -> str:
    return moment(datetime.fromisoformat(at), zone).striptags()
