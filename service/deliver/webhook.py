"""Kind `webhook`: signed JSON to any address, as Standard Webhooks 1.0 describes it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service import standard_webhooks
from service.deliver.destination import (
    Call,
    Draft,
    InvalidDestination,
    Notification,
    Problem,
    Receipt,
    Rejected,
    Told,
    TryLater,
    settings_problems,
)
from service.deliver.http import Answer, Client
from service.deliver.plain_text import excerpt
from service.deliver.wire import Blocked, Unreachable

_AGAIN = frozenset({401, 403, 408, 409, 425, 429})  # 401 and 403: the other side may not know the secret yet
_REF = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,256}")
_LINK = re.compile(r"https?://[!-~]{1,2000}")


class WebhookSettings(BaseModel):
    """Where the events go: `{"base_url": "https://example.com/hooks/heed"}`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str = Field(min_length=1, max_length=2048)


@dataclass(frozen=True)
class Webhook:
    """One address that receives every event, signed with each secret in force (two while rotating)."""

    idempotent: ClassVar[bool] = True  # the webhook-id is the key: receivers are told to drop a repeat

    settings: WebhookSettings
    secrets: tuple[str, ...] = field(repr=False)
    http: Client

    @classmethod
    def open(cls, settings: Mapping[str, object], secrets: Sequence[str], http: Client) -> Self:
        problems = _secret_problems(secrets)
        try:
            read = WebhookSettings.model_validate(settings)
            http.check(read.base_url)
        except ValidationError as error:
            raise InvalidDestination([*settings_problems(error), *problems]) from None
        except Blocked as error:
            raise InvalidDestination([Problem("/settings/base_url", str(error)), *problems]) from None
        if problems:
            raise InvalidDestination(problems)
        return cls(read, tuple(secrets), http)

    @staticmethod
    def new_secret() -> str:
        return standard_webhooks.new_secret()

    def create(self, draft: Draft, call: Call) -> Receipt:
        return self._post("work_item.created", _item(draft), call)

    def update(self, draft: Draft, external_ref: str | None, call: Call) -> Receipt:
        return self._post("work_item.updated", {**_item(draft), "external_ref": external_ref}, call)

    def comment(self, draft: Draft, external_ref: str | None, text: str, call: Call) -> Receipt:
        data = {"id": draft.work_item_id, "external_ref": external_ref, "comment": text}
        return self._post("work_item.commented", data, call)

    def notify(self, told: Notification, call: Call) -> Receipt:
        return self._post("person.notified", {"person": told.person, "notices": [*map(_told, told.notices)]}, call)

    def test(self, call: Call) -> None:
        self._post("ping", {}, call)

    def _post(self, event: str, data: Mapping[str, object], call: Call) -> Receipt:
        body = json.dumps({"type": event, "timestamp": _moment(call.happened_at), "data": data}).encode()
        timestamp = int(call.now.timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"heed/{version('heed')}",
            "webhook-id": call.key,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": standard_webhooks.sign(self.secrets, call.key, timestamp, body),
        }
        try:
            answer = self.http.send("POST", self.settings.base_url, headers, body)
        except Blocked as error:
            raise Rejected(str(error)) from error
        except Unreachable as error:
            raise TryLater(str(error)) from error
        return self._judged(answer, call.now)

    def _judged(self, answer: Answer, now: datetime) -> Receipt:
        if 200 <= answer.status < 300:
            return _receipt(answer)
        if 300 <= answer.status < 400:
            raise Rejected(f"answered {answer.status}: redirects are not followed; give the final address")
        detail = f"answered {answer.status}: {excerpt(answer.body, self.secrets)}".removesuffix(": ")
        if answer.status in _AGAIN or answer.status >= 500:
            raise TryLater(detail, answer.retry_after(now))
        raise Rejected(detail, disable=answer.status == 410)


def _receipt(answer: Answer) -> Receipt:
    """What the answer calls its own work; anything but short, harmless text is as good as nothing."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return Receipt(None, None)
    return Receipt(_matching(_REF, said.get("id")), _matching(_LINK, said.get("url")))


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _item(draft: Draft) -> dict[str, object]:
    return {
        "id": draft.work_item_id,
        "kind": draft.kind,
        "status": draft.status,
        "title": draft.title,
        "body": draft.body,
        "priority": draft.priority,
        "mandatory": draft.mandatory,
        "tags": draft.tags,
        "owner": draft.owner,
        "due_at": _moment(draft.due_at) if draft.due_at else None,
        "rule": draft.rule,
        "feedback_ids": draft.feedback_ids,
        "source": draft.source,
        "customer": draft.customer,
        "url": draft.url,
        "created_at": _moment(draft.created_at),
    }


def _told(told: Told) -> dict[str, object]:
    return {**vars(told), "due_at": _moment(told.due_at) if told.due_at else None}


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _secret_problems(secrets: Sequence[str]) -> list[Problem]:
    if not secrets:
        return [Problem("/secrets", "a webhook is signed; give a secret or let one be made")]
    problems = []
    for index, secret in enumerate(secrets):
        try:
            standard_webhooks.decode_secret(secret)
        except standard_webhooks.InvalidSecret as error:
            problems.append(Problem(f"/secrets/{index}", str(error)))
    return problems
