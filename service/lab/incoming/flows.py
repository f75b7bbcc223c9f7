"""What came in lately, by source and language."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from service.lab.incoming.sureness import DAYS

MOST = 20_000  # answers looked at, the newest: a page must not wait for more
_FLOWS = text("""
    WITH lately AS MATERIALIZED (
        SELECT id, source, revision FROM feedback
        WHERE received_at >= :since AND received_at <= :until AND withdrawn_at IS NULL AND NOT history
        ORDER BY received_at DESC LIMIT :most
    ), read AS (
        SELECT DISTINCT ON (lately.id) lately.source, classification.document #>> '{language,code}' AS language
        FROM lately JOIN classification
            ON classification.feedback_id = lately.id AND classification.revision = lately.revision
        WHERE NOT classification.degraded AND classification.document ->> 'abstain' IS NULL
        ORDER BY lately.id, classification.id DESC
    )
    SELECT source, language, count(*) FROM read GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
""")


@dataclass(frozen=True, slots=True)
class Flow:
    """Answers of one source and language in the last weeks."""

    source: str
    language: str | None
    records: int


def flows(session: Session, at: datetime) -> tuple[Flow, ...]:
    """What was read in the last four weeks, the largest first; what the model did not dare to judge is left out."""
    asked = {"since": at - timedelta(days=DAYS), "until": at, "most": MOST}
    return tuple(Flow(*row) for row in session.execute(_FLOWS, asked))
