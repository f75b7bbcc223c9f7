"""Light: how the promise about a label stands, in one of four states, with the sentence that says it. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from calibration.promise import Promise
from calibration.result import Estimate
from service.lab.incoming.flows import Flow
from service.lab.watch import light_words as words
from service.lab.watch.light_words import Checked
from service.lab.watch.load import Load, over
from service.route.phrases import language, listed, percent

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

    `against` says in a sentence what keeps a certificate from standing; `held` is why people decide where somebody or
    something made them.
    """

    flow: Flow
    value: float | None
    certified: bool
    against: str = ""
    held: Literal["", "person", "alarm"] = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """The newest certificate: what was proved, on what, until when."""

    promise: Promise
    expires_at: datetime
    checked: Checked
    recall: Estimate | None = None
    against: str = ""  # what the checks since say against it, though not enough to end it, in words
    drift: str = ""  # what comes in otherwise than it did, in words


@dataclass(frozen=True, slots=True)
class Attempt:
    """How far the labels of the next run reach: `have` of `need`. Those that a run has tested count no more.

    Where the newest run refused for another reason than too few labels, `refusal` says why; `advice` is what it asks
    for next.
    """

    have: int
    need: int
    refusal: str = ""
    advice: str = ""
    waiting: int = 0  # cards of open samples about it
    seconds: float | None = None  # that a label takes
    looked_at: int = 0  # labels that the newest run saw and did not test: a run on the same ones would say the same

    @property
    def ready(self) -> bool:
        """Whether a run could say more than the newest one did."""
        return self.need > 0 and self.have >= self.need and self.have > self.looked_at


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a light is judged by. `lanes` is empty where no threshold of the policy is about the label.

    `loads` are the groups with a limit that get its items; `unlimited` that others get them who have none. `anew`: it
    was proved again after the alarm that holds it. `awaited`: what was proved waits for a second person.
    """

    axis: str
    label: str
    promise: Promise | None
    lanes: Sequence[Lane] = ()
    proof: Proof | None = None
    attempt: Attempt | None = None
    loads: Sequence[Load] = ()
    unlimited: bool = False
    anew: bool = False
    awaited: bool = False


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
    `parts` is empty where it stands alike everywhere. `room` is how many items a day the people behind it have
    room for, None where nobody knows.
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
    room: float | None = None


def judge(facts: Facts, at: datetime) -> LabelLight:
    """The state of most of its answers, the reasons, and the next step."""
    parts = _parts([(lane, *_lane(lane, facts, at)) for lane in facts.lanes])
    most = max(parts, key=lambda one: (one.records, _GRAVE[one.state]), default=_UNUSED)
    full = [said for load in facts.loads if (said := over(load))]
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
        room=_room(facts),
    )


_GRAVE: Mapping[Light, int] = {Light.PROMISED: 0, Light.WATCH: 1, Light.OVER_CAPACITY: 2, Light.REVIEW_ALL: 3}
_UNUSED = Part("", Light.REVIEW_ALL, "No threshold of the policy that decides is about it: nothing acts on it.", 0)


def _lane(lane: Lane, facts: Facts, at: datetime) -> tuple[Light, str]:
    if lane.value is None:
        return Light.REVIEW_ALL, lane.against or "Nothing is proved yet, so that a person decides about each."
    if not lane.certified:
        why = "no certificate covers them" if facts.proof else "nothing is proved"
        asked = "the policy lets it" if facts.promise else "the policy lets it and asks for no proof"
        sure = f"where it is {percent(lane.value)} sure or more"
        return Light.WATCH, f"heed acts without a promise {sure}: {why}, and {asked}."
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
    """`app and store-survey in English; bank-survey in German and Polish`."""
    by_source: defaultdict[str, set[str]] = defaultdict(set)
    for lane in lanes:
        by_source[lane.flow.source].add(language(lane.flow.language))
    alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for source, languages in sorted(by_source.items()):
        alike[tuple(sorted(languages))].append(source)
    return "; ".join(f"{listed(sources, 'and')} in {listed(languages, 'and')}" for languages, sources in alike.items())


def _room(facts: Facts) -> float | None:
    """Items a day for which all the people together have room."""
    rooms = [load.a_day for load in facts.loads]
    known = [one for one in rooms if one is not None]
    return None if facts.unlimited or not known or len(known) < len(rooms) else sum(known)


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
    if facts.proof is not None and _held_by(facts, "person"):
        return "The promise rests while people decide. What was proved stays proved."
    if facts.awaited or facts.anew:
        return "It was proved, but nothing passes by itself until a second person agrees."
    ended = facts.proof is not None and any(lane.against for lane in facts.lanes)
    return f"{'No promise holds any more.' if ended else 'No promise yet.'} {_far(facts.attempt)}".strip()


def _held_by(facts: Facts, cause: str) -> bool:
    """Whether that is why people decide, of the answers that do not pass."""
    return any(lane.held == cause for lane in facts.lanes)


def _far(attempt: Attempt | None) -> str:
    if attempt is None:
        return ""
    if attempt.refusal:
        return attempt.refusal
    return words.far(attempt.have, attempt.need, attempt.seconds, drawn=attempt.waiting)


def _next_step(facts: Facts, state: Light, full: Sequence[str]) -> str:
    if full:
        where = "move the threshold up" if _stands(facts) else "raise the threshold's value in the policy"
        return f"Close open items first. If that does not last, {where}, or give the group more people."
    if state is Light.PROMISED:
        return ""
    if not facts.lanes:
        return "Give the policy a threshold for it before you label more."
    if facts.awaited:
        return "An administrator who did not start the run agrees on the page Reports, or declines."
    if state is Light.REVIEW_ALL and (_held_by(facts, "person") or facts.anew):
        return "Once the reason is gone, an administrator asks on its page to lift this, and a second one agrees."
    if facts.promise is None:
        return "Write a promise at this threshold of the policy, so that it can be proved."
    tried = facts.attempt or Attempt(0, 0)
    if tried.waiting:
        cards = "the card that waits" if tried.waiting == 1 else f"the {tried.waiting:,} cards that wait"
        long = words.minutes(tried.waiting, tried.seconds)
        return f"Reviewers label {cards}{long}; then an administrator starts a run."
    if tried.ready:
        return "There are enough checked answers to test it: an administrator starts a run."
    if _held_by(facts, "alarm"):
        return f"Look on its page at what went wrong, and mend it. {_DRAW} Until then people decide."
    return tried.advice or _NEXT[state, facts.proof is not None]


_DRAW = "An administrator draws a fresh sample, reviewers label it, then a run tests it."
_NEXT: Mapping[tuple[Light, bool], str] = {
    (Light.WATCH, True): "An administrator draws a sample, reviewers label it: fresh answers decide whether it stays.",
    (Light.WATCH, False): _DRAW,
    (Light.REVIEW_ALL, True): f"{_DRAW} Until then people decide.",
    (Light.REVIEW_ALL, False): _DRAW,
}
