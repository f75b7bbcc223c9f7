"""The audit trail of a certificate: the blind labels that came after it, week by week.

Samples drawn after the issue say, at and above the threshold, how often the promise is kept: everywhere, and for each
source and language. The evidence holds at any look and for all of them together (`calibration.monitoring.cells`).
After people lifted an alarm the watch begins anew, with samples drawn from then on.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, func, select

from calibration.certification.gold import Standing, settle
from calibration.certification.items import Item, questions
from calibration.monitoring.cells import Cell, CellWeeks, Watch, watch_cells
from service.lab.labels.evidence import Beliefs, Binding, Evidence, labels_of
from service.store.lab_tables import Certificate, GateHold, LabelCard


@dataclass(frozen=True, slots=True)
class AuditWeek:
    """Checked answers at or above the threshold, of the samples drawn in the week of this Monday.

    `waiting` are disputed and count for nothing yet. `evidence` is the evidence against the promise so far: at 1 there
    is none, and the alarm comes far above it.
    """

    week: date
    n: int
    wrong: int
    waiting: int
    evidence: float


@dataclass(frozen=True, slots=True)
class Trail:
    """The weeks since a certificate was issued, or its last alarm was lifted; before the first label no `watch`."""

    certificate: UUID
    weeks: tuple[AuditWeek, ...]
    watch: Watch | None

    @property
    def evidence(self) -> float | None:
        """Evidence against the promise, None where nothing was checked yet."""
        return self.weeks[-1].evidence if self.watch and self.weeks else None


def live_certificates(session: Session, at: datetime) -> Sequence[Certificate]:
    """The certificates in force and in date, by label."""
    wanted = select(Certificate).where(col(Certificate.state) == "live", col(Certificate.expires_at) > at)
    return session.exec(wanted.order_by(col(Certificate.axis), col(Certificate.label), col(Certificate.id))).all()


def binding_of(certificate: Certificate) -> Binding:
    """The way of reading that a certificate binds."""
    return Binding(certificate.classifier, certificate.model_digest, certificate.taxonomy, certificate.preparation)


def trail(session: Session, certificate: Certificate, at: datetime) -> Trail:
    """What the samples since a certificate say about it, week by week up to `at`."""
    since = _watched_since(session, certificate)
    evidence = labels_of(
        session,
        certificate.axis,
        binding=binding_of(certificate),
        label=certificate.label,
        since=since,
        believed=lambda cards: _covered(certificate, cards),
    )
    mondays = _mondays(since, at)
    checked = _checked(evidence, certificate.threshold, mondays)
    cells = [one.weeks(cell) for cell, one in sorted(checked.items(), key=lambda one: (one[0].source, one[0].language))]
    watch = watch_cells(cells, certificate.precision) if any(sum(one.n) for one in cells) else None
    values = watch.everywhere.alarm.broken.e_values if watch else (1.0,) * len(mondays)
    weeks = [
        AuditWeek(
            week=monday,
            n=sum(one.n[place] for one in checked.values()),
            wrong=sum(one.wrong[place] for one in checked.values()),
            waiting=sum(one.waiting[place] for one in checked.values()),
            evidence=values[place],
        )
        for place, monday in enumerate(mondays)
    ]
    return Trail(certificate.id, tuple(weeks), watch)


@dataclass(frozen=True, slots=True)
class _Checked:
    """Of one source and language, by week."""

    n: list[int]
    wrong: list[int]
    waiting: list[int]

    def weeks(self, cell: Cell) -> CellWeeks:
        return CellWeeks(cell, tuple(self.wrong), tuple(self.n))


def _checked(evidence: Evidence, threshold: float, mondays: Sequence[date]) -> dict[Cell, _Checked]:
    drawn = {sample.id: sample.created_at for sample in evidence.samples}
    weeks = {sample: (monday_of(at) - mondays[0]).days // 7 for sample, at in drawn.items()}
    week_of = {str(card.feedback_id): min(weeks[card.sample_id], len(mondays) - 1) for card in evidence.cards}
    found: defaultdict[Cell, _Checked] = defaultdict(
        lambda: _Checked([0] * len(mondays), [0] * len(mondays), [0] * len(mondays))
    )
    for question in questions(evidence.labels):
        for item in question.items:
            if item.probability >= threshold:
                _count(found[Cell(item.source, item.language)], item, week_of[item.ids[0]])
    return dict(found)


def _count(checked: _Checked, item: Item, week: int) -> None:
    gold = settle(item)
    if gold.right is None:
        checked.waiting[week] += gold.standing is not Standing.NOT_BLIND
        return
    checked.n[week] += 1
    checked.wrong[week] += not gold.right


def _covered(certificate: Certificate, cards: Sequence[LabelCard]) -> Beliefs:
    """Of the cards that a certificate speaks of, what was believed."""
    return {
        card.id: card.probabilities
        for card in cards
        if certificate.calibrators.get(card.source) == card.calibrator and card.language in certificate.languages
    }


def _watched_since(session: Session, certificate: Certificate) -> datetime:
    lifted = select(func.max(GateHold.lifted_at)).where(
        col(GateHold.certificate_id) == certificate.id, col(GateHold.cause) == "alarm"
    )
    return max(certificate.issued_at, session.exec(lifted).one() or certificate.issued_at)


def monday_of(at: datetime) -> date:
    """The Monday of a moment's week, in UTC."""
    return at.date() - timedelta(days=at.weekday())


def _mondays(since: datetime, until: datetime) -> list[date]:
    first = monday_of(since)
    return [first + timedelta(weeks=place) for place in range(1 + max(0, (monday_of(until) - first).days // 7))]
