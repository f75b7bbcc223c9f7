"""Source kind `api`: heed's own feedback record, one or a list of up to 1,000."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from service.ingest.record import FeedbackRecord
from service.ingest.source import BadPayload, Fetch, Inbound, Received, Withdrawal, Wrong
from service.ingest.strict_json import NotText, parse
from service.ingest.wording import told

MOST_RECORDS = 1_000


class PlainSource:
    """The record of the public contract, as it stands in the OpenAPI document."""

    def verify(self, inbound: Inbound, secrets: Sequence[str], now: datetime) -> None:
        """Nothing to check here: the caller's API key has been checked by the door it came through."""

    def parse(self, inbound: Inbound) -> list[Received | Withdrawal | Fetch]:
        """Validate every record; the first error does not hide the others."""
        try:
            value = parse(inbound.raw)
        except NotText as error:
            raise BadPayload([Wrong(error.pointer, error.detail)]) from error
        if not isinstance(value, list):
            return [_received(value, inbound.raw, "")]
        if not 1 <= len(value) <= MOST_RECORDS:
            raise BadPayload([Wrong("", f"A list holds 1 to {MOST_RECORDS:,} records, this one {len(value):,}.")])
        return _each(value)


def _each(values: list[Any]) -> list[Received | Withdrawal | Fetch]:
    wrong: list[Wrong] = []
    good: list[Received | Withdrawal | Fetch] = []
    for index, value in enumerate(values):
        try:
            original = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
            good.append(_received(value, original, f"/{index}"))
        except BadPayload as error:
            wrong.extend(error.errors)
    if wrong:
        raise BadPayload(wrong)
    return good


def _received(value: object, original: bytes, place: str) -> Received:
    try:
        return Received(FeedbackRecord.model_validate(value), original)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise BadPayload(told(found, place)) from error
