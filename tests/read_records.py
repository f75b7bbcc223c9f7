"""Records that were read, made past the road: for tests of samples, whose model says what a test wants it to say."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session
from uuid_utils.compat import uuid7

from models.taxonomies.taxonomy import default_taxonomy
from service.store.tables import Classification, Feedback, FeedbackRevision, Source, now

CLASSIFIER, DIGEST, PREPARATION = "tests@1", "digest-1", "plain@1"


def read_records(
    session: Session,
    texts: Sequence[str],
    *,
    source: str = "shop",
    negative: Sequence[float] = (),
    **reading: Any,
) -> list[UUID]:
    """A record for each text, in order, of which the model believes so much that it is negative (else a half)."""
    if session.get(Source, source) is None:
        session.add(Source(name=source, kind="api"))
        session.flush()
    ids = [uuid7() for _ in texts]
    moment = now()
    made: dict[type[Any], list[dict[str, Any]]] = {Feedback: [], FeedbackRevision: [], Classification: []}
    for number, (one, words) in enumerate(zip(ids, texts, strict=True)):
        about = {"feedback_id": one, "revision": 1}
        stage = {"stage": "routed", "stage_since": moment, "attempts": 0, "history": False, "received_at": moment}
        made[Feedback].append({"id": one, "source": source, "external_id": str(one), "revision": 1, **stage})
        body = {"verbatims": [{"question": "Why?", "text": words}]}
        kept = {"digest": "", "original": None, "key_id": None, "submitted_at": moment, "received_at": moment}
        made[FeedbackRevision].append({"id": uuid7(), **about, "body": body, **kept})
        believed = negative[number] if negative else 0.5
        made[Classification].append({"id": uuid7(), **about, **_read(believed), **reading, "created_at": moment})
    for kind, rows in made.items():
        session.execute(insert(kind), rows)
    return ids


def _read(negative: float) -> Mapping[str, Any]:
    sentiment = {"negative": negative, "neutral": (1 - negative) / 2, "positive": (1 - negative) / 2}
    document = {
        "sentiment": {"label": max(sentiment, key=lambda label: sentiment[label]), "probabilities": sentiment},
        "type": {"probabilities": {"complaint": negative, "praise": 0.1, "question": 0.2, "suggestion": 0.3}},
        "urgency": {"label": "low", "probabilities": {"low": 0.5, "normal": 0.3, "high": 0.2}},
        "language": {"code": "en", "probability": 0.9},
        "abstain": None,
    }
    topics = default_taxonomy()
    return {
        "classifier": CLASSIFIER,
        "calibrator": "identity@1",
        "taxonomy": topics.identity,
        "document": document,
        "topics": dict.fromkeys(topics.labels, negative),
        "logits": [],
        "vector": None,
        "degraded": False,
        "model_digest": DIGEST,
        "preparation": PREPARATION,
    }
