"""Slots: one showing of a card to one person, held for a quarter of an hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session

from models.taxonomies.taxonomy import Taxonomy
from service.classify import verbatims, words
from service.lab.labels.choices import Choices, choices
from service.lab.labels.order import APART, TURN
from service.lab.labels.rater import Rater
from service.lab.labels.samples import settle
from service.store.lab_tables import LabelSample

LEASE = timedelta(minutes=15)
QUESTIONS = {
    "sentiment": "Which feeling do these words express?",
    "topic": "Which topics are these words about? Choose all that are right, or none.",
    "type": "What is this: choose all that are right, or none.",
    "urgency": "How soon does this need somebody?",
}
_PACE = 50  # of somebody's newest labels their pace is told ...
_KNOWN = 5  # ... where there are so many


@dataclass(frozen=True, slots=True)
class Shown:
    """A verbatim, and what was asked."""

    question: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Showing:
    """What one person may see of a card: never what the model believes, nor what somebody else said.

    `card` is the id of the slot; `feedback` is for our own use and is never sent out. `done` are this person's answers
    about the sample, `total` adds what still waits for anybody and could be theirs. `seconds_left` is what that would
    take them at their own pace, once it is known.
    """

    card: UUID
    sample: UUID
    feedback: UUID
    text: str
    verbatims: tuple[Shown, ...]
    question: str
    choices: Choices
    lease_until: datetime
    done: int
    total: int
    seconds_left: float | None


class UnknownSample(Exception):
    """There is no such sample."""


def next_showings(
    session: Session, rater: Rater, taxonomy: Taxonomy, at: datetime, sample: UUID | None = None
) -> tuple[Showing, ...]:
    """The cards of one text for this person, all that are open, leased together; empty: nothing is left for them.

    What they hold already comes first. The caller commits.

    Raises:
        UnknownSample: there is no such sample.
    """
    values = _values(rater, at, sample)
    # One request of a person after the other: two at once would show them a card twice.
    session.execute(_ONE_AT_A_TIME, values)
    tried: list[UUID] = []
    while found := session.execute(_OPEN, {**values, "tried": tried}).scalars().all():
        for feedback in found:
            tried.append(feedback)
            if shown := _taken(session, rater, taxonomy, feedback, values):
                return shown
    _look_after(session, values)
    return ()


def held(session: Session, rater: Rater, taxonomy: Taxonomy, card: UUID, at: datetime) -> Showing | None:
    """A card that this person holds and has not answered; None where they do not."""
    rows = session.execute(_SHOW, {**_values(rater, at, None), "slots": [card]}).all()
    return _shown(session, rows, rater, taxonomy)[0] if rows else None


def waiting(session: Session, rater: Rater) -> int:
    """How many cards there are that this person has not labelled and that wait for somebody."""
    asked = {"rater": rater.name, "blind": rater.blind, "samples": None}
    return sum(int(one.left) for one in session.execute(_LEFT, asked))


def said_in(body: dict[str, Any]) -> tuple[Shown, ...]:
    """The verbatims of a stored record."""
    return tuple(Shown(one.question, one.text) for one in verbatims(body))


def withdraw(session: Session, feedback: UUID, at: datetime) -> None:
    """Show nobody any more cards of a record that was withdrawn."""
    for one in sorted(set(session.execute(_GONE, {"feedback": feedback}).scalars())):
        settle(session, one, at)


def _pass_over(session: Session, feedback: UUID, at: datetime) -> None:
    """As `withdraw`, by somebody who holds slots: a card that is being answered is left to who answers it."""
    for one in sorted(set(session.execute(_GONE_IF_FREE, {"feedback": feedback}).scalars())):
        settle(session, one, at)


def _values(rater: Rater, at: datetime, sample: UUID | None) -> dict[str, Any]:
    return {"rater": rater.name, "blind": rater.blind, "at": at, "until": at + LEASE, "sample": sample, "apart": APART}


def _taken(
    session: Session, rater: Rater, taxonomy: Taxonomy, feedback: UUID, values: Mapping[str, Any]
) -> tuple[Showing, ...]:
    """The free cards of a record, leased to this person; none where somebody was faster or the record is withdrawn."""
    of_record = {**values, "feedback": feedback}
    if not rater.blind:
        session.execute(_LOCK_CARDS, of_record)
        session.execute(_BESIDE, of_record)
    slots = session.execute(_LEASE, of_record).scalars().all()
    rows = session.execute(_SHOW, {**values, "slots": list(slots)}).all() if slots else []
    if rows and rows[0].withdrawn_at is not None:
        _pass_over(session, feedback, values["at"])
        return ()
    return _shown(session, rows, rater, taxonomy)


def _shown(session: Session, rows: Sequence[Row[Any]], rater: Rater, taxonomy: Taxonomy) -> tuple[Showing, ...]:
    samples = list({row.sample_id for row in rows})
    asked = {"rater": rater.name, "blind": rater.blind, "samples": samples}
    far = session.execute(_LEFT, asked).all() if rows else []
    by_sample = {one.sample_id: one for one in far}
    return tuple(_showing(row, by_sample.get(row.sample_id), taxonomy) for row in rows)


def _look_after(session: Session, values: Mapping[str, Any]) -> None:
    """Where nothing is left for somebody, a sample may be done that nobody has noted: two ended it at once."""
    if values["sample"] is not None:
        if session.get(LabelSample, values["sample"]) is None:
            raise UnknownSample(f"There is no sample {values['sample']}.")
        settle(session, values["sample"], values["at"])


def _showing(row: Row[Any], far: Row[Any] | None, taxonomy: Taxonomy) -> Showing:
    said = said_in(row.body)
    done, left = (far.done, max(1, far.left)) if far is not None else (0, 1)
    return Showing(
        card=row.id,
        sample=row.sample_id,
        feedback=row.feedback_id,
        text=words(row.body),
        verbatims=said,
        question=QUESTIONS[row.axis],
        choices=choices(row.axis, taxonomy),
        lease_until=row.lease_until,
        done=done,
        total=done + left,
        seconds_left=None if row.pace is None else round(row.pace * left, 1),
    )


# A slot that this person may take, or holds. A repeat is theirs alone. Who does not label blind takes nobody's place in
# an audit sample: what they say is kept in slots beside.
_FREE = """
    o.filled_at IS NULL
    AND (o.lease_until IS NULL OR o.lease_until <= :at OR o.rater = :rater OR (NOT :blind AND s.pool = 'audit'))
    AND (o.only_for IS NULL OR o.only_for = :rater)
    AND (o.kind <> 'extra' OR o.rater = :rater)
    AND CASE WHEN o.kind = 'repeat' THEN c.state <> 'gone' WHEN o.kind = 'third' THEN c.state = 'third'
        ELSE c.state IN ('open', 'third') END
    AND (o.kind = 'repeat' OR NOT EXISTS (
        SELECT 1 FROM label_slot m
        WHERE m.rater = :rater AND m.sample_id = s.id AND m.card_id = c.id AND m.filled_at IS NOT NULL))
    AND (NOT :blind OR s.pool <> 'audit' OR NOT EXISTS (
        SELECT 1 FROM reveal v WHERE v.rater = :rater AND v.feedback_id = c.feedback_id))
