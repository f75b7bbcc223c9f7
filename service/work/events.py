"""What people do to a work item, as the API takes it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from service.ingest.record import Moment

Words = Annotated[str, Field(max_length=4_000)]


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    comment: Words | None = None


class Acknowledge(_Event):
    """I have seen it."""

    type: Literal["acknowledge"]


class Assign(_Event):
    """It is theirs from now on."""

    type: Literal["assign"]
    owner: Annotated[str, Field(min_length=1, max_length=128)]


class ContactAttempt(_Event):
    """The customer was called or written to, or may not be (`not_allowed`)."""

    type: Literal["contact_attempt"]
    channel: Literal["email", "phone", "chat", "other"]
    outcome: Literal["reached", "no_answer", "failed", "not_allowed"]


class Wait(_Event):
    """Nothing can be done before the customer answers: the clocks stand still."""

    type: Literal["wait"]
    until: Moment | None = None


class Resume(_Event):
    """It goes on: the clocks run again, later by as long as they stood."""

    type: Literal["resume"]


class Resolve(_Event):
    """It is done; a mandatory follow-up needs an outcome and a root cause."""

    type: Literal["resolve"]
    outcome: Words | None = None
    root_cause: Words | None = None


class Reopen(_Event):
    """It was not done after all; say why."""

    type: Literal["reopen"]
    comment: Annotated[str, Field(min_length=1, max_length=4_000)]


class Judge(_Event):
    """Of a `review` item: which of its undecided rules shall have what they make; every one needs a yes or a no."""

    type: Literal["judge"]
    rules: Annotated[dict[str, StrictBool], Field(min_length=1, max_length=1_000)]


class HandOff(_Event):
    """It is offered to them: it stays with its owner until they accept."""

    type: Literal["hand_off"]
    owner: Annotated[str, Field(min_length=1, max_length=128)]


class Accept(_Event):
    """It was offered to me, and I take it."""

    type: Literal["accept"]


class Decline(_Event):
    """It was offered to me and I cannot take it, or I offered it and take that back; say why."""

    type: Literal["decline"]
    comment: Annotated[str, Field(min_length=1, max_length=4_000)]


class ReviewBypass(_Event):
    """Of an item that went straight to its owner: was that right? Said once, also after the item is done."""

    type: Literal["review_bypass"]
    fitting: StrictBool


class AcknowledgeEscalation(_Event):
    """I was told that a promise was missed, and I see to it: levels that wait for that go off no more."""

    type: Literal["acknowledge_escalation"]


class WrongRouting(_Event):
    """It should not be here, or not like this; said as often as anybody likes, also after it is done.

    `axis` and `label` are what heed found in the text, `right` what it should have found.
    """

    type: Literal["wrong_routing"]
    comment: Annotated[str, Field(min_length=1, max_length=4_000)]
    axis: Literal["sentiment", "topic", "type", "urgency"] | None = None
    label: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    right: Annotated[str, Field(min_length=1, max_length=200)] | None = None


Offering = HandOff | Accept | Decline
Event = Annotated[
    Acknowledge
    | Assign
    | ContactAttempt
    | Wait
    | Resume
    | Resolve
    | Reopen
    | Judge
    | Offering
    | ReviewBypass
    | AcknowledgeEscalation
    | WrongRouting,
    Field(discriminator="type"),
]
