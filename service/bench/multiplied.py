"""A full installation in minutes: the demo's feedback goes down the whole road once, then its rows are copied."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files

import httpx
from sqlalchemy import Uuid, text
from sqlmodel import Session, SQLModel

from models.taxonomies.taxonomy import default_taxonomy
from service import worker
from service.bench.corpus import records
from service.bench.figures import BenchFailed
from service.bench.scratch import Scratch
from service.classify import Reader
from service.deliver.http import open_client
from service.pipeline import Works
from service.route import versions
from service.store.tables import Timestamp

YEARS = 2  # the copies lie this far back, evenly; on disk, too, what is of one time lies together
_ORIGINALS = 300  # all of the demo's
_SIDE_BY_SIDE = 4
_COPIES = 50  # in a transaction
_READ = ("feedback", "feedback_revision", "classification")
_ROUTED = (
    *_READ,
    "decision",
    "work_item",
    "work_item_evidence",
    "work_item_event",
    "delivery",
    "delivery_attempt",
)
# A column of a copy that is more than the original's: `n` numbers the copy, `earlier` is how far back it lies.
_CHANGED_ROUTED: Mapping[tuple[str, str], str] = {
    ("feedback", "external_id"): "external_id || '-' || n",
    ("feedback_revision", "body"): (
        "CASE WHEN body #> '{customer,id}' IS NULL THEN body "
        "ELSE jsonb_set(body, '{customer,id}', to_jsonb((body #>> '{customer,id}') || '-' || n)) END"
    ),
    ("decision", "receipt"): (
        "replace(replace(receipt, feedback_id::text, md5(feedback_id::text || n)::uuid::text), "
        "id::text, md5(id::text || n)::uuid::text)"
    ),
    ("work_item", "status"): "CASE WHEN n <= CAST(:open AS int) THEN status ELSE 'resolved' END",
    ("work_item", "join_key"): "join_key || n",
    ("work_item", "sla"): (
        "CASE WHEN sla IS NULL THEN NULL ELSE sla || (SELECT jsonb_object_agg(part, coalesce((SELECT jsonb_object_agg("
        "key, to_jsonb(value::timestamptz - earlier)) FROM jsonb_each_text(sla -> part)), '{}')) "
        "FROM unnest(ARRAY['first_due', 'at_risk']) AS part) END"
    ),
    ("work_item", "tick_at"): "NULL",
    ("delivery", "idempotency_key"): "idempotency_key || '-' || n",
    ("delivery", "state"): "'delivered'",
    ("delivery", "attempt"): "1",
    ("delivery", "external_ref"): "'T-' || n",
}
_OWN_TEXTS = (
    "jsonb_set(body, '{verbatims}', coalesce((SELECT jsonb_agg(one || jsonb_build_object('text', (one ->> 'text') "
    "|| ' (' || n || ')') ORDER BY place) FROM jsonb_array_elements(body -> 'verbatims') WITH ORDINALITY AS answers "
    "(one, place)), '[]'))"
)
# A part of up to a fifth of what was negative becomes neutral, another part in every copy.
_LESS = (
    "(document #>> '{sentiment,probabilities,negative}')::float8 "
    "* (('x' || substr(md5(id::text || n), 1, 6))::bit(24)::int / 83886080.0)"
)
_OWN_PROBABILITIES = (
    "jsonb_set(document, '{sentiment,probabilities}', (document #> '{sentiment,probabilities}') || jsonb_build_object("
    f"'negative', (document #>> '{{sentiment,probabilities,negative}}')::float8 - {_LESS}, "
    f"'neutral', (document #>> '{{sentiment,probabilities,neutral}}')::float8 + {_LESS}))"
)


@dataclass(frozen=True, slots=True)
class Copied:
    """Which tables are copied, parents first (sources, people and policies stay as they are), and what differs."""

    tables: Sequence[str]
    changed: Mapping[tuple[str, str], str]


ROUTED = Copied(_ROUTED, _CHANGED_ROUTED)
"""Records with all that became of them; copies say the same."""
READ = Copied(
    _READ,
    {
        ("feedback", "external_id"): _CHANGED_ROUTED["feedback", "external_id"],
        ("feedback_revision", "body"): _OWN_TEXTS,
        ("classification", "document"): _OWN_PROBABILITIES,
    },
)
"""Records with how they were read; no two say the same, and sentiment is never the same probability."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How many there are now; `open` counts work items that are not yet done."""

    records: int
    open: int