"""
_SHOWN = "s.state IN ('open', 'done') AND (CAST(:sample AS uuid) IS NULL OR s.id = :sample)"
_UNTRIED = "c.feedback_id <> ALL(CAST(:tried AS uuid[]))"
_FEW = 8  # texts to try, should somebody take them at the same moment
# The statements below take the server longer to plan than to do, and none of their values calls for another plan.
_ONE_AT_A_TIME = text("""
    SELECT pg_advisory_xact_lock(hashtextextended(:rater, 0)), set_config('plan_cache_mode', 'force_generic_plan', true)
""")
# What this person holds, first what they took back just now; repeats that are due (their slot is made when the first is
# filled, at `leased_at`); then the cards from their turn on, and from the beginning of the round; at last the repeats
# that were not due. Each part reads few rows, however large the sample.
_ROUND = f"""
    SELECT {{turn}} AS turn, walked.lot, walked.feedback_id FROM place s CROSS JOIN LATERAL (
        SELECT o.lot, c.feedback_id FROM label_slot o JOIN label_card c ON c.id = o.card_id
        WHERE o.sample_id = s.id AND o.kind IN ('first', 'third') AND o.lot {{side}} s.lot AND {_FREE} AND {_UNTRIED}
        ORDER BY o.lot LIMIT {_FEW}
    ) AS walked
