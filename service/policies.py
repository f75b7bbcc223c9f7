"""A policy on its way to decide: checked with its examples, published as a draft, let loose once they all hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlmodel import Session

from service.classify import Answered, Reader, verbatims
from service.decisions import case_from
from service.route import versions
from service.route.absent import absent
from service.route.activation import Mode, Scope
from service.route.case import Case
from service.route.certificates import Gates, gates
from service.route.decide import decide, resolve_uncertified
from service.route.definitions import uncertified_words
from service.route.example_outcome import shortfall, written_beliefs
from service.route.findings import PolicyWarning
from service.route.gate_words import lapsed_words
from service.route.policy import Example, Policy
from service.route.policy_document import check as check_document
from service.route.versions import Published
from service.store.tables import now

_NOBODY = UUID(int=0)
_EVERYBODY = Scope()
_UNREAD = " (the model cannot be used right now, so no rule acts on what the text says: `heed doctor` tells why)"


@dataclass(frozen=True, slots=True)
class Broken:
    """An example that does not hold: which one, and what it makes instead, by which rules."""

    number: int
    name: str
    detail: str


class BrokenExamples(Exception):
    """Examples of a policy do not hold, so it may not decide."""

    def __init__(self, broken: Sequence[Broken]) -> None:
        self.broken = tuple(broken)
        super().__init__("; ".join(one.detail for one in broken))


@dataclass(frozen=True, slots=True)
class Sound:
    """A document that may be published, and what its author should know, examples that do not hold included."""

    policy: Policy
    warnings: tuple[PolicyWarning, ...]


def check(reader: Reader, document: bytes | str) -> Sound:
    """Check a document and run its examples; nothing is stored and no database is needed.

    Raises:
        InvalidPolicy: with every error, its line and column.
    """
    return _sound(reader, document, Gates())


def check_here(session: Session, reader: Reader, document: bytes | str) -> Sound:
    """The same, and what the document names that this installation does not know yet.

    Raises:
        InvalidPolicy: with every error, its line and column.
    """
    sound = _sound(reader, document, gates(session))
    return replace(sound, warnings=(*sound.warnings, *absent(session, sound.policy, _source(document))))


def _sound(reader: Reader, document: bytes | str, standing: Gates) -> Sound:
    checked = check_document(document, reader.taxonomy.labels)
    policy, places = checked.policy, checked.examples_at
    over = {name: gate for name, gate in standing.over(policy).items() if gate.varies}
    settled = {uncertified_words(name, policy.thresholds[name]) for name in over}
    told = [
        *(one for one in checked.warnings if one.detail not in settled),
        *(
            PolicyWarning(*checked.thresholds_at[name], said)
            for name, gate in over.items()
            for said in lapsed_words(name, gate, now())
        ),
        *(
            PolicyWarning(*places[one.number], f"{one.detail}; it has to hold before this policy can be activated")
            for one in broken(reader, policy)
        ),
    ]
    return Sound(policy, tuple(sorted(told, key=lambda one: (one.line, one.column))))


def publish(
    session: Session, reader: Reader, document: bytes | str, *, by: str, comment: str | None = None
) -> Published:
    """Store a document as the next version, a draft; examples that do not hold are warnings.

    Raises:
        InvalidPolicy: with every error, its line and column.
    """
    sound = check_here(session, reader, document)
    return Published(versions.add(session, sound.policy, _source(document), by=by, comment=comment), sound.warnings)


def _source(document: bytes | str) -> str:
    return document if isinstance(document, str) else document.decode()


def activate(
    session: Session,
    reader: Reader,
    version: int,
    *,
    by: str,
    comment: str,
    need_approval: bool,
    mode: Mode = "live",
    share: float = 1.0,
    scope: Scope = _EVERYBODY,
) -> None:
    """Let a version decide, as `versions.activate` does, once all its examples hold.

    Raises:
        UnknownVersion, OwnPolicy, NotNow: as in `versions.activate`.
        BrokenExamples: with every example that does not hold.
    """
    if found := broken(reader, versions.fetch(session, version)):
        raise BrokenExamples(found)
    versions.activate(
        session, version, by=by, comment=comment, need_approval=need_approval, mode=mode, share=share, scope=scope
    )


def broken(reader: Reader, policy: Policy) -> list[Broken]:
    """The examples of a policy that do not hold; texts without written beliefs are read, all in one call.

    They judge the policy as it is written, each threshold at its `uncertified` value: a certificate that is issued or
    runs out must neither break a policy nor keep another from taking its place.
    """
    cases = _cases(reader, policy.examples)
    thresholds = resolve_uncertified(policy)
    told = [
        (number, example, shortfall(policy, example, decide(policy, case, thresholds)))
        for number, (example, case) in enumerate(zip(policy.examples, cases, strict=True))
    ]
    return [
        Broken(number, example.name, f"{detail}{_UNREAD if cases[number].degraded else ''}")
        for number, example, detail in told
        if detail is not None
    ]


def _cases(reader: Reader, examples: Sequence[Example]) -> list[Case]:
    unread = [one.record for one in examples if "classification" not in one.record and one.record.get("verbatims")]
    understood = reader.understand([Answered(_NOBODY, 1, verbatims(record)) for record in unread]) if unread else []
    read = iter(understood)
    cases = []
    for example in examples:
        beliefs = written_beliefs(example.record, reader.taxonomy.labels)
        if beliefs is None and example.record.get("verbatims") and (found := next(read)) is not None:
            beliefs = (found.document.model_dump(mode="json"), dict(found.whole.topics))
        cases.append(_case(example.record, *(beliefs or (None, None))))
    return cases


def _case(record: Mapping[str, Any], document: dict[str, Any] | None, topics: dict[str, float] | None) -> Case:
    """The case of an example: of a customer who, if known, has had nothing from us before."""
    source = record.get("source", "example")
    case = case_from(record, document, topics, source=source, history=False, at=now())
    past: dict[str, tuple[Any, ...]] | None = None if case.customer.id is None else {}
    return replace(case, text=tuple(one["text"] for one in record.get("verbatims", ())), past=past)
