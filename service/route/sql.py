"""Conditions as SQL over the stored rows, for previews: a parametrised boolean expression; NULL is unknown.

PostgreSQL's `and`, `or` and `not` are Kleene's (manual, 9.1). It reads the aliases of RECORDS. What the past holds is
counted as of the moment the record came in. A pattern of matches() means something else to PostgreSQL than to RE2, so
a search is always unknown here and `exact` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from service.route.case import FieldType, field_named
from service.route.certificates import Certificate, Gate, Hold
from service.route.expression import (
    And,
    Clause,
    Compare,
    DaysSinceLast,
    Expression,
    FieldOf,
    Fixed,
    Holds,
    Known,
    Looked,
    Matches,
    Not,
    OneOf,
    Operand,
    Or,
    ThresholdOf,
    TopicOf,
    clauses,
)
from service.source_maps import CALIBRATED

# The newest answer of each record, and how its text was read last.
RECORDS = """
JOIN feedback_revision r ON r.feedback_id = f.id AND r.revision = f.revision
LEFT JOIN LATERAL (
    SELECT document, topics, classifier, model_digest, calibrator, taxonomy, preparation FROM classification
    WHERE feedback_id = f.id AND revision = f.revision ORDER BY created_at DESC LIMIT 1
) c ON true
"""
_STORED = {"text": ("string", "text"), "number": ("number", "float8"), "boolean": ("boolean", "boolean")}
_OWN_CUSTOMER = "r.body #>> '{customer,id}'"
_TOLD = "(c.document IS NOT NULL AND c.document #>> '{abstain,reason}' IS DISTINCT FROM 'empty')"
_LANGUAGE = f"(CASE WHEN {_TOLD} THEN c.document #>> '{{language,code}}' ELSE r.body ->> 'language' END)"
_ACTED_ON = (
    "(c.document IS NOT NULL AND c.document #>> '{abstain,reason}' IS NULL"
    " AND (c.document ->> 'degraded') IS DISTINCT FROM 'true')"
)
_SIGNS = {"==": "=", "!=": "<>"}


@dataclass(frozen=True, slots=True)
class Sql:
    """A boolean expression with its parameters; where it is not `exact`, NULL may also stand for true or false."""

    text: str
    parameters: Mapping[str, object]
    exact: bool


def sql_of(tree: Expression, thresholds: Mapping[str, Gate], at: datetime) -> Sql:
    """Compile a condition, each threshold with the value that its gate gives a text at a moment."""
    writer = _Writer(thresholds, at)
    text = writer.condition(tree)
    return Sql(text, writer.parameters, not any(isinstance(clause, Matches) for clause in clauses(tree)))


def loosened(tree: Expression, *, wanted: bool = True) -> Expression:
    """The condition with each search taken as it suits: true for whatever the condition itself is true for."""
    if isinstance(tree, Not):
        return Not(item=loosened(tree.item, wanted=not wanted))
    if isinstance(tree, And | Or):
        return type(tree)(items=tuple(loosened(item, wanted=wanted) for item in tree.items))
    return Holds(item=Fixed(value=wanted)) if isinstance(tree, Matches) else tree


@dataclass(slots=True)
class _Writer:
    thresholds: Mapping[str, Gate]
    at: datetime
    parameters: dict[str, object] = field(default_factory=dict)

    def given(self, value: object, kind: str) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"CAST(:{name} AS {kind})"

    def condition(self, tree: Expression) -> str:
        if isinstance(tree, Not):
            return f"(NOT {self.condition(tree.item)})"
        if isinstance(tree, And | Or):
            word, empty = (" AND ", "TRUE") if isinstance(tree, And) else (" OR ", "FALSE")
            return f"({word.join(self.condition(item) for item in tree.items) or empty})"
        return f"({self.clause(tree)})"

    def clause(self, clause: Clause) -> str:
        if isinstance(clause, Compare):
            return f"{self.value(clause.left)} {_SIGNS.get(clause.op, clause.op)} {self.value(clause.right)}"
        if isinstance(clause, Matches):
            return "CAST(NULL AS boolean)"
        value = self.value(clause.item)
        if isinstance(clause, Known):
            return f"{value} IS NOT NULL"
        if isinstance(clause, OneOf):
            listed = [_plain(one) for one in clause.values]
            kind = _STORED[clause.item.type][1]
            among = "= ANY" if clause.op == "in" else "<> ALL"
            return f"{value} {among} ({self.given(listed, f'{kind}[]')})"
        return value

    def value(self, operand: Operand) -> str:
        if isinstance(operand, Fixed):
            return self.given(_plain(operand), _STORED[operand.type][1])
        if isinstance(operand, ThresholdOf):
            return self.threshold(self.thresholds.get(operand.name, Gate()))
        return self.looked(operand)

    def threshold(self, gate: Gate) -> str:
        """`Gate.resolve`, for a text that was read."""
        uncertified = self.given(gate.uncertified, "float8")
        if not gate.varies:
            return uncertified
        covered = [self.scope(list(one.sources), list(one.languages)) for one in gate.certificates]
        cases = [(f"NOT {_TOLD}", uncertified), *((self.held(one), "NULL") for one in gate.holds)]
        for scope, one in zip(covered, gate.certificates, strict=True):
            if self.at < one.expires_at:
                cases.append((f"{scope} AND {self.bound(one)}", self.given(one.threshold, "float8")))
        cases += [(scope, "NULL") for scope in covered]
        return f"(CASE {' '.join(f'WHEN {when} THEN {value}' for when, value in cases)} ELSE {uncertified} END)"

    def held(self, hold: Hold) -> str:
        sources = [hold.source] if hold.source is not None else None
        return self.scope(sources, [hold.language] if hold.language is not None else None)

    def scope(self, sources: list[str] | None, languages: list[str] | None) -> str:
        """Whether a text is of one of these, None for any."""
        parts = [
            f"{place} = ANY ({self.given(some, 'text[]')})"
            for place, some in (("f.source", sources), (_LANGUAGE, languages))
            if some is not None
        ]
        return f"({' AND '.join(parts) or 'TRUE'})"

    def bound(self, one: Certificate) -> str:
        """`Certificate.lapse`: whether a text was read as it wants; whatever is not known was not."""
        parts = [
            f"coalesce(c.{column}, '') = {self.given(value, 'text')}"
            for column, value in (
                ("classifier", one.classifier),
                ("model_digest", one.model_digest),
                ("taxonomy", one.taxonomy),
                ("preparation", one.preparation),
            )
        ]
        if one.axis in CALIBRATED:
            calibrators = [f"{source}={name}" for source, name in one.calibrators.items()]
            parts.append(f"concat(f.source, '=', c.calibrator) = ANY ({self.given(calibrators, 'text[]')})")
        return " AND ".join(parts)

    def looked(self, operand: Looked) -> str:
        if isinstance(operand, TopicOf):
            return self.acted_on(f"c.topics -> {self.given(operand.label, 'text')}")
        if isinstance(operand, FieldOf):
            return self.named(operand)
        made = f"FROM work_item w WHERE w.customer = {_OWN_CUSTOMER} AND w.kind = {self.given(operand.of, 'text')}"
        made += " AND w.status <> 'retracted' AND w.created_at <= f.received_at"
        if isinstance(operand, DaysSinceLast):
            ago = "extract(epoch FROM f.received_at - max(w.created_at))"
            return f"(SELECT CAST({ago} AS float8) / 86400 {made})"
        window = f"make_interval(hours => 24 * {self.given(operand.days, 'int')})"
        counted = f"(SELECT CAST(count(*) AS float8) {made} AND w.created_at >= f.received_at - {window})"
        return f"(CASE WHEN {_OWN_CUSTOMER} IS NOT NULL THEN {counted} END)"

    def named(self, operand: FieldOf) -> str:
        one = field_named(operand.name, operand.type)
        if operand.name == "source":
            return "f.source"
        if operand.name == "language":
            return _LANGUAGE
        if one.belief:
            path = [operand.name.partition(".")[0], "probabilities", one.key]
            return self.acted_on(f"c.document #> {self.given(path, 'text[]')}")
        path = [*one.place.split("."), *([one.key] if one.key else [])]
        return self.stored(f"r.body #> {self.given(path, 'text[]')}", operand.type)

    def acted_on(self, place: str) -> str:
        return f"(CASE WHEN {_ACTED_ON} THEN {self.stored(place, 'number')} END)"

    def stored(self, place: str, kind: FieldType) -> str:
        """A value out of JSON, NULL where it is of another type than it should be."""
        there, wanted = _STORED[kind]
        return f"(CASE WHEN jsonb_typeof({place}) = '{there}' THEN CAST(({place}) #>> '{{}}' AS {wanted}) END)"


def _plain(fixed: Fixed) -> str | float | bool:
    value = fixed.value
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