"""  # noqa: S608 (our own expressions)
_OPEN = text(f"""
    WITH place AS MATERIALIZED (
        SELECT s.id, s.pool, {TURN} AS lot FROM label_sample s CROSS JOIN LATERAL (
            SELECT count(*) AS many FROM label_slot m
            WHERE m.rater = :rater AND m.sample_id = s.id AND m.filled_at IS NOT NULL
        ) AS done WHERE {_SHOWN}
    ), own AS MATERIALIZED (
        SELECT o.* FROM label_slot o WHERE o.rater = :rater AND o.filled_at IS NULL AND o.lease_until > :at
        UNION
        SELECT o.* FROM label_slot o WHERE o.only_for = :rater AND o.filled_at IS NULL AND o.kind = 'repeat'
    )
    SELECT feedback_id FROM (
        SELECT CASE WHEN o.lease_until > :at THEN 0 WHEN (
            SELECT count(*) FROM (
                SELECT 1 FROM human_label l WHERE l.rater = :rater AND l.at > o.leased_at LIMIT :apart
            ) AS since) < :apart THEN 4 ELSE 1 END AS turn,
            CAST(-1000000 * extract(epoch FROM o.leased_at) AS bigint) AS lot, c.feedback_id
        FROM own o JOIN place s ON s.id = o.sample_id JOIN label_card c ON c.id = o.card_id WHERE {_FREE} AND {_UNTRIED}
        UNION ALL {_ROUND.format(turn=2, side=">=")}
        UNION ALL {_ROUND.format(turn=3, side="<")}
    ) AS found ORDER BY turn, lot LIMIT {_FEW}
""")  # noqa: S608 (as above)
_LEASE = text(f"""
    WITH taken AS MATERIALIZED (
        SELECT free.id FROM label_card c JOIN label_sample s ON s.id = c.sample_id
        CROSS JOIN LATERAL (
            SELECT o.id FROM label_slot o
            WHERE o.card_id = c.id AND {_FREE} AND (:blind OR s.pool <> 'audit' OR o.kind = 'extra')
            ORDER BY o.rater IS NOT DISTINCT FROM :rater DESC, o.number LIMIT 1 FOR UPDATE OF o SKIP LOCKED
        ) AS free
        WHERE c.feedback_id = :feedback AND {_SHOWN}
    )
    UPDATE label_slot o SET rater = :rater, lease_until = :until,
        leased_at = CASE WHEN o.rater = :rater AND o.lease_until > :at THEN o.leased_at ELSE :at END,
        former = CASE WHEN o.rater <> :rater THEN array_append(o.former, CAST(o.rater AS text)) ELSE o.former END
    FROM taken WHERE o.id = taken.id RETURNING o.id
