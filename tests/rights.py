"""The authorisation table read from its page, and rows for a request to find: one's own, other's, none."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from proofs import certificate
from sqlmodel import Session, SQLModel, func, select
from uuid_utils.compat import uuid7

from service.deliver.outbox import seal_secrets
from service.demo.helpdesk import HelpDesk
from service.pages.render import asset_address
from service.store.lab_tables import (
    GateChange,
    GateHold,
    Guideline,
    HumanLabel,
    LabelCard,
    LabelSample,
    LabelSlot,
)
from service.store.tables import (
    Backtest,
    Decision,
    Delivery,
    Destination,
    Feedback,
    FeedbackRevision,
    Notice,
    Policy,
    PolicyActivation,
    User,
    WorkItem,
    WorkItemEvidence,
    now,
)
from service.store.vault import Vault

PAGE = Path(__file__).parents[1] / "service" / "api" / "authorisation.md"
THINGS = ("own", "other's", "missing")
NOWHERE = "0199a0f0-0000-7000-8000-000000000000"
OURS, THEIRS = "shop-a", "shop-b"


@dataclass(frozen=True)
class Row:
    """A line of a table: `cells` holds, by caller, one status or one for each of THINGS; `page`: for people."""

    method: str
    path: str
    page: bool
    cells: Mapping[str, Sequence[str]]

    @property
    def route(self) -> tuple[str, str]:
        return self.method, self.path

    @property
    def open(self) -> bool:
        """Whether everybody gets the same from it, with or without a key."""
        return {tuple(told) for told in self.cells.values()} == {("200",)}

    @property
    def things(self) -> Sequence[str]:
        """What can be asked for here."""
        in_the_body = self.route in {("POST", "/v1/feedback"), ("POST", "/v1/imports"), ("POST", "/inbox")}
        return THINGS if in_the_body or "{" in self.path else THINGS[:1]

    def statuses(self, caller: str) -> Iterator[tuple[str, int]]:
        """What each of its things is answered with."""
        told = self.cells[caller]
        each = told * len(self.things) if len(told) == 1 else told
        yield from ((thing, int(status)) for thing, status in zip(self.things, each, strict=True) if status != "-")


def rows() -> Iterator[Row]:
    """The rows of the page's tables: of routes, and of pages."""
    callers: list[str] = []
    kind = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        first, *cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else [""]
        if not cells:
            callers = []
        elif not callers:
            kind, callers = first, cells[1:]
        elif not set(first) <= set("-: "):
            method, path = first.strip("`").split()
            assert len(cells) == len(callers) + 1, f"{first}: a cell is missing or too many"
            told = {who: cell.split() for who, cell in zip(callers, cells[1:], strict=True)}
            yield Row(method, path, kind == "page", told)


@dataclass(frozen=True)
class Stage:
    """What one request may find: rows of its own, of somebody who owns `own` or not."""

    source: str
    feedback: UUID | str = NOWHERE
    item: UUID | str = NOWHERE  # a follow-up
    idea: UUID | str = NOWHERE  # an item of the backlog
    decision: UUID | str = NOWHERE
    delivery: UUID | str = NOWHERE
    version: int = 77_777
    destination: str = "nobody"
    upload: UUID | str = NOWHERE
    backtest: UUID | str = NOWHERE
    notice: UUID | str = NOWHERE
    certificate: UUID | str = NOWHERE
    run: UUID | str = NOWHERE
    guideline: UUID | str = NOWHERE
    change: UUID | str = NOWHERE  # of what passes by itself; it waits for a second person
    sample: UUID | str = NOWHERE  # it holds `slot`
    slot: UUID | str = NOWHERE  # was shown to them
    said: UUID | str = NOWHERE  # a slot that they have labelled
    dispute: UUID | str = NOWHERE  # a card that waits for somebody's decision

    def path(self, route: str) -> str:
        """The route with these things in its places."""
        if route.startswith("/assets/"):
            return "/assets/0/heed.css" if self.item == NOWHERE else asset_address("heed.css")
        named = {
            "feedback_id": self.feedback,
            "item_id": self.idea if "/backlog/" in route else self.item,
            "decision_id": self.decision,
            "delivery_id": self.delivery,
            "import_id": self.upload,
            "backtest_id": self.backtest,
            "notice_id": self.notice,
            "certificate_id": self.certificate,
            "run_id": self.run,
            "change_id": self.change,
            "axis": "sentiment",
            "label": "nobody" if self.item == NOWHERE else "negative",
            "guideline_id": self.guideline,
            "sample_id": self.sample,
            "slot_id": self.said if route.endswith("/reveal") else self.slot,
            "card": self.said,
            "card_id": self.dispute,
            "version": self.version,
            "name": self.source if "/sources/" in route else self.destination,
        }
        return re.sub(r"\{(\w+)(?::path)?\}", lambda found: str(named[found[1]]), route)


