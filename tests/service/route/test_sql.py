"""Conditions as SQL: over stored rows they are what they are in Python, and a preview finds the records."""

from datetime import timedelta
from uuid import UUID

import pytest
from expressions import BELIEFS, NAMES, NOW, naive, records, seen, spell, trees
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlmodel import select
from uuid_utils.compat import uuid7

from calibration.promise import Promise
from service.preview import preview
from service.route.certificates import Certificate, Gate, Hold, ReadBy
from service.route.conditions import parse
from service.route.sql import RECORDS, sql_of
from service.store.tables import Classification, Decision, Feedback, FeedbackRevision, Policy, Source, WorkItem

BY_NAME = {"sentiment.negative": ("sentiment", "negative"), "urgency.high": ("urgency", "high")}


def document(record, *, withheld):
    """What the classifier would have stored."""
    read = {axis: {"probabilities": {}} for axis in ("sentiment", "type", "urgency")}
    for name, (axis, label) in BY_NAME.items():
        if record[name] is not None:
            read[axis]["probabilities"][label] = record[name]
    return read | {"language": {"code": record["language"]}, "abstain": None, "degraded": withheld, "topics": []}


def body(record, customer):
    """The answer as it is stored."""
    context = {
        name: record[f"context.{name}"] for name in ("site", "vip", "n") if record[f"context.{name}"] is not None
    }
    scores = {name: record[f"scores.{name}"] for name in ("nps", "csat") if record[f"scores.{name}"] is not None}
    told = {"scores": scores, "context": context, "customer": {"tier": record["customer.tier"]}}
    if customer is not None:
        told["customer"]["id"] = customer
    return told | {"verbatims": [{"text": said} for said in record["text"] or ()]}


class Stored:
    """Rows in the database, each as if it had been received at NOW and classified."""

    def __init__(self, session):
        self.session = session
        session.add(Source(name="s", kind="api"))
        session.flush()
        policy = session.exec(select(Policy.version)).first()
        self.rows = {Feedback: [], FeedbackRevision: [], Classification: [], Decision: [], WorkItem: []}
        self.policy = policy

    def add(self, record, *, withheld, at=NOW) -> UUID:
        one = uuid7()
        days = record["days ago"]
        customer = None if days is None else f"c-{one}"
        found = Feedback(id=one, source="s", external_id=str(one), revision=1, received_at=at)
        answer = FeedbackRevision(
            feedback_id=one,
            revision=1,
            body=body(record, customer),
            digest="d",
            original=None,
            key_id=None,
            submitted_at=at,
        )
        topics = {} if record['topic("delivery")'] is None else {"delivery": record['topic("delivery")']}
        read = Classification(
            feedback_id=one,
            revision=1,
            classifier="k@1",
            calibrator="none@1",
            taxonomy="t@1",
            document=document(record, withheld=withheld),
            topics=topics,
            logits=[],
        )
        decision = Decision(
            feedback_id=one,
            revision=1,
            policy_version=self.policy,
            mode="live",
            receipt="{}",
            digest="d",
            decided_at=at,
        )
        for row in (found, answer, read, decision):
            self.rows[type(row)].append(row.model_dump())
        for ago in days or ():
            made = WorkItem(
                kind="ticket",
                title="t",
                body="b",
                rule="r",
                decision_id=decision.id,
                customer=customer,
                created_at=at - timedelta(days=ago),
            )
            self.rows[WorkItem].append(made.model_dump())
        return one

    def write(self):
        for table, values in self.rows.items():
            if values:
                self.session.connection().execute(insert(table), values)
                values.clear()

    def truths(self, sql):
        query = f"SELECT f.id, {sql.text} AS truth FROM feedback f {RECORDS}"  # noqa: S608 - what is tested
        return {row.id: row.truth for row in self.session.execute(text(query), sql.parameters)}


def without_searches(tree):
    """The naive tree with every search unknown."""
    if tree[0] == "not":
        return ("not", without_searches(tree[1]))
    if tree[0] in {"and", "or"}:
        return (tree[0], [without_searches(part) for part in tree[1]])
    return ("fixed", None) if tree[0] == "matches" else tree


@pytest.fixture
def stored(database):
    with database.session() as session:
        yield Stored(session)
        session.rollback()


def test_sql_says_of_stored_records_what_the_naive_evaluator_says(stored):
    some = list[tuple]()
    nothing = dict.fromkeys(["threshold", *BELIEFS])

    @settings(max_examples=60, database=None)
    @given(records, st.booleans())
    def store(record, withheld):
        some.append((stored.add(record, withheld=withheld), record, withheld))

    @settings(max_examples=40, database=None, suppress_health_check=list(HealthCheck))
    @given(trees, st.sampled_from([{"a": 0.5, "b": 0.25}, {"a": None, "b": 1.0}]))
    def compare(tree, thresholds):
        sql = sql_of(parse(spell(tree), NAMES), {name: Gate(value) for name, value in thresholds.items()}, NOW)
        truths = stored.truths(sql)
        known = {'threshold("a")': thresholds["a"], 'threshold("b")': thresholds["b"]}
        for one, record, withheld in some:
            expected = naive(without_searches(tree), seen(nothing | record | known, withheld=withheld))
            assert truths[one] is expected, (spell(tree), record, withheld)
        assert sql.exact is ("matches(" not in spell(tree))

    store()
    stored.write()
    compare()