""")  # noqa: S608 (as above)
_LOCK_CARDS = text("SELECT 1 FROM label_card WHERE feedback_id = :feedback ORDER BY id FOR NO KEY UPDATE")
_BESIDE = text(f"""
    INSERT INTO label_slot (id, card_id, sample_id, number, kind, lot, rater, former)
    SELECT gen_random_uuid(), c.id, s.id, there.number + 1, 'extra', there.lot, CAST(:rater AS text), '{{}}'
    FROM label_card c JOIN label_sample s ON s.id = c.sample_id CROSS JOIN LATERAL (
        SELECT max(n.number) AS number, max(n.lot) AS lot FROM label_slot n WHERE n.card_id = c.id) AS there
    WHERE c.feedback_id = :feedback AND s.pool = 'audit' AND c.state IN ('open', 'third') AND {_SHOWN}
        AND NOT EXISTS (SELECT 1 FROM label_slot m WHERE m.card_id = c.id AND m.rater = :rater
            AND (m.kind = 'extra' OR m.filled_at IS NOT NULL))
""")  # noqa: S608 (as above)
_WITHDRAWN = """
    WITH withdrawn AS MATERIALIZED (
        SELECT id FROM label_card WHERE feedback_id = :feedback AND state IN ('open', 'third', 'disputed')
        ORDER BY id FOR NO KEY UPDATE {whose}
    )
    UPDATE label_card c SET state = 'gone' FROM withdrawn WHERE c.id = withdrawn.id RETURNING c.sample_id
"""
_GONE = text(_WITHDRAWN.format(whose=""))
_GONE_IF_FREE = text(_WITHDRAWN.format(whose="SKIP LOCKED"))
_SHOW = text(f"""
    SELECT o.id, o.sample_id, c.feedback_id, s.axis, r.body, o.lease_until, f.withdrawn_at,
        (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM (
            SELECT l.seconds FROM human_label l WHERE l.rater = :rater AND l.seconds IS NOT NULL
            ORDER BY l.at DESC LIMIT {_PACE}) AS late HAVING count(*) >= {_KNOWN}) AS pace
    FROM label_slot o JOIN label_card c ON c.id = o.card_id JOIN label_sample s ON s.id = o.sample_id
    JOIN feedback f ON f.id = c.feedback_id
    JOIN feedback_revision r ON r.feedback_id = c.feedback_id AND r.revision = c.revision
    WHERE o.id = ANY(CAST(:slots AS uuid[])) AND o.rater = :rater AND o.filled_at IS NULL
    ORDER BY s.axis, o.id
""")  # noqa: S608 (numbers of our own)
# How many cards of a sample somebody has labelled, and how many are left that wait for an answer of anybody; with the
# repeats that are theirs or may become so, or a total that grows would tell that a card was one.
_LEFT = text("""
    SELECT s.id AS sample_id, mine.done, waiting.many - mine.waiting + again.many AS left
    FROM label_sample s
    CROSS JOIN LATERAL (
        SELECT count(*) AS many FROM label_card c WHERE c.sample_id = s.id AND c.state IN ('open', 'third')
    ) AS waiting
    CROSS JOIN LATERAL (
        SELECT count(*) AS done, count(DISTINCT c.id) FILTER (WHERE c.state IN ('open', 'third')) AS waiting
        FROM label_slot m JOIN label_card c ON c.id = m.card_id
        WHERE m.rater = :rater AND m.sample_id = s.id AND m.filled_at IS NOT NULL
    ) AS mine
    CROSS JOIN LATERAL (
        SELECT count(*) AS many FROM label_card c LEFT JOIN label_slot o ON o.card_id = c.id AND o.kind = 'repeat'
        WHERE c.sample_id = s.id AND c.repeats AND c.state <> 'gone' AND CASE
            WHEN o.id IS NOT NULL THEN o.only_for = :rater AND o.filled_at IS NULL
            ELSE c.state IN ('open', 'third') AND :blind AND NOT EXISTS (
                SELECT 1 FROM label_slot m
                WHERE m.card_id = c.id AND m.rater = :rater AND m.filled_at IS NOT NULL) END
    ) AS again
    WHERE CASE WHEN CAST(:samples AS uuid[]) IS NULL THEN s.state = 'open' ELSE s.id = ANY(CAST(:samples AS uuid[])) END
""")
