"""Samples that people have judged: read, drawn as any other, and answered by reviewers who see nothing else."""

from collections.abc import Callable, Collection
from datetime import datetime
from itertools import count

from read_records import read_records
from sqlmodel import Session, col, select, update

from calibration.promise import Promise
from models.taxonomies.taxonomy import default_taxonomy
from service.lab.labels.samples import Wanted, draw
from service.lab.runs.run import Wanted as Asked
from service.lab.runs.run import begin, compute
from service.lab.runs.run_result import LabelResult, RunResult
from service.store.lab_tables import CalibrationRun, HumanLabel, LabelCard, LabelSample
from service.store.tables import now

RATERS = ("rea", "rob")
PROMISE = Promise(precision=0.90, confidence=0.95)
_numbers = count(1)

Right = Callable[[LabelCard], bool]


def sure(card: LabelCard) -> bool:
    """The model is right about what it is sure of."""
    return card.probabilities["negative"] >= 0.5


def arrive(session: Session, sure_ones: int, others: int = 0, **reading: object) -> None:
    """So many records of which the model is sure that they are negative, and others that it takes for something else.

    Its scores spread from 0.71 to 0.99, and from 0.01 to 0.29.
    """
    total = sure_ones + others
    scores = [0.71 + 0.28 * place / max(sure_ones, 1) for place in range(sure_ones)]
    scores += [0.01 + 0.28 * place / max(others, 1) for place in range(others)]
    texts = [f"The kettle whistles, letter {next(_numbers)}." for _ in range(total)]
    read_records(session, texts, negative=scores, **reading)  # type: ignore[arg-type]


def drawn(session: Session, size: int, at: datetime | None = None, label: str | None = "negative", **wanted: object):
    """An audit sample on sentiment."""
    asked = Wanted("sentiment", label, size, "audit", seed=7, **wanted)  # type: ignore[arg-type]
    return draw(session, asked, default_taxonomy(), by="ada", at=at or now())


def answered(
    session: Session,
    sample: LabelSample,
    right: Right = sure,
    *,
    differ: Collection[int] = (),
    raters: Collection[str] = RATERS,
    leave: int = 0,
    blind: bool = True,
) -> list[LabelCard]:
    """Let everybody judge every card but `leave` of them: as `right` says, and differently at these places."""
    cards = list(session.exec(select(LabelCard).where(LabelCard.sample_id == sample.id).order_by(col(LabelCard.id))))
    for place, card in enumerate(cards[: len(cards) - leave]):
        for number, rater in enumerate(raters):
            negative = right(card) ^ (place in differ and number > 0)
            said = ["negative"] if negative else ["positive"]
            session.add(HumanLabel(card_id=card.id, rater=rater, labels=said, blind=blind, seconds=12.0))
        card.state = "disputed" if place in differ else "settled"
        session.add(card)
    done = {"state": "open" if leave else "done", "closed_at": None if leave else now()}
    session.execute(update(LabelSample).where(col(LabelSample.id) == sample.id).values(**done))
    session.commit()
    return cards


def judge(session: Session, at: datetime | None = None, by: str = "ada", **asked: object) -> RunResult:
    """A run on sentiment: what came of it."""
    wanted = {"axis": "sentiment", "label": "negative", "promise": PROMISE, "seed": 1, **asked}
    run = begin(session, Asked(**wanted), by=by, at=at or now())  # type: ignore[arg-type]
    session.commit()
    compute(session, run.id, at or now())
    session.expire_all()
    row = session.get_one(CalibrationRun, run.id)
    assert row.state == "done", row.reason
    return RunResult.model_validate(row.result)


def of_negative(result: RunResult) -> LabelResult:
    """What a run found about the label negative."""
    return next(one for one in result.labels if one.label == "negative")