def fill(place: Scratch, port: int, number: int, items: int, copied: Copied = ROUTED) -> Filled:
    """Fill an installation whose web process listens at `port` with at least `number` records, and about `items` open.

    Raises:
        BenchFailed: the road did not take what it was given.
    """
    _originals(place, port, min(_ORIGINALS, number // 2))
    with Session(place.opened.database.engine) as session:
        made = _filled(session)
        for table in copied.tables:
            session.execute(text(f"CREATE UNLOGGED TABLE bench_{table} AS TABLE {table}"))
        session.commit()
    copies, still_open = -(-number // made.records) - 1, max(0, round(items / made.open) - 1)
    parts = [(first, min(first + _COPIES - 1, copies)) for first in range(1, copies + 1, _COPIES)]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        list(pool.map(lambda part: _copy(place, copied, part, still_open, copies), parts))
    plain = place.opened.database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with plain.connect() as connection:
        connection.execute(text(f"DROP TABLE {', '.join(f'bench_{table}' for table in copied.tables)}"))
        connection.execute(text("VACUUM ANALYZE"))
    with Session(place.opened.database.engine) as session:
        return _filled(session)


def _originals(place: Scratch, port: int, number: int) -> None:
    opened = place.opened
    with opened.database.session() as session:
        document = (files("service.demo") / "policy.yaml").read_text()
        published = versions.publish(session, document, default_taxonomy().labels, by="bench", comment="bench")
        versions.activate(session, published.version, by="bench", comment="bench")
    headers = {"Authorization": f"Bearer {place.key}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=60) as client:
        answer = client.post("/v1/feedback", json=records(number, "bench"))
    if answer.status_code != httpx.codes.ACCEPTED:
        raise BenchFailed(f"heed answered {answer.status_code}: {answer.text[:300]}")
    works = Works(
        database=opened.database,
        vault=opened.vault,
        reader=Reader("keywords"),
        http=open_client(frozenset()),
        public_url=None,
    )
    asyncio.run(worker.drain(works, opened.database.conninfo))


def _copy(place: Scratch, copied: Copied, part: tuple[int, int], still_open: int, copies: int) -> None:
    values = {"first": part[0], "last": part[1], "open": still_open, "step": YEARS * 365 * 86_400 / max(copies, 1)}
    with place.opened.database.session() as session:
        session.execute(text("SET LOCAL synchronous_commit = off"))
        for table in copied.tables:
            session.execute(text(_statement(copied, table)), values)


def _statement(copied: Copied, table: str) -> str:
    names, values = [], []
    for column in SQLModel.metadata.tables[table].columns:
        names.append(f'"{column.name}"')
        if (table, column.name) in copied.changed:
            values.append(copied.changed[table, column.name])
        elif isinstance(column.type, Uuid):
            values.append(f'md5("{column.name}"::text || n)::uuid')
        elif isinstance(column.type, Timestamp):
            values.append(f'"{column.name}" - earlier')
        else:
            values.append(f'"{column.name}"')
    copies = "SELECT n, make_interval(secs => n * CAST(:step AS float8)) AS earlier FROM generate_series({}, {}) n"
    numbered = copies.format("CAST(:first AS int)", "CAST(:last AS int)")
    return (
        f"INSERT INTO {table} ({', '.join(names)}) "  # noqa: S608 (our own tables)
        f"SELECT {', '.join(values)} FROM bench_{table}, LATERAL ({numbered}) copies ORDER BY n DESC"
    )


def _filled(session: Session) -> Filled:
    records = session.execute(text("SELECT count(*) FROM feedback")).scalar_one()
    still_open = session.execute(text("SELECT count(*) FROM work_item WHERE status <> 'resolved'")).scalar_one()
    return Filled(int(records), int(still_open))
