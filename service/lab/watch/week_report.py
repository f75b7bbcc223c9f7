"""What changed in a week, in at most five sentences: promises, the worst topic, people, what comes in, what to do."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from calibration.promise import Promise
from calibration.words import counted
from service.lab.watch import light_words
from service.lab.watch.trail import AuditWeek, live_certificates, trail
from service.lab.watch.what_changed import Moved, Voided, moved, voided
from service.route.certificates import day
from service.route.phrases import listed
from service.store.lab_tables import Certificate, GateHold, HumanLabel, LabelCard, LabelSample

WEEK = timedelta(weeks=1)
ENDS_SOON = timedelta(weeks=4)  # a fresh sample takes its time


@dataclass(frozen=True, slots=True)
class Gate:
    """A label that a policy promises something about."""

    axis: str
    label: str
    promise: Promise

    @property
    def title(self) -> str:
        return light_words.title(self.axis, self.label)

    def is_of(self, certificate: Certificate) -> bool:
        """Whether the certificate is about this label."""
        return (certificate.axis, certificate.label) == (self.axis, self.label)


@dataclass(frozen=True, slots=True)
class WeekSample:
    """What there is to label of a gate this week: `size` cards, or none, and then why."""

    gate: Gate
    size: int
    why_none: str


@dataclass(frozen=True, slots=True)
class WeekTold:
    """The sentences of a week, and the figures they rest on."""

    sentences: tuple[str, ...]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Watched:
    """A certificate in date, its newest week with answers, and whether it is held or void."""

    certificate: Certificate
    latest: AuditWeek | None
    broken: bool

    @property
    def title(self) -> str:
        return light_words.title(self.certificate.axis, self.certificate.label)


def report_of(session: Session, samples: Sequence[WeekSample], at: datetime) -> WeekTold:
    """What changed up to `at`; `samples` are those of the gates of the policies that decide."""
    void = voided(session, at)
    watched = [_watched(session, one, void, at) for one in live_certificates(session, at)]
    shifts = moved(session, at)
    judged, alike = _agreement(session, at)
    sentences = (
        _promises(samples, watched),
        _worst(watched),
        _people(judged, alike),
        _coming_in(shifts, watched),
        _label_next(samples, watched, at),
    )
    figures = {
        "promises": {"gates": len(samples), "in_force": sum(not one.broken for one in watched), "of": len(watched)},
        "agreement": {"judged_by_two": judged, "alike": alike},
        "samples": [{"axis": one.gate.axis, "label": one.gate.label, "size": one.size} for one in samples],
        "drift": [asdict(one) for one in shifts],
        "void": [asdict(one) for one in void],
    }
    return WeekTold(tuple(one for one in sentences if one), figures)


def _watched(session: Session, certificate: Certificate, void: Sequence[Voided], at: datetime) -> _Watched:
    weeks = trail(session, certificate, at).weeks
    latest = next((week for week in reversed(weeks) if week.n), None)
    held = session.exec(
        select(GateHold.id).where(
            col(GateHold.axis) == certificate.axis,
            col(GateHold.label) == certificate.label,
            col(GateHold.lifted_at).is_(None),
        )
    ).first()
    void_now = any((one.axis, one.label) == (certificate.axis, certificate.label) for one in void)
    return _Watched(certificate, latest, broken=void_now or held is not None)


def _promises(samples: Sequence[WeekSample], watched: Sequence[_Watched]) -> str:
    broken = sorted({one.title for one in watched if one.broken})
    kept = sorted({one.title for one in watched} - set(broken))
    parts = []
    if kept:
        parts.append(f"{listed(kept, 'and')}: the promise holds")
    if broken:
        parts.append(f"{listed(broken, 'and')}: the promise does not stand any more, people decide")
    without = [one.gate.title for one in samples if not any(one.gate.is_of(other.certificate) for other in watched)]
    if without:
        parts.append(f"{listed(without, 'and')}: nothing is promised yet")
    return f"{'; '.join(parts)}." if parts else "No policy that decides promises anything."


def _worst(watched: Sequence[_Watched]) -> str:
    checked = [(one.latest.wrong / one.latest.n, one.latest, one.title) for one in watched if one.latest]
    if not checked:
        return ""
    _, week, title = max(checked, key=lambda one: (one[0], one[1].n, one[2]))
    of = counted(week.n, "checked answer", "checked answers")
    if not week.wrong:
        return f"None of the {of} of the latest week was wrong." if week.n > 1 else "The one checked answer was right."
    return f"{title} went wrong most often: {week.wrong} of {of} in the week of {week.week.day} {week.week:%b}."


def _people(judged: int, alike: int) -> str:
    if not judged:
        return "No answer was judged by two people in the last week."
    return f"Two people said the same about {alike} of {counted(judged, 'answer', 'answers')} that both judged."


def _coming_in(shifts: Sequence[Moved], watched: Sequence[_Watched]) -> str:
    if shifts:
        more = f" So do {len(shifts) - 1} more." if len(shifts) > 1 else ""
        return shifts[0].sentence.replace(": label a targeted", ", so label a targeted") + more
    return "What comes in is spread as it was when the promises were proved." if watched else ""


def _label_next(samples: Sequence[WeekSample], watched: Sequence[_Watched], at: datetime) -> str:
    ends = [one for one in watched if not one.broken and one.certificate.expires_at - at < ENDS_SOON]
    drawn = [f"{one.size} for {one.gate.title.lower()}" for one in samples if one.size]
    parts = []
    if drawn:
        parts.append(f"To label: {listed(drawn, 'and')}")
    elif samples:
        parts.append(f"No sample was drawn for {samples[0].gate.title.lower()}: {samples[0].why_none}")
    if ends:
        one = min(ends, key=lambda one: one.certificate.expires_at)
        parts.append(f"the promise about {one.title.lower()} ends on {day(one.certificate.expires_at)}: draw a sample")
    elif any(one.broken for one in watched):
        title = next(one.title for one in watched if one.broken)
        parts.append(f"then a fresh sample for {title.lower()}, since its promise has to be proved anew")
    return f"{'; '.join(parts)}." if parts else ""


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
            col(HumanLabel.undone_at).is_(None),
            col(HumanLabel.skip).is_(None),
            col(LabelSample.pool) == "audit",
        )
        .order_by(col(HumanLabel.at).desc())
    )
    first: defaultdict[UUID, dict[str, tuple[frozenset[str], bool]]] = defaultdict(dict)
    for card, rater, labels, unsure in said:
        first[card][rater] = (frozenset(labels), unsure)
    twice = [set(answers.values()) for answers in first.values() if len(answers) > 1]
    return len(twice), sum(len(answers) == 1 for answers in twice)