def fresh(session: Session, vault: Vault, desk: HelpDesk, pattern: Stage, source: str, owner: str) -> Stage:
    """The rows of the pattern once more, of another source and owner."""

    def again(kind: type[SQLModel], changes: Mapping[str, object], **where: object) -> None:
        row = session.exec(select(kind).filter_by(**where)).one()
        session.add(kind(**{**row.model_dump(), **changes}))
        session.flush()

    feedback, item, idea, decision, delivery = (uuid7() for _ in range(5))
    version = session.exec(select(func.max(Policy.version))).one() + 1
    name = f"d-{version}"
    stored = {"source": source, "external_id": str(feedback), "stage": "quarantined"}
    again(Feedback, {"id": feedback, **stored}, id=pattern.feedback)
    again(FeedbackRevision, {"id": uuid7(), "feedback_id": feedback}, feedback_id=pattern.feedback)
    again(Decision, {"id": decision, "feedback_id": feedback}, id=pattern.decision)
    again(WorkItem, {"id": item, "decision_id": decision, "owner": owner, "kind": "follow_up"}, id=pattern.idea)
    again(WorkItem, {"id": idea, "decision_id": decision, "owner": owner}, id=pattern.idea)
    evidence = {"work_item_id": idea, "feedback_id": feedback, "decision_id": decision}
    again(WorkItemEvidence, evidence, work_item_id=pattern.idea)
    again(WorkItemEvidence, {**evidence, "work_item_id": item, "kind": "follow_up"}, work_item_id=pattern.idea)
    sent = {"work_item_id": item, "idempotency_key": str(delivery), "destination": name, "state": "dead"}
    again(Delivery, {"id": delivery, **sent}, id=pattern.delivery)
    again(Policy, {"version": version, "created_by": owner}, version=pattern.version)
    nowhere = {"source": ["nobody"]}
    session.add(PolicyActivation(policy_version=version, mode="shadow", scope=nowhere, by=owner))
    sealed = seal_secrets(vault, name, [desk.secret])
    settings = {"base_url": desk.url}
    session.add(Destination(name=name, kind="webhook", settings=settings, secrets=sealed.data, key_id=sealed.key_id))
    compared = {"policy_version": version, "against_version": version, "since": now(), "until": now()}
    backtest = Backtest(**compared, created_by=owner)
    session.add(backtest)
    session.add(User(name=name))  # called as the destination is
    notice = Notice(person=name, work_item_id=item, kind="assigned", words="", once_key=name, due_at=now())
    session.add(notice)
    proved = certificate(session, by=owner, label=name)
    held = GateHold(axis="topic", label=name, cause="person", reason="test", by=owner)
    session.add(held)
    session.flush()
    change = GateChange(
        axis="topic", label=name, hold_id=held.id, action="lift", loosens=True, reason="test", by=owner, state="waiting"
    )
    session.add(change)
    guideline = Guideline(axis="sentiment", number=-version, sentence=name, created_by=owner)
    session.add(guideline)
    return Stage(
        source,
        feedback,
        item,
        idea,
        decision,
        delivery,
        version,
        name,
        backtest=backtest.id,
        notice=notice.id,
        certificate=proved.id,
        run=proved.run_id,
        change=change.id,
        guideline=guideline.id,
        **asked(session, feedback, owner),
    )


def asked(session: Session, feedback: UUID, rater: str) -> dict[str, UUID]:
    """A card that was shown to this person, one that they have labelled, and one that waits for a decision."""
    made: dict[str, UUID] = {}
    for name, state in (("slot", "open"), ("said", "settled"), ("dispute", "disputed")):
        known = {"classifier": "", "model_digest": "", "taxonomy": "", "preparation": ""}
        drawn = {"size": 1, "seed": 1, "design": "", "design_document": {}, "pool_size": 1, "pool_digest": ""}
        sample = LabelSample(axis="sentiment", pool="audit", **drawn, **known, created_by="test")
        session.add(sample)
        session.flush()
        about = {"revision": 1, "calibrator": "", "source": "", "language": "en"}
        card = LabelCard(sample_id=sample.id, feedback_id=feedback, probabilities={}, state=state, **about)
        session.add(card)
        session.flush()
        lease = {"rater": rater, "leased_at": now(), "lease_until": now()}
        slot = LabelSlot(card_id=card.id, sample_id=sample.id, number=1, lot=0, **lease)
        session.add(slot)
        session.flush()
        made |= {"sample": sample.id} if name == "slot" else {}
        made[name] = card.id if name == "dispute" else slot.id
        if name == "said":
            slot.filled_at = now()
            session.add(HumanLabel(card_id=card.id, slot_id=slot.id, rater=rater, labels=["negative"], blind=True))
    return made
