"""Every row heed keeps. A row is built from values that a plain shape has validated before."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import Vector
from sqlalchemy import BigInteger, ColumnElement, DateTime, Index, Text, UniqueConstraint, Uuid, any_, literal, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel, col
from uuid_utils.compat import uuid7


class Timestamp(DateTime):
    """A moment with its zone; PostgreSQL keeps it in UTC."""

    def __init__(self) -> None:
        super().__init__(timezone=True)


class MaybeJson(JSONB):
    """JSON that may be missing: then the column is NULL, not the JSON word null, which SQL takes for a value."""

    def __init__(self) -> None:
        super().__init__(none_as_null=True)


class Texts(ARRAY[str]):
    """A list of texts."""

    def __init__(self) -> None:
        super().__init__(Text())


def now() -> datetime:
    """The moment by this process's clock, in UTC."""
    return datetime.now(UTC)


def among(column: UUID, ids: Collection[UUID]) -> ColumnElement[bool]:
    """Whether an id is one of these: one array, where `in_` sends (and plans) another statement for every number."""
    return col(column) == any_(literal(list(ids), ARRAY(Uuid())))


class Installation(SQLModel, table=True):
    """One row: which secret key this database was set up with, so that a second key is refused at start."""

    id: int = Field(default=1, primary_key=True)
    key_id: str
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)


class Source(SQLModel, table=True):
    name: str = Field(primary_key=True)
    kind: str
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    secrets: bytes | None = None
    key_id: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)


class Import(SQLModel, table=True):
    """A file of feedback on its way in. `position` is the number of the last row taken: it commits with the rows."""

    __table_args__ = (Index("import_newest", "created_at", "id"), Index("import_again", "source", "digest"))
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    source: str
    file_name: str
    layout: dict[str, Any] = Field(sa_type=JSONB)
    mapping: dict[str, str] = Field(sa_type=JSONB)
    history: bool = False
    digest: str
    size: int = Field(sa_type=BigInteger)
    state: str = "running"  # or waiting for a person's word, done, failed
    reason: str | None = None
    rows_about: int | None = None  # in the whole file, where somebody has counted its lines
    position: int = 0
    rows: int = 0
    new: int = 0
    duplicate: int = 0
    revision: int = 0
    stale: int = 0
    rejected: int = 0
    errors: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    updated_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    finished_at: datetime | None = Field(default=None, sa_type=Timestamp)


