"""The `examples` of a policy document: records with the kinds of item they must create."""

from collections.abc import Collection, Mapping
from typing import Any, cast, get_args

from models.prediction import SENTIMENTS, TYPES, URGENCIES, AbstainReason
from service.route.findings import Findings
from service.route.marked import Marked, Scalar, Table
from service.route.policy import Example
from service.route.section import Section, is_null, number, plain_text
from service.route.suggestion import did_you_mean

MADE = ("follow_up", "ticket", "quality_case", "backlog_item", "review")
_RECORD = (
    "source",
    "external_id",
    "scores",
    "verbatims",
    "customer",
    "context",
    "consent",
    "language",
    "classification",
)
_CUSTOMER = ("id", "email", "tier", "region", "account_value", "attributes")
_SCALES: Mapping[str, tuple[int, int]] = {"nps": (0, 10), "csat": (1, 5), "stars": (1, 5), "ces": (1, 7)}
_LONGEST = 10_000  # characters of a text: an example is read by people
_MOST = 100


def read_examples(parts: tuple[Marked, ...], topics: Collection[str], findings: Findings) -> tuple[Example, ...]:
    """Read the entries of `examples`; a text without `classification` is left to the classifier."""
    if len(parts) > _MOST:
        findings.error(parts[_MOST].mark, f"a policy has at most {_MOST} examples")
    read = [_Entry(topics, findings).example(number, part) for number, part in enumerate(parts[:_MOST], 1)]
    seen = set[str]()
    for part, example in zip(parts, read, strict=False):
        if example is not None and example.name in seen:
            findings.error(part.mark, f"there are two examples named {example.name}")
        seen.add(example.name if example else "")
    return tuple(example for example in read if example is not None)


class _Entry:
    """Reads one example against the topics there are."""

    def __init__(self, topics: Collection[str], findings: Findings) -> None:
        self.topics, self.findings = topics, findings

    def example(self, number: int, part: Marked) -> Example | None:
        if not isinstance(part, Table):
            self.findings.error(part.mark, "an example is a mapping with record and creates")
            return None
        section = Section(part, self.findings, ("name", "record", "creates"), ("record", "creates"))
        name, table = section.text("name"), section.section("record")
        record = None if table is None else self.record(table)
        creates = self.creates(section)
        if record is None:
            return None
        return Example(name=name or f"example {number}", record=record, creates=cast("tuple[Any, ...]", creates))

    def creates(self, section: Section) -> tuple[str, ...]:
        kinds = []
        for kind, scalar in section.texts("creates"):
            if kind in MADE:
                kinds.append(kind)
            else:
                detail = f"creates lists what is made, of {', '.join(MADE)}, not {kind}"
                self.findings.error(scalar.mark, detail, did_you_mean(kind, MADE))
        return tuple(kinds)

    def record(self, table: Table) -> dict[str, Any]:
        section = Section(table, self.findings, _RECORD)
        told: dict[str, Any] = {name: section.text(name) for name in ("source", "external_id", "language")}
        told["scores"] = self.scores(section.section("scores"))
        told["verbatims"] = [self.verbatim(part) for part in section.items("verbatims")]
        told["customer"] = self.customer(section.section("customer"))
        told["context"] = self.open_values("context", section.section("context"))
        told["consent"] = self.open_values("consent", section.section("consent"))
        believed = section.section("classification")
        if believed is not None:
            told["classification"] = self.beliefs(believed)
        if section.table.get("scores") is None and section.table.get("verbatims") is None and believed is None:
            self.findings.error(table.mark, "a record has at least one score or one verbatim")
        return {name: value for name, value in told.items() if value not in (None, {}, [])}

    def scores(self, table: Table | None) -> dict[str, float]:
        if table is None:
            return {}
        section, given = Section(table, self.findings, _SCALES), dict[str, float]()
        for name, (least, most) in _SCALES.items():
            value = section.number(name)
            if value is None:
                continue
            if not least <= value <= most or (name == "nps" and not value.is_integer()):
                whole = "a whole number" if name == "nps" else "a number"
                self.findings.error(section.mark(name), f"{name} is {whole} from {least} to {most}")
            given[name] = int(value) if value.is_integer() else value
        return given

    def verbatim(self, part: Marked) -> dict[str, str]:
        if isinstance(part, Scalar):
            return {"text": self.words(part)}
        if not isinstance(part, Table):
            self.findings.error(part.mark, "a verbatim is a text, or a mapping with text and question")
            return {"text": ""}
        section = Section(part, self.findings, ("question", "text"), ("text",))
        text, question = section.scalar("text"), section.text("question")
        said = {"text": "" if text is None else self.words(text)}
        return said if question is None else said | {"question": question}

    def words(self, part: Scalar) -> str:
        if not isinstance(part.value, str):
            self.findings.error(part.mark, "a verbatim is a text", f'put it in quotes: "{part.text}"')
        elif len(part.text) > _LONGEST:
            self.findings.error(part.mark, f"the text of an example has at most {_LONGEST:,} characters")
        return part.text

    def customer(self, table: Table | None) -> dict[str, Any]:
        if table is None:
            return {}
        section = Section(table, self.findings, _CUSTOMER)
        told: dict[str, Any] = {name: section.text(name) for name in ("id", "email", "tier", "region")}
        told["account_value"] = section.number("account_value")
        told["attributes"] = self.open_values("attributes", section.section("attributes")) or None
        return {name: value for name, value in told.items() if value is not None}

    def open_values(self, what: str, table: Table | None) -> dict[str, Any]:
        values = dict[str, Any]()
        for key, part in table.entries if table else ():
            if is_null(part):
                continue
            if not isinstance(part, Scalar):
                self.findings.error(part.mark, f"{what}.{key.text} is a text, a number, true or false")
            elif self.fits(part, f"{what}.{key.text}"):
                values[key.text] = part.value
        return values

    def fits(self, part: Scalar, what: str) -> bool:
        if isinstance(part.value, bool):
            return True
        read = plain_text if isinstance(part.value, str) else number
        return read(part, what, self.findings) is not None

    def beliefs(self, table: Table) -> dict[str, Any]:
        axes: Mapping[str, Collection[str]] = {
            "sentiment": SENTIMENTS,
            "type": TYPES,
            "urgency": URGENCIES,
            "topics": self.topics,
        }
        section = Section(table, self.findings, (*axes, "abstain"))
        told: dict[str, Any] = {
            axis: self.probabilities(axis, section.section(axis), labels) for axis, labels in axes.items()
        }
        abstain = section.choice("abstain", get_args(AbstainReason))
        return told if abstain is None else told | {"abstain": abstain}

    def probabilities(self, axis: str, table: Table | None, labels: Collection[str]) -> dict[str, float]:
        if table is None:
            return {}
        for key, _ in table.entries:
            if key.text not in labels:
                self.findings.error(key.mark, f"{axis} has no label {key.text}", did_you_mean(key.text, labels))
        section = Section(table, Findings(), labels)
        given = dict[str, float]()
        for key, part in section.table.entries:
            value = part.value if isinstance(part, Scalar) else None
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                self.findings.error(part.mark, f"{axis}.{key.text} is a probability from 0 to 1")
            else:
                given[key.text] = float(value)
        return given
