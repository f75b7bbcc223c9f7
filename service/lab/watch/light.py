"""Light: how the promise about a label stands, in one of four states, with the sentence that says it. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from calibration.promise import Promise
from service.lab.incoming.traffic import Flow
from service.lab.watch import light_words as words
from service.lab.watch.light_words import Checked, Range
from service.route.phrases import listed, percent

SOON = timedelta(days=7)


class Light(StrEnum):
    """The four states of a promise."""

    PROMISED = "promised"
    WATCH = "watch"
    REVIEW_ALL = "review all"
    OVER_CAPACITY = "over capacity"


@dataclass(frozen=True, slots=True)
class Lane:
    """What the threshold is now for the answers of one source and language; `value` is None where people decide.

    `against` says in a sentence what keeps a certificate from standing.
    """

    flow: Flow
    value: float | None
    certified: bool
    against: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """The newest certificate: what was proved, on what, until when."""

    promise: Promise
    expires_at: datetime
    checked: Checked
    recall: Range | None = None
    against: str = ""  # what the checks since say against it, though not enough to end it, in words
    drift: str = ""  # what comes in otherwise than it did, in words


@dataclass(frozen=True, slots=True)
class Attempt:
    """How far labels reach: `have` of `need`.

    Where a run refused for another reason than too few labels, `refusal` says why; `advice` is what it asks for next.
    """

    have: int
    need: int
    refusal: str = ""
    advice: str = ""
    waiting: int = 0  # cards of open samples about it
    seconds: float | None = None  # that a label takes


@dataclass(frozen=True, slots=True)
class Load:
    """Items a day that come to a group, and how many its people can take at once; None without a limit."""

    group: str
    daily: float
    room: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a light is judged by. `lanes` is empty where no threshold of the policy is about the label."""

    axis: str
    label: str
    promise: Promise | None
    lanes: Sequence[Lane] = ()
    proof: Proof | None = None
    attempt: Attempt | None = None
    loads: Sequence[Load] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """Sources and languages that stand alike, where a label does not stand alike everywhere."""

    where: str
    state: Light
    why: str
    records: int


@dataclass(frozen=True, slots=True)
class LabelLight:
    """How one label stands. `sentence` is what heed promises, or that it promises nothing, in natural frequencies.

    `why` are the reasons of the state, the gravest first; `next_step` is what to do about it, empty where nothing is.
    `parts` is empty where it stands alike everywhere. `room` is how many items the people behind it can take at once.
    """

    axis: str
    label: str
    title: str
    state: Light
    sentence: str
    promised: bool  # somewhere: a certificate stands
    why: Sequence[str] = ()
    next_step: str = ""
    parts: Sequence[Part] = ()
    room: int | None = None


def judge(facts: Facts, at: datetime) -> LabelLight:
    """The state of most of its answers, the reasons, and the next step."""
    parts = _parts([(lane, *_lane(lane, facts, at)) for lane in facts.lanes])
    most = max(parts, key=lambda one: (one.records, _GRAVE[one.state]), default=_UNUSED)
    full = [said for load in facts.loads if (said := _over(load))]
    crowded = bool(full) and most.state is not Light.REVIEW_ALL
    return LabelLight(
        axis=facts.axis,
        label=facts.label,
        title=words.title(facts.axis, facts.label),
        state=Light.OVER_CAPACITY if crowded else most.state,
        sentence=_sentence(facts),
        promised=_stands(facts),
        why=[*(full if crowded else ()), *([most.why] if most.why else ())],
        next_step=_next_step(facts, most.state, full if crowded else ()),
        parts=parts if len(parts) > 1 else (),
        room=min((load.room for load in facts.loads if load.room is not None), default=None),
    )


_GRAVE: Mapping[Light, int] = {Light.PROMISED: 0, Light.WATCH: 1, Light.OVER_CAPACITY: 2, Light.REVIEW_ALL: 3}
_UNUSED = Part("", Light.REVIEW_ALL, "No threshold of the policy that decides is about it: nothing acts on it.", 0)


