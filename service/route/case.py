"""Case: all that a rule may look at, frozen, and the published names under which rules see it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from models.prediction import SENTIMENTS, TYPES, URGENCIES, AbstainReason
from service.route.canonical import utc_text

Kind = Literal["follow_up", "ticket", "quality_case", "backlog_item"]
KINDS: tuple[Kind, ...] = ("follow_up", "ticket", "quality_case", "backlog_item")
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
    """A name rules may use: its type, how it is read (None where missing), and whether a classifier said it.

    `place` is where the case keeps it, `key` its key there where that is a mapping. `about` says what it is in words
    for whoever writes rules; no value lies outside `low` to `high`, and of a `whole` one none between whole numbers.
    """

    type: FieldType
    read: Callable[[Case], Value | None]
    belief: bool = False
    place: str = ""
    key: str | None = None
    about: str = ""
    low: float | None = None
    high: float | None = None
    whole: bool = False


def _own(
    kind: FieldType,
    place: str,
    about: str,
    low: float | None = None,
    high: float | None = None,
    *,
    whole: bool = False,
) -> Field:
    return Field(kind, attrgetter(place), place=place, about=about, low=low, high=high, whole=whole)


def _beliefs(prefix: str, attribute: str, labels: tuple[str, ...]) -> dict[str, Field]:
    def reader(label: str) -> Callable[[Case], Value | None]:
        return lambda case: (getattr(case, attribute) or {}).get(label)

    def about(label: str) -> str:
        return f"how sure the classifier is that the {prefix} is {label}; missing without text"

    return {
        f"{prefix}.{label}": Field("number", reader(label), True, attribute, label, about(label), 0, 1)  # noqa: FBT003 - it is a belief
        for label in labels
    }


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "source": _own("text", "source", "the name of the source the answer came from"),
        "language": _own("text", "language", "the language of the text, as two letters: en, de, pl"),
        "scores.nps": _own(
            "number", "scores.nps", "how likely the customer is to recommend, 0 to 10", 0, 10, whole=True
        ),
        "scores.csat": _own("number", "scores.csat", "how satisfied the customer is, 1 to 5", 1, 5),
        "scores.ces": _own("number", "scores.ces", "how easy the customer found it, 1 to 7", 1, 7),
        "scores.stars": _own("number", "scores.stars", "the stars of a review, 1 to 5", 1, 5),
        **_beliefs("sentiment", "sentiment", SENTIMENTS),
        **_beliefs("type", "types", TYPES),
        **_beliefs("urgency", "urgency", URGENCIES),
        "customer.id": _own("text", "customer.id", "the customer's number at the source"),
        "customer.tier": _own("text", "customer.tier", "the customer's tier, as the source writes it"),
        "customer.region": _own("text", "customer.region", "the customer's region, as the source writes it"),
        "customer.account_value": _own("number", "customer.account_value", "what the account is worth"),
    }
)


def field_named(name: str, declared: FieldType) -> Field:
    """Give the field behind a name: a published one, else an open one (`context.X`) with its declared type.

    An open field whose value is of another type than declared reads as missing: what a source sends cannot make a
    rule fail.
    """
    if name in FIELDS:
        return FIELDS[name]
    place, _, key = name.rpartition(".")
    held, fits = attrgetter(place), FITS[declared]

    def read(case: Case) -> Value | None:
        value: Value | None = held(case).get(key)
        return value if fits(value) else None

    return Field(declared, read, place=place, key=key)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


FITS: Mapping[FieldType, Callable[[object], bool]] = {"text": _is_text, "number": _is_number, "boolean": _is_boolean}


def said(case: Case) -> tuple[str, ...] | None:
    """Give the verbatims, None where nothing was written: a blank answer is no text."""
    return case.text if case.text and any(part.strip() for part in case.text) else None


def count_recent(case: Case, kind: str, days: int) -> int | None:
    """Count the items of a kind made for the customer in the last so many days, None for an unknown customer."""
    if case.past is None:
        return None
    since = case.now - timedelta(days=days)
    return sum(since <= made <= case.now for made in case.past.get(kind, ()))


def days_since_last(case: Case, kind: str) -> float | None:
    """Give the days since the newest item of a kind was made for the customer, None where there never was one."""
    made = [at for at in (case.past or {}).get(kind, ()) if at <= case.now]
    return (case.now - max(made)).total_seconds() / 86_400 if made else None