class ImportChunk(SQLModel, table=True):
    """A piece of an uploaded file, sealed; gone when its import has ended."""

    __tablename__ = "import_chunk"
    import_id: UUID = Field(foreign_key="import.id", primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    data: bytes
    key_id: str


class Feedback(SQLModel, table=True):
    """One survey response or review; its answers live in the revisions. `stage` is the step it waits in."""

    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("feedback_newest", "received_at", "id"),
        Index("feedback_waiting", "stage", "stage_since"),
        Index("feedback_of_source", "source", "received_at"),
        # What was pushed and waits; what was imported has all the time in the world and counts for nobody.
        Index(
            "feedback_pushed",
            "source",
            postgresql_where=text("stage IN ('received', 'classified') AND import_id IS NULL"),
        ),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    source: str = Field(foreign_key="source.name")
    external_id: str
    revision: int
    stage: str = "received"
    stage_since: datetime = Field(default_factory=now, sa_type=Timestamp)
    attempts: int = 0
    reason: str | None = None
    history: bool = False
    import_id: UUID | None = Field(default=None, foreign_key="import.id")
    withdrawn_at: datetime | None = Field(default=None, sa_type=Timestamp)
    received_at: datetime = Field(default_factory=now, sa_type=Timestamp)


class FeedbackRevision(SQLModel, table=True):
    """The answer as it stood at one revision: the working copy, its digest, and the original under lock and key."""

    __tablename__ = "feedback_revision"
    __table_args__ = (
        UniqueConstraint("feedback_id", "revision"),
        Index("original_expiry", "original_expires_at", postgresql_where=text("original IS NOT NULL")),
        Index("feedback_customer", text("((body -> 'customer'::text) ->> 'id'::text)")),
        Index("feedback_words", text("feedback_words(body)"), postgresql_using="gin"),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    feedback_id: UUID = Field(foreign_key="feedback.id")
    revision: int
    body: dict[str, Any] = Field(sa_type=JSONB)
    digest: str
    original: bytes | None
    key_id: str | None
    original_expires_at: datetime | None = Field(default=None, sa_type=Timestamp)
    submitted_at: datetime = Field(sa_type=Timestamp)
    received_at: datetime = Field(default_factory=now, sa_type=Timestamp)


class Classification(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("feedback_id", "revision", "classifier", "calibrator", "taxonomy"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    feedback_id: UUID = Field(foreign_key="feedback.id")
    revision: int
    classifier: str
    calibrator: str
    taxonomy: str
    document: dict[str, Any] = Field(sa_type=JSONB)
    topics: dict[str, float] = Field(sa_type=JSONB)
    logits: list[dict[str, list[float]]] = Field(sa_type=JSONB)  # of each verbatim, by axis
    vector: list[float] | None = Field(default=None, sa_type=Vector)
    degraded: bool = False
    model_digest: str | None = None  # of everything the classifier reads with; None on rows of before
    preparation: str | None = None  # how texts were prepared for it
    # Each verbatim's own probabilities, by axis and label, where a calibrator changed them.
    uncalibrated: list[dict[str, dict[str, float]]] | None = Field(default=None, sa_type=MaybeJson)
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)


class Policy(SQLModel, table=True):
    """A published version never changes: the database refuses UPDATE and DELETE."""

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str
    document: str
    tree: dict[str, Any] = Field(sa_type=JSONB)
    digest: str
    comment: str | None = None
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)


class PolicyActivation(SQLModel, table=True):
    """Which version decides, from when to when, in which mode and for whom; never a flag on the policy."""

    __tablename__ = "policy_activation"
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    policy_version: int = Field(foreign_key="policy.version")
    mode: str = "live"
    scope: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    share: float = 1.0
    from_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    to_at: datetime | None = Field(default=None, sa_type=Timestamp)
    by: str
    comment: str | None = None
    approved_by: str | None = None


class Decision(SQLModel, table=True):
    """A receipt: what was decided, by which rules of which version, on which values; canonical text and its digest."""

    __table_args__ = (UniqueConstraint("feedback_id", "revision", "policy_version", "mode"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    feedback_id: UUID = Field(foreign_key="feedback.id")
    revision: int
    policy_version: int = Field(foreign_key="policy.version")
    mode: str
    receipt: str
    digest: str
    decided_at: datetime = Field(sa_type=Timestamp)


class WorkItem(SQLModel, table=True):
    __tablename__ = "work_item"
    __table_args__ = (
        Index("work_item_newest", "created_at", "id"),
        Index("work_item_due", "status", "due_at"),
        Index("work_item_owner", "owner", "status"),
        Index("work_item_of_customer", "customer", "kind", "created_at"),
        Index("work_item_joinable", "join_key", "kind", postgresql_where=text("join_key IS NOT NULL")),
        Index("work_item_bypassed", "bypass", "created_at", postgresql_where=text("bypass IS NOT NULL")),
        Index("work_item_ticking", "tick_at", postgresql_where=text("tick_at IS NOT NULL")),
        Index("work_item_waiting", "wait_until", postgresql_where=text("wait_until IS NOT NULL")),
        Index(
            "work_item_inbox",
            text("coalesce(due_at, 'infinity')"),
            "id",
            postgresql_where=text("status IN ('open', 'acknowledged', 'waiting') AND kind <> 'backlog_item'"),
        ),
        Index("work_item_backlog", "created_at", "id", postgresql_where=text("kind = 'backlog_item'")),
        Index("work_item_score", "score", "id", postgresql_where=text("kind = 'backlog_item'")),
        Index("work_item_value", "account_value", "id", postgresql_where=text("kind = 'backlog_item'")),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    kind: str
    status: str = "open"
    mandatory: bool = False
    title: str
    body: str
    priority: str = "normal"
    owner: str | None = None
    owner_group: str | None = None
    tags: list[str] = Field(default_factory=list, sa_type=Texts)
    rule: str
    decision_id: UUID = Field(foreign_key="decision.id")
    customer: str | None = None  # the customer's id at the source, for joining and for rules on the past
    join_key: str | None = None
    bypass: str | None = None  # which bypass of the policy sent it straight to its owner
    harm: float = 0  # expected: what a full day leaves for later is ranked by it
    merged_into: UUID | None = Field(default=None, foreign_key="work_item.id")
    score: float = 0  # of a backlog item, as are voices and account_value: kept, so that a list can be in their order
    voices: int = 0
    account_value: float = 0
    outcome: str | None = None
    root_cause: str | None = None
    sla: dict[str, Any] | None = Field(default=None, sa_type=MaybeJson)
    due_at: datetime | None = Field(default=None, sa_type=Timestamp)
    acknowledge_due_at: datetime | None = Field(default=None, sa_type=Timestamp)
    acknowledge_met_at: datetime | None = Field(default=None, sa_type=Timestamp)
    contact_due_at: datetime | None = Field(default=None, sa_type=Timestamp)
    contact_met_at: datetime | None = Field(default=None, sa_type=Timestamp)
    resolve_due_at: datetime | None = Field(default=None, sa_type=Timestamp)
    resolve_met_at: datetime | None = Field(default=None, sa_type=Timestamp)
    tick_at: datetime | None = Field(default=None, sa_type=Timestamp)  # when its clocks have something to say next
    offered_to: str | None = None  # a hand-off that waits to be accepted
    offer_due_at: datetime | None = Field(default=None, sa_type=Timestamp)
    paused_at: datetime | None = Field(default=None, sa_type=Timestamp)
    wait_until: datetime | None = Field(default=None, sa_type=Timestamp)
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)


class WorkItemEvidence(SQLModel, table=True):
    """Which feedback stands behind which item; a feedback record makes at most one item of a kind."""

    __tablename__ = "work_item_evidence"
    __table_args__ = (UniqueConstraint("feedback_id", "kind"),)
    work_item_id: UUID = Field(foreign_key="work_item.id", primary_key=True)
    feedback_id: UUID = Field(foreign_key="feedback.id", primary_key=True)
    kind: str
    decision_id: UUID = Field(foreign_key="decision.id")
    ended_at: datetime | None = Field(default=None, sa_type=Timestamp)  # withdrawn, or edited so that it asks no more


class WorkItemEvent(SQLModel, table=True):
    """What happened to an item, in order; `once_key` lets an event happen at most once."""

    __tablename__ = "work_item_event"
    __table_args__ = (
        UniqueConstraint("work_item_id", "once_key"),
        Index(
            "work_item_event_correction",
            "at",
            "work_item_id",
            postgresql_where=text("type IN ('judge', 'wrong_routing')"),
        ),
    )
    work_item_id: UUID = Field(foreign_key="work_item.id", primary_key=True)
    sequence: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    type: str
    actor: str
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    once_key: str | None = None
    at: datetime = Field(default_factory=now, sa_type=Timestamp)


class Notice(SQLModel, table=True):
    """Something a person is told: on the pages from `due_at` on, and by their own destination where they have one."""

    __table_args__ = (
        Index("notice_of_person", "person", "due_at"),
        Index("notice_of_item", "work_item_id"),
        Index("notice_newest", "created_at", "id"),
        Index("notice_untold", "due_at", postgresql_where=text("told_at IS NULL AND dropped IS NULL")),
        Index("notice_unseen", "person", postgresql_where=text("told_at IS NOT NULL AND seen_at IS NULL")),
        Index("notice_told", "person", "told_at", "id", postgresql_where=text("told_at IS NOT NULL")),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    person: str
    work_item_id: UUID | None = Field(default=None, foreign_key="work_item.id")
    kind: str  # assigned, joined, offered, returned, escalated, owner_gone ...
    words: str
    level: int | None = None  # of an escalation, from 1
    harm: float = 0
    any_hour: bool = False  # also outside their hours
    once_key: str = Field(unique=True)  # the same thing is told to the same person once
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    due_at: datetime = Field(sa_type=Timestamp)
    told_at: datetime | None = Field(default=None, sa_type=Timestamp)
    dropped: str | None = None  # why it was never told, where it came to nothing while it waited
    seen_at: datetime | None = Field(default=None, sa_type=Timestamp)
    acknowledged_at: datetime | None = Field(default=None, sa_type=Timestamp)
    delivery_id: UUID | None = Field(default=None, foreign_key="delivery.id")


class Backtest(SQLModel, table=True):
    """What a version would have made of a past period, beside what another makes of it."""

    __table_args__ = (Index("backtest_newest", "created_at", "id"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    policy_version: int = Field(foreign_key="policy.version")
    against_version: int = Field(foreign_key="policy.version")
    since: datetime = Field(sa_type=Timestamp)
    until: datetime = Field(sa_type=Timestamp)
    state: str = "running"  # or done, failed, cancelled
    reason: str | None = None
    handling: dict[str, int] = Field(default_factory=dict, sa_type=JSONB)  # minutes by kind, for the queue simulation
    attempts: int = 0
    records: int = 0  # to be looked at
    done: int = 0
    result: dict[str, Any] | None = Field(default=None, sa_type=MaybeJson)
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    updated_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    finished_at: datetime | None = Field(default=None, sa_type=Timestamp)


class BacktestCase(SQLModel, table=True):
    """One item that would appear, vanish or change: what a number of a backtest opens."""

    __tablename__ = "backtest_case"
    __table_args__ = (Index("backtest_case_shown", "backtest_id", "change", "kind", "rule"),)
    backtest_id: UUID = Field(foreign_key="backtest.id", primary_key=True)
    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    feedback_id: UUID
    change: str  # appears, vanishes or changed
    kind: str
    rule: str
    owner: str | None = None
    day: date


class Destination(SQLModel, table=True):
    """Where work goes. Breaker and token columns pace the calls of all workers together."""

    name: str = Field(primary_key=True)
    kind: str
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    secrets: bytes | None = None
    key_id: str | None = None
    disabled_at: datetime | None = Field(default=None, sa_type=Timestamp)
    disabled_reason: str | None = None
    failures: int = 0
    opened_until: datetime | None = Field(default=None, sa_type=Timestamp)
    tokens: float | None = None
    tokens_at: datetime | None = Field(default=None, sa_type=Timestamp)
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)


class Delivery(SQLModel, table=True):
    """One attempt-history towards a destination. `destination` is a name, set up or not: a delivery may wait for it."""

    __table_args__ = (
        UniqueConstraint("work_item_id", "destination", "operation", "sequence"),
        Index("delivery_waiting", "state", "next_at"),
        Index("delivery_newest", "created_at", "id"),
        Index("delivery_of_destination", "destination", "state", "created_at", "id"),
        Index(
            "delivery_given_up",
            "created_at",
            "id",
            postgresql_where=text("state = 'dead' AND acknowledged_at IS NULL"),
        ),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    work_item_id: UUID = Field(foreign_key="work_item.id")
    destination: str
    operation: str = "create"
    sequence: int = 1
    idempotency_key: str = Field(unique=True)
    state: str = "pending"
    attempt: int = 0
    next_at: datetime | None = Field(default=None, sa_type=Timestamp)
    external_ref: str | None = None
    external_url: str | None = None
    external_status: str | None = None
    last_error: str | None = None
    acknowledged_at: datetime | None = Field(default=None, sa_type=Timestamp)  # somebody has seen that it is dead
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)


class DeliveryAttempt(SQLModel, table=True):
    __tablename__ = "delivery_attempt"
    __table_args__ = (Index("delivery_attempt_newest", "started_at"),)
    delivery_id: UUID = Field(foreign_key="delivery.id", primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    started_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    finished_at: datetime | None = Field(default=None, sa_type=Timestamp)
    outcome: str | None = None
    detail: str | None = None


class User(SQLModel, table=True):
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    name: str = Field(unique=True)
    password_hash: str | None = None
    roles: list[str] = Field(default_factory=list, sa_type=Texts)
    email: str | None = None
    manager: str | None = None
    zone: str | None = None
    hours: dict[str, Any] | None = Field(default=None, sa_type=MaybeJson)  # when they may be told: None, at any time
    destination: str | None = None  # of their own, beside the pages
    digest: str | None = None  # told at this time of day together (`09:00`); None, one by one
    alerts: int | None = None  # told at most so many a day; the rest waits, the worst first
    absent_from: datetime | None = Field(default=None, sa_type=Timestamp)
    absent_until: datetime | None = Field(default=None, sa_type=Timestamp)
    substitute: str | None = None
    active: bool = True
    failures: int = 0  # wrong passwords since the last right one
    locked_until: datetime | None = Field(default=None, sa_type=Timestamp)
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)


class UserSession(SQLModel, table=True):
    """Somebody who is signed in to the pages: the digest of the cookie, never the cookie."""

    __tablename__ = "user_session"
    digest: str = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", index=True)
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    expires_at: datetime = Field(sa_type=Timestamp)


class ApiKey(SQLModel, table=True):
    """The digest of a key, never the key."""

    __tablename__ = "api_key"
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    name: str
    digest: str = Field(unique=True)
    role: str
    source: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    revoked_at: datetime | None = Field(default=None, sa_type=Timestamp)


class AuditEvent(SQLModel, table=True):
    """A link of the audit chain: each hash covers the one before it."""

    __tablename__ = "audit_event"
    sequence: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Timestamp)
    actor: str
    action: str
    object: str
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    previous_hash: str
    hash: str
