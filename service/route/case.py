"""Case: all that a rule may look at, frozen, and the published names under which rules see it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from models.prediction import SENTIMENTS, TYPES, URGENCIES, AbstainReason
from service.route.canonical import utc_text

FieldType = Literal["text", "number", "boolean"]
Value = str | int | float | bool
OPEN_FIELDS = ("context.", "customer.attributes.")


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures the customer gave: nps 0-10, csat and stars 1-5, ces 1-7; None where not asked."""

    nps: int | None = None
    csat: float | None = None
    ces: float | None = None
    stars: float | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who wrote, as far as a rule may know: no e-mail, no name."""

    id: str | None = None
    tier: str | None = None
    region: str | None = None
    account_value: float | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """The values one decision is made on, at the time `now` (aware).

    `sentiment`, `types`, `urgency` and `topics` are probabilities by label, None for a record without text;
    `topics` holds every topic, `tags` the labels at or above their threshold, highest first. `history` marks a
    record that was imported after the fact: no clock starts for it and nothing is sent.

    `text` holds the verbatims, `past` when items of each kind were made for the customer, newest first; both are None
    where the policy looks at neither, and `past` also for a customer who is not known.
    """

    source: str
    now: datetime
    scores: Scores = Scores()
    sentiment: Mapping[str, float] | None = None
    types: Mapping[str, float] | None = None
    urgency: Mapping[str, float] | None = None
    topics: Mapping[str, float] | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    abstain: AbstainReason | None = None
    degraded: bool = False
    customer: Customer = Customer()
    context: Mapping[str, Value] = field(default_factory=dict)
    history: bool = False
    text: tuple[str, ...] | None = None
    past: Mapping[str, tuple[datetime, ...]] | None = None

    @property
    def withheld(self) -> bool:
        """Whether the classifier's beliefs are there but must not be acted on."""
        return self.degraded or self.abstain is not None

    def to_json(self) -> dict[str, object]:
        """Give the case as plain JSON data, as the receipt stores it; what the policy does not look at is left out."""
        told: dict[str, object] = {
            "source": self.source,
            "now": utc_text(self.now),
            "scores": {
                "nps": self.scores.nps,
                "csat": self.scores.csat,
                "ces": self.scores.ces,
                "stars": self.scores.stars,
            },
            "sentiment": _plain(self.sentiment),
            "type": _plain(self.types),
            "urgency": _plain(self.urgency),
            "topics": _plain(self.topics),
            "tags": list(self.tags),
            "language": self.language,
            "abstain": self.abstain,
            "degraded": self.degraded,
            "customer": {
                "id": self.customer.id,
                "tier": self.customer.tier,
                "region": self.customer.region,
                "account_value": self.customer.account_value,
                "attributes": dict(self.customer.attributes),
            },
            "context": dict(self.context),
            "history": self.history,
        }
        if self.text is not None:
            told["text"] = list(self.text)
        if self.past is not None:
            told["past"] = {kind: [utc_text(at) for at in times] for kind, times in self.past.items()}
        return told

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> "Case":
        """Rebuild the case that `to_json` wrote; writing it again gives the same data.

        Raises:
            KeyError, TypeError, ValueError: the data was not written by `to_json`.
        """
        return cls(
            source=tree["source"],
            now=datetime.fromisoformat(tree["now"]),
            scores=Scores(**tree["scores"]),
            sentiment=tree["sentiment"],
            types=tree["type"],
            urgency=tree["urgency"],
            topics=tree["topics"],
            tags=tuple(tree["tags"]),
            language=tree["language"],
            abstain=tree["abstain"],
            degraded=tree["degraded"],
            customer=Customer(**tree["customer"]),
            context=tree["context"],
            history=tree["history"],
            text=None if tree.get("text") is None else tuple(tree["text"]),
            past=None if tree.get("past") is None else {kind: _moments(times) for kind, times in tree["past"].items()},
        )


def _moments(times: Sequence[str]) -> tuple[datetime, ...]:
    return tuple(datetime.fromisoformat(at) for at in times)


def _plain(beliefs: Mapping[str, float] | None) -> dict[str, float] | None:
    return None if beliefs is None else dict(beliefs)


class Field(NamedTuple):
    """A name rules may use: its type, how it is read (None where missing), and whether a classifier said it."""

    type: FieldType
    read: Callable[[Case], Value | None]
    belief: bool = False


def _beliefs(prefix: str, attribute: str, labels: tuple[str, ...]) -> dict[str, Field]:
    def reader(label: str) -> Callable[[Case], Value | None]:
        return lambda case: (getattr(case, attribute) or {}).get(label)

    return {f"{prefix}.{label}": Field("number", reader(label), belief=True) for label in labels}


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "source": Field("text", lambda case: case.source),
        "language": Field("text", lambda case: case.language),
        "scores.nps": Field("number", lambda case: case.scores.nps),
        "scores.csat": Field("number", lambda case: case.scores.csat),
        "scores.ces": Field("number", lambda case: case.scores.ces),
        "scores.stars": Field("number", lambda case: case.scores.stars),
        **_beliefs("sentiment", "sentiment", SENTIMENTS),
        **_beliefs("type", "types", TYPES),
        **_beliefs("urgency", "urgency", URGENCIES),
        "customer.id": Field("text", lambda case: case.customer.id),
        "customer.tier": Field("text", lambda case: case.customer.tier),
        "customer.region": Field("text", lambda case: case.customer.region),
        "customer.account_value": Field("number", lambda case: case.customer.account_value),
    }
)


def field_named(name: str, declared: FieldType) -> Field:
    """Give the field behind a name: a published one, else an open one (`context.X`) with its declared type.

    An open field whose value is of another type than declared reads as missing: what a source sends cannot make a
    rule fail.
    """
    if name in FIELDS:
        return FIELDS[name]
    key = name.rpartition(".")[2]
    fits = {"text": _is_text, "number": _is_number, "boolean": _is_boolean}[declared]

    def read(case: Case) -> Value | None:
        held = case.context if name.startswith("context.") else case.customer.attributes
        value = held.get(key)
        return value if fits(value) else None

    return Field(declared, read)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)
