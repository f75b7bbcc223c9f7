"""The values of a record that policies look at, and nothing more: the SQL that reads them, the case made of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from psycopg import sql

from service.route.case import Case, Customer, Scores, field_named
from service.route.certificates import Gate, ReadBy
from service.route.expression import CountRecent, DaysSinceLast, FieldOf, Operand, TopicOf, Verbatims, clauses, operands
from service.route.policy import Group, People, Policy, Split

# Where the places of a case lie; each value is behind a key of its own there.
_PLACES: Mapping[str, str] = {
    "scores": "answer.body -> 'scores'",
    "customer": "answer.body -> 'customer'",
    "customer.attributes": "answer.body -> 'customer' -> 'attributes'",
    "context": "answer.body -> 'context'",
    "sentiment": "c.document -> 'sentiment' -> 'probabilities'",
    "types": "c.document -> 'type' -> 'probabilities'",
    "urgency": "c.document -> 'urgency' -> 'probabilities'",
    "topics": "c.topics",
}
_NOTHING: Mapping[str, Any] = {}
_BELIEFS = ("sentiment", "types", "urgency", "topics")
_NEVER_READ = "f.stage IN ('received', 'quarantined') AND c.document IS NULL"
_LANGUAGE = (
    "CASE WHEN c.document IS NULL OR c.document -> 'abstain' ->> 'reason' = 'empty' THEN answer.body -> 'language'"
    " ELSE c.document -> 'language' -> 'code' END"
)
_TEXT = "jsonb_path_query_array(answer.body, '$.verbatims[*].text')"
# What was really made for the customer before, as the decision of the day saw it.
_PAST = (
    "(SELECT jsonb_object_agg(kind, moments) FROM (SELECT w.kind, jsonb_agg(w.created_at ORDER BY w.created_at DESC)"
    " AS moments FROM work_item w WHERE w.customer = answer.body -> 'customer' ->> 'id'"
    " AND w.created_at < f.received_at AND w.status <> 'retracted' GROUP BY w.kind) made)"
)
# `|| '{}'` changes nothing, but what is packed is unpacked once, not for each value: 16 us a record, 24 without.
_FROM = (
    " FROM feedback f JOIN feedback_revision r ON r.feedback_id = f.id AND r.revision = f.revision"
    " CROSS JOIN LATERAL (SELECT r.body || '{}' AS body OFFSET 0) answer"
)
_WAY = ", classifier, model_digest, calibrator, taxonomy, preparation"
_READ = (
    " LEFT JOIN LATERAL (SELECT document || '{{}}' AS document, topics{} FROM classification"
    " WHERE feedback_id = f.id AND revision = f.revision ORDER BY created_at DESC LIMIT 1) c ON true"
)


class Columns:
    """What is read for some policies and their gates. The case decides under each of them as the whole record would."""

    def __init__(self, *policies: Policy, gates: Iterable[Gate] = ()) -> None:
        looked = [operand for policy in policies for operand in _operands(policy)]
        skilled = any(people.skills for policy in policies for people in people_in(policy))
        self.past = any(isinstance(one, CountRecent | DaysSinceLast) for one in looked)
        self._text = any(isinstance(one, Verbatims) for one in looked)
        self._bound = any(gate.varies for gate in gates)
        self._language = (
            skilled or self._bound or any(isinstance(one, FieldOf) and one.name == "language" for one in looked)
        )
        self._tags = skilled
        values = {value for one in looked if (value := _value(one)) is not None}
        values.add(("customer", "tier"))  # targets may hang on it
        if self.past:
            values.add(("customer", "id"))
        self._keys = {place: sorted(key for at, key in values if at == place) for place in _PLACES}
        ends = accumulate(len(keys) for keys in self._keys.values())
        self._ends = [(place, keys, end) for (place, keys), end in zip(self._keys.items(), ends, strict=True)]
        self._ways: dict[tuple[str | None, ...], ReadBy] = {}
        self.beliefs = self._language or any(self._keys[place] for place in _BELIEFS)

    @property
    def query(self) -> sql.Composed:
        """The SELECT of one JSON array a record, without its WHERE; `f` is the feedback."""
        read, nothing = self.beliefs, "NULL"
        first = (
            "f.id, f.received_at, f.source, f.history",
            _NEVER_READ if read else "false",
            "c.document IS NOT NULL" if read else "false",
            "c.document -> 'abstain' -> 'reason'" if read else nothing,
            "c.document -> 'degraded'" if read else nothing,
            _LANGUAGE if self._language else nothing,
            "jsonb_path_query_array(c.document, '$.topics[*].label')" if self._tags else nothing,
            _TEXT if self._text else nothing,
            _PAST if self.past else nothing,
            f"JSON_ARRAY({_WAY.removeprefix(', ')} NULL ON NULL)" if self._bound else nothing,
        )
        values = (
            sql.SQL("{} -> {}").format(sql.SQL(_PLACES[place]), key) for place in _PLACES for key in self._keys[place]
        )
        parts = sql.SQL(", ").join([*map(sql.SQL, first), *values])
        joined = sql.SQL(_FROM + (_READ.format(_WAY if self._bound else "") if read else ""))
        return sql.SQL("SELECT JSON_ARRAY({} NULL ON NULL)").format(parts) + joined

    def case(self, row: Sequence[Any]) -> Case | None:
        """The case of a row of `query`, None where nobody has read its text yet."""
        _, at, source, history, unread, known, reason, degraded, language, tags, text, past, _, *values = row
        if unread:
            return None
        place = self._placed(values)
        read = known and reason != "empty"  # a blank answer is no text: nobody has to look at it
        customer = Customer(**place["customer"], attributes=place["customer.attributes"])
        return Case(
            source=source,
            now=datetime.fromisoformat(at),
            scores=Scores(**place["scores"]),
            sentiment=place["sentiment"] if read else None,
            types=place["types"] if read else None,
            urgency=place["urgency"] if read else None,
            topics=place["topics"] if read else None,
            tags=tuple(tags or ()) if read else (),
            language=language,
            abstain=reason if read else None,
            degraded=degraded if read else False,
            customer=customer,
            context=place["context"],
            history=history,
            text=tuple(text or ()) if self._text else None,
            past=_moments(past) if self.past and customer.id is not None else None,
        )

    def read_by(self, row: Sequence[Any]) -> ReadBy | None:
        """What the record of a row was read by; None where nothing was, or where no gate asks for it."""
        way = row[12]
        if way is None or way[0] is None:
            return None
        key = tuple(way)
        found = self._ways.get(key)
        if found is None:
            found = self._ways[key] = ReadBy.stored(*way)
        return found

    def _placed(self, values: Sequence[Any]) -> dict[str, Mapping[str, Any]]:
        """The values by place and key; None, too, is missing."""
        placed, begin = dict[str, Mapping[str, Any]](), 0
        for place, keys, end in self._ends:
            placed[place] = dict(zip(keys, values[begin:end], strict=True)) if keys else _NOTHING
            begin = end
        return placed


def _moments(past: Mapping[str, Iterable[str]] | None) -> dict[str, tuple[datetime, ...]]:
    return {kind: tuple(datetime.fromisoformat(at) for at in moments) for kind, moments in (past or {}).items()}


def _value(operand: Operand | Verbatims) -> tuple[str, str] | None:
    """The place and key of a value that lies in one of the places."""
    if isinstance(operand, TopicOf):
        return "topics", operand.label
    if not isinstance(operand, FieldOf) or operand.name in {"source", "language"}:
        return None
    found = field_named(operand.name, operand.type)
    if found.key is not None:
        return found.place, found.key
    place, _, key = found.place.rpartition(".")
    return place, key


def _operands(policy: Policy) -> Iterator[Operand | Verbatims]:
    for rule in policy.rules:
        for clause in clauses(rule.when):
            yield from operands(clause)
    for group in policy.groups.values():
        yield from (part.by for part in parts_of(group) if isinstance(part, Split))


def people_in(policy: Policy) -> Iterator[People]:
    """All the named people of a policy, group by group."""
    found = (part for group in policy.groups.values() for part in parts_of(group))
    return (part for part in found if isinstance(part, People))


def parts_of(group: Group) -> Iterator[Group]:
    """A group, and the parts that it is split into."""
    yield group
    if isinstance(group, Split):
        for part in (*group.values.values(), group.default):
            yield from parts_of(part)