def _lane(lane: Lane, facts: Facts, at: datetime) -> tuple[Light, str]:
    if lane.value is None:
        return Light.REVIEW_ALL, lane.against or "Nothing is proved yet, so that a person decides about each."
    if not lane.certified:
        why = "no certificate covers them" if facts.proof else "nothing is proved yet"
        asked = "" if facts.promise else "; the policy asks for no proof"
        return Light.WATCH, f"heed acts without a promise, where it is {percent(lane.value)} sure: {why}{asked}."
    return _proved(facts.proof, at) if facts.proof else (Light.PROMISED, "")


def _proved(proof: Proof, at: datetime) -> tuple[Light, str]:
    if proof.against:
        return Light.WATCH, proof.against
    if proof.expires_at - at < SOON:
        return Light.WATCH, f"The promise ends on {words.day(proof.expires_at.date())}: it needs fresh labels."
    if proof.drift:
        return Light.WATCH, proof.drift
    return Light.PROMISED, ""


def _parts(of_lane: Sequence[tuple[Lane, Light, str]]) -> list[Part]:
    """Lanes that stand alike, together; those with the most answers first."""
    together: defaultdict[tuple[Light, str], list[Lane]] = defaultdict(list)
    for lane, state, why in of_lane:
        together[state, why].append(lane)
    parts = [
        Part(_where(lanes), state, why, sum(lane.flow.records for lane in lanes))
        for (state, why), lanes in together.items()
    ]
    return sorted(parts, key=lambda part: (-part.records, part.where))


def _where(lanes: Sequence[Lane]) -> str:
    """`store-survey in en; app in de and en`."""
    unknown = {None: "no known language", "und": "no known language"}
    by_source: defaultdict[str, list[str]] = defaultdict(list)
    for lane in sorted(lanes, key=lambda one: (one.flow.source, one.flow.language or "")):
        by_source[lane.flow.source].append(unknown.get(lane.flow.language, lane.flow.language or ""))
    return "; ".join(f"{source} in {listed(languages, 'and')}" for source, languages in by_source.items())


def _over(load: Load) -> str:
    if load.room is None or load.daily <= load.room:
        return ""
    return (
        f"About {load.daily:.0f} items a day come to {load.group}, whose people can take {load.room:,} at once: "
        "what is too much waits."
    )


def _stands(facts: Facts) -> bool:
    return any(lane.certified for lane in facts.lanes)


def _sentence(facts: Facts) -> str:
    if facts.proof is not None and _stands(facts):
        parts = (
            words.promised(facts.axis, facts.label, facts.proof.promise),
            words.caught(facts.proof.recall),
            words.based_on(facts.proof.checked),
        )
        return " ".join(part for part in parts if part)
    held = facts.proof is not None and any(lane.against for lane in facts.lanes)
    begins = "No promise holds now." if held else "No promise possible yet."
    return f"{begins} {_far(facts.attempt)}".strip()


def _far(attempt: Attempt | None) -> str:
    if attempt is None:
        return ""
    if attempt.refusal:
        return attempt.refusal
    return words.missing(attempt.have, attempt.need, attempt.seconds)


def _next_step(facts: Facts, state: Light, full: Sequence[str]) -> str:
    if full:
        where = "Move the threshold up" if _stands(facts) else "Raise the threshold's value in the policy"
        return f"{where}, or give the group more people or room."
    if state is Light.PROMISED:
        return ""
    if not facts.lanes:
        return "Give the policy a threshold for it before you label more."
    if facts.promise is None:
        return "Write a promise at this threshold of the policy, so that it can be proved."
    tried = facts.attempt or Attempt(0, 0)
    if tried.waiting:
        cards = "the card that waits" if tried.waiting == 1 else f"the {tried.waiting:,} cards that wait"
        return f"Label {cards}{words.minutes(tried.waiting, tried.seconds)}, then start a run."
    return tried.advice or _NEXT[state, facts.proof is not None]


_NEXT: Mapping[tuple[Light, bool], str] = {
    (Light.WATCH, True): "Draw a sample and label it: fresh answers decide whether the promise stays.",
    (Light.WATCH, False): "Draw a sample, label it, then start a run.",
    (Light.REVIEW_ALL, True): "Draw a fresh sample, label it, then start a run. Until then people decide.",
    (Light.REVIEW_ALL, False): "Draw a sample, label it, then start a run.",
}
