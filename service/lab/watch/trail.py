"""The audit trail of a certificate: the blind labels that came after it, week by week.

Samples drawn after the issue say, at and above the threshold, how often the promise is kept: everywhere, and for each
source and language. The evidence holds at any look and for all of them together (`calibration.monitoring.cells`), as
long as no answer decides which answers count. So

- an answer belongs to the week its sample was drawn, however late it comes, and a cell to that of its first card;
- it counts where it lies at or above the threshold that stood at that moment: to move a threshold later neither drops
  mistakes nor adds any;
- what waits for a third person or an adjudicator counts as right until they decide: an alarm may come later for it,
  never for nothing.

After people lifted an alarm the watch begins anew, with samples drawn from then on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, func, select

from calibration.certification.gold import Standing, settle
from calibration.certification.items import Item, questions
from calibration.monitoring.audit_alarm import HORIZON
from calibration.monitoring.cells import Cell, CellWeeks, Watch, watch_cells
from service.lab.labels.evidence import Beliefs, Binding, Evidence, labels_of
from service.lab.recalibration.calibrators import alike
from service.store.lab_tables import Certificate, GateChange, GateHold, LabelCard

CALENDAR_WEEKS = HORIZON + 1  # that a certificate's life touches: it is seldom issued on a Monday


@dataclass(frozen=True, slots=True)
class AuditWeek:
    """Checked answers at or above the threshold of then, of the samples drawn in the week of this Monday.

    `waiting` wait for another person, and are among neither `n` nor `wrong` yet. `evidence` is the evidence against
    the promise so far: at 1 there is none, and the alarm comes far above it.
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


def bound_to(certificate: Certificate) -> Binding:
    """The way of reading that a certificate binds."""
    return Binding(certificate.classifier, certificate.model_digest, certificate.taxonomy, certificate.preparation)


def trail(session: Session, certificate: Certificate, at: datetime) -> Trail:
    """What the samples since a certificate say about it, week by week up to `at` or its end."""
    since = _watched_since(session, certificate)
    until = min(at, certificate.expires_at, certificate.ended_at or at)
    evidence = labels_of(
        session,
        certificate.axis,
        binding=bound_to(certificate),
        label=certificate.label,
        since=since,
        believed=lambda cards: _covered(session, certificate, cards),
    )
    mondays = _mondays(since, until)
    checked = _checked(evidence, certificate.label, _stood(session, certificate), mondays, until)
    cells = [one.weeks(cell) for cell, one in sorted(checked.items(), key=lambda one: (one[0].source, one[0].language))]
    labelled = any(sum(one.n) for one in cells)
    watch = watch_cells(cells, certificate.precision, horizon=CALENDAR_WEEKS) if labelled else None
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
    """Of one source and language, by week; its first card was drawn in week `since`."""

    since: int
    n: list[int]
    wrong: list[int]
    waiting: list[int]

    def weeks(self, cell: Cell) -> CellWeeks:
        heard = tuple(n + waiting for n, waiting in zip(self.n, self.waiting, strict=True))
        return CellWeeks(cell, tuple(self.wrong), heard, self.since)


def _checked(
    evidence: Evidence, label: str, stood: Callable[[datetime], float], mondays: Sequence[date], until: datetime
) -> dict[Cell, _Checked]:
    drawn = {sample.id: sample.created_at for sample in evidence.samples if sample.created_at <= until}
    weeks = {sample: (monday_of(at) - mondays[0]).days // 7 for sample, at in drawn.items()}
    passing = [
        card
        for card in evidence.drawn
        if card.sample_id in drawn and evidence.read[card.id].get(label, 0) >= stood(drawn[card.sample_id])
    ]
    passing.sort(key=lambda card: weeks[card.sample_id])
    found: dict[Cell, _Checked] = {}
    for card in passing:
        none = [0] * len(mondays)
        found.setdefault(
            Cell(card.source, card.language), _Checked(weeks[card.sample_id], none.copy(), none.copy(), none.copy())
        )
    passes = {card.id for card in passing}
    heard = {str(card.feedback_id): card for card in evidence.cards if card.id in passes}
    waits = evidence.third | evidence.disputed | evidence.passed_on
    for item in (item for question in questions(evidence.labels) for item in question.items):
        if (its := heard.get(item.ids[0])) is not None:
            _count(found[Cell(its.source, its.language)], item, weeks[its.sample_id], waits=its.id in waits)
    return found


def _count(checked: _Checked, item: Item, week: int, *, waits: bool) -> None:
    gold = settle(item)
    if gold.standing is Standing.NOT_BLIND:
        return
    if waits or gold.right is None:
        checked.waiting[week] += 1
        return
    checked.n[week] += 1
    checked.wrong[week] += not gold.right


def _stood(session: Session, certificate: Certificate) -> Callable[[datetime], float]:
    """Where the certificate's threshold stood at a moment."""
    wanted = select(GateChange).where(
        col(GateChange.certificate_id) == certificate.id,
        col(GateChange.action) == "move",
        col(GateChange.state) == "done",
    )
    moves = sorted((one.decided_at or one.at, one.before) for one in session.exec(wanted))

    def stood(at: datetime) -> float:
        before = next((before for moved, before in moves if moved > at), None)
        return certificate.threshold if before is None else before

    return stood


def _covered(session: Session, certificate: Certificate, cards: Sequence[LabelCard]) -> Beliefs:
    """Of the cards that a certificate speaks of, what was believed."""
    bound = certificate.calibrators
    does = alike(session, certificate.axis, {*bound.values(), *(card.calibrator for card in cards)})
    return {
        card.id: card.probabilities
        for card in cards
        if card.source in bound
        and does[bound[card.source]] == does[card.calibrator]
        and card.language in certificate.languages
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