EMPTY = dict.fromkeys(
    [
        *("scores.nps", "scores.csat", "context.n", "sentiment.negative", "urgency.high", 'topic("delivery")'),
        *("customer.tier", "context.site", "language", "context.vip", "text", "days ago"),
    ]
)
VALUES = [
    ("source == 's'", {}, True),
    ("source == \"' or true or '\"", {}, False),
    ("context.site == 'x'", {"context": {"site": 7}}, None),
    ("context.n > 1", {"context": {"n": "2"}}, None),
    ("context.n > 1", {"context": {"n": True}}, None),
    ("context.n > 1", {"context": {"n": 1e300}}, True),
    ("context.vip", {"context": {"vip": 1}}, None),
    ("context.vip", {"context": {"vip": False}}, False),
    ("known(context.vip)", {"context": {"vip": "yes"}}, False),
    ("language == 'pl'", {"language": "pl"}, True),
    ("scores.stars >= 3.5", {"scores": {"stars": 3.5}}, True),
]


def test_values_of_another_type_are_missing_and_texts_stay_texts(stored):
    ids = [stored.add(EMPTY, withheld=False) for _ in VALUES]
    stored.rows[Classification].clear()
    for answer, (_, changes, _) in zip(stored.rows[FeedbackRevision], VALUES, strict=True):
        answer["body"] = changes
    stored.write()

    for one, (written, changes, truth) in zip(ids, VALUES, strict=True):
        assert stored.truths(sql_of(parse(written, NAMES), {}, NOW))[one] is truth, (written, changes)


def test_a_preview_counts_and_names_the_newest(stored):
    angry = EMPTY | {"scores.nps": 2, "text": ("I want a refund",), "days ago": [2]}
    ids = [stored.add(angry, withheld=False, at=NOW - timedelta(hours=hours)) for hours in range(5)]
    stored.add(angry | {"text": ("fine",)}, withheld=False)
    stored.add(angry | {"scores.nps": 9}, withheld=False)
    stored.write()

    def asked(written, **changes):
        return preview(stored.session, parse(written, NAMES), {}, **({"since": NOW - timedelta(days=2)} | changes))

    assert asked("scores.nps <= 6").matching == 6
    assert asked("scores.nps <= 6", since=NOW - timedelta(hours=1)).matching == 3
    assert asked("scores.nps <= 6", most=3).more
    searched = asked('scores.nps <= 6 and matches(text, "(?i)REFUND") and count_recent("ticket", 2) == 1', limit=2)
    assert (searched.matching, searched.looked_at, searched.more, searched.newest) == (5, 7, False, tuple(ids[:2]))
    assert asked('not matches(text, "refund")').matching == 1


SAMPLED = {"label": "negative", "promise": Promise(0.9, 0.95), "issued_at": NOW}
WAY = {"classifier": "k@1", "model_digest": "", "taxonomy": "t@1", "preparation": "", "calibrators": {"s": "none@1"}}
certificates = st.builds(
    Certificate,
    id=st.just("c"),
    axis=st.sampled_from(["sentiment", "topic"]),
    sources=st.sampled_from([{"s"}, {"t"}, {"s", "t"}]),
    languages=st.sampled_from([{"en"}, {"pl", "en"}, {"de"}]),
    threshold=st.sampled_from([0.25, 0.75]),
    expires_at=st.sampled_from([NOW, NOW + timedelta(days=1)]),
    **{name: st.just(value) for name, value in SAMPLED.items()},
    **{name: st.sampled_from([value, value, {} if name == "calibrators" else "x"]) for name, value in WAY.items()},
)
holds = st.builds(
    Hold,
    axis=st.just("sentiment"),
    label=st.just("negative"),
    cause=st.just("alarm"),
    reason=st.just("r"),
    at=st.just(NOW),
    source=st.sampled_from([None, "s", "t"]),
    language=st.sampled_from([None, "pl", "de"]),
)
READ = ReadBy("k@1", "", "none@1", "t@1", "")
UNCORRECTED = Certificate(
    id="c",
    axis="topic",
    sources={"s"},
    languages={"en"},
    threshold=0.25,
    expires_at=NOW + timedelta(days=1),
    **SAMPLED,
    **WAY | {"calibrators": {"s": "of before"}},
)


def test_sql_gives_each_text_the_value_that_its_gate_does(stored):
    languages = ["en", "pl", "de", None]
    ids = {one: stored.add(EMPTY | {"sentiment.negative": 0.5, "language": one}, withheld=False) for one in languages}
    stored.write()
    asked = parse('sentiment.negative >= threshold("a")', NAMES)

    @settings(max_examples=60, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(certificates, max_size=2), st.lists(holds, max_size=1), st.sampled_from([None, 0.5, 0.9]))
    @example([UNCORRECTED], [], 0.9)  # no calibrator corrects topics, so that none is asked for
    def compare(proved, held, uncertified):
        gate = Gate(uncertified, proved, held)
        truths = stored.truths(sql_of(asked, {"a": gate}, NOW))
        for language, one in ids.items():
            value = gate.resolve("s", language, READ, NOW).value
            assert truths[one] is (None if value is None else value <= 0.5), (gate, language)

    compare()
