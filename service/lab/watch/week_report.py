"""What changed in a week, in at most five sentences: promises, the worst topic, people, what comes in, what to do."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from calibration.words import counted
from service.lab.labels.evidence import stood_by
from service.lab.recalibration.told import told
from service.lab.watch import light_words
from service.lab.watch.gate_week import PromiseNow, WeekSample, promise_of
from service.lab.watch.trail import AuditWeek, live_certificates, monday_of, trail
from service.lab.watch.what_changed import Drifted, drifted, voided
from service.route.certificates import day
from service.route.phrases import listed
from service.store.lab_tables import Certificate, HumanLabel, LabelCard, LabelSample
from service.store.tables import User

WEEK = timedelta(weeks=1)
MOST = 5  # sentences
_ANEW = ", to prove the promise anew"
_AS_BEFORE = "What comes in is spread as it was when the promises were proved."


@dataclass(frozen=True, slots=True)
class WeekTold:
    """The sentences of a week, and the figures they rest on."""

    sentences: tuple[str, ...]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Watched:
    """A certificate in date, its newest week with answers, and how the promise about its label stands."""

    certificate: Certificate
    latest: AuditWeek | None
    now: PromiseNow

    @property
    def title(self) -> str:
        return light_words.title(self.certificate.axis, self.certificate.label)


def report_of(session: Session, samples: Sequence[WeekSample], at: datetime) -> WeekTold:
    """What changed up to `at`; `samples` are those of the gates of the policies that decide."""
    watched = [_watched(session, one, at) for one in live_certificates(session, at)]
    labels = {(one.gate.axis, one.gate.label) for one in samples}
    labels |= {(one.certificate.axis, one.certificate.label) for one in watched}
    now = {light_words.title(*one): promise_of(session, *one, at) for one in sorted(labels)}
    shifts = drifted(session, at)
    corrections = told(session, at)
    judged, alike = _agreement(session, at)
    alone = _too_few(session) if not judged and any(one.size for one in samples) else ""
    sentences = (
        _promises(now),
        _worst([one for one in watched if one.latest and one.latest.week >= monday_of(at - 2 * WEEK)]),
        corrections[0] if corrections else "",
        alone or _people(judged, alike),
        _coming_in(shifts, watched),
        _label_next(samples),
    )
    figures = {
        "promises": {"gates": len(samples), "in_force": sum(one.now.passes for one in watched), "of": len(watched)},
        "agreement": {"judged_by_two": judged, "alike": alike},
        "samples": [{"axis": one.gate.axis, "label": one.gate.label, "size": one.size} for one in samples],
        "calibrators": list(corrections),
        "drift": [asdict(one) for one in shifts],
        "void": [asdict(one) for one in voided(session, at)],
    }
    return WeekTold(_at_most_five(sentences, (_AS_BEFORE, _people(judged, alike), sentences[1])), figures)


def _at_most_five(sentences: Sequence[str], least: Sequence[str]) -> tuple[str, ...]:
    """What there is to say; where it is more than five sentences, without the first of the `least` of them."""
    said = [one for one in sentences if one]
    for one in least:
        if len(said) > MOST and one in said:
            said.remove(one)
    return tuple(said)


def _watched(session: Session, certificate: Certificate, at: datetime) -> _Watched:
    weeks = trail(session, certificate, at).weeks
    latest = next((week for week in reversed(weeks) if week.n), None)
    return _Watched(certificate, latest, promise_of(session, certificate.axis, certificate.label, at))


_STANDING: Mapping[str, str] = {  # in the order in which they are told
    "stands": "the promise holds",
    "ends soon": "the promise holds, and ends on {ends}",
    "held": "people decide, as somebody asked for; what was proved stays proved",
    "partly": "the promise holds for a part of what comes in, and people decide about the rest",
    "withdrawn": "the promise does not stand any more, people decide",
    "void": "the promise is void, people decide",
    "ran out": "the promise ran out on {ends}, people decide",
    "none": "nothing is promised yet",
}


def _promises(now: Mapping[str, PromiseNow]) -> str:
    said: dict[str, list[str]] = {}
    for state, words in _STANDING.items():
        for title, one in now.items():
            if state == ("partly" if one.passes and one.state in {"withdrawn", "void"} else one.state):
                said.setdefault(words.format(ends=day(one.ends) if one.ends else ""), []).append(title)
    if not said:
        return "No policy that decides promises anything."
    return "; ".join(f"{listed(sorted(titles), 'and')}: {words}" for words, titles in said.items()) + "."


def _worst(watched: Sequence[_Watched]) -> str:
    checked = [(one.latest.wrong / one.latest.n, one.latest, one.title) for one in watched if one.latest]
    if not checked:
        return ""
    _, week, title = max(checked, key=lambda one: (one[0], one[1].n, one[2]))
    of = counted(week.n, "checked answer", "checked answers")
    if not week.wrong:
        return f"None of the {of} of the latest week was wrong." if week.n > 1 else "The one checked answer was right."
    most = "Most mistakes: " if len(checked) > 1 else ""
    were = "was" if week.wrong == 1 else "were"
    return f"{most}{title}: {week.wrong} of {of} {were} wrong in the week of {week.week.day} {week.week:%b}."


def _people(judged: int, alike: int) -> str:
    if not judged:
        return "No answer was judged by two people in the last week."
    return f"Two people said the same about {alike} of {counted(judged, 'answer', 'answers')} that both judged."


def _too_few(session: Session) -> str:
    """What is missing where two people who may label blind are not there; empty where they are."""
    people = session.exec(select(User).where(col(User.active))).all()
    blind = sorted(one.name for one in people if set(one.roles) == {"reviewer"})
    if len(blind) > 1:
        return ""
    found = f"Only {blind[0]} is" if blind else "Nobody is"
    return f"{found} a reviewer and nothing else: before two such people label, nothing can be promised."


def _coming_in(shifts: Sequence[Drifted], watched: Sequence[_Watched]) -> str:
    if not shifts:
        return _AS_BEFORE if any(one.now.passes for one in watched) else ""
    more = f" So do {len(shifts) - 1} more." if len(shifts) > 1 else ""
    return shifts[0].sentence.replace(": label a targeted", ", so label a targeted") + more


def _label_next(samples: Sequence[WeekSample]) -> str:
    drawn = [f"{one.size} for {one.gate.title.lower()}{_ANEW * one.renews}" for one in samples if one.size]
    if drawn:
        return f"To label: {listed(drawn, 'and')}."
    return f"No sample was drawn for {samples[0].gate.title.lower()}: {samples[0].why_none}." if samples else ""


def _agreement(session: Session, at: datetime) -> tuple[int, int]:
    """Of the cards labelled last week, how many two people judged blind, and on how many they said the same."""
    said = session.exec(
        select(HumanLabel.card_id, HumanLabel.rater, HumanLabel.labels, HumanLabel.unsure)
        .join(LabelCard, col(LabelCard.id) == col(HumanLabel.card_id))
        .join(LabelSample, col(LabelSample.id) == col(LabelCard.sample_id))
        .where(
            col(HumanLabel.at) > at - WEEK,
            col(HumanLabel.at) <= at,
            col(HumanLabel.blind),
            *stood_by(),
            col(LabelSample.pool) == "audit",
        )
        .order_by(col(HumanLabel.at).desc())
    )
    first: defaultdict[UUID, dict[str, tuple[frozenset[str], bool]]] = defaultdict(dict)
    for card, rater, labels, unsure in said:
        first[card][rater] = (frozenset(labels), unsure)
    twice = [set(answers.values()) for answers in first.values() if len(answers) > 1]
    return len(twice), sum(len(answers) == 1 for answers in twice)
