"""Signatures of Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`, made and checked.

Written by hand because the published library raises foreign exceptions on a malformed header; it is the oracle
of the tests. Asymmetric signatures (`v1a`) are passed over as any unknown version is.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

TOLERANCE = timedelta(seconds=300)
PREFIX = "whsec_"

_ID = re.compile(r"[!-~]{1,256}")
_SECONDS = re.compile(r"[1-9][0-9]{0,11}")


class WebhookError(Exception):
    """Base of `InvalidSecret` and `InvalidSignature`; never raised itself."""


class InvalidSecret(WebhookError):
    """The secret is not `whsec_` and base64 of 24 to 64 bytes."""


class InvalidSignature(WebhookError):
    """A header is missing or malformed, or no signature of the list is ours."""


class OutsideWindow(InvalidSignature):
    """The message was signed too long ago, or in the future."""


def new_secret() -> str:
    """A fresh secret of 32 random bytes, in its `whsec_` form."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def decode_secret(secret: str) -> bytes:
    """The key inside a secret; the prefix and the base64 padding may be missing.

    Raises:
        InvalidSecret: not base64, or not 24 to 64 bytes (192 to 512 bits, as the specification asks).
    """
    text = secret.removeprefix(PREFIX).rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if not 24 <= len(key) <= 64:
        raise InvalidSecret("a signing secret is `whsec_` followed by base64 of 24 to 64 bytes")
    return key


def sign(keys: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1,` signature for each secret, several while rotating.

    Args:
        keys: secrets in their `whsec_` form, at least one.
        message_id: the `webhook-id`, the same on every retry.
        timestamp: seconds since 1970 of this attempt.
        body: the raw bytes that are sent.

    Raises:
        InvalidSecret: one of the secrets is malformed.
    """
    return " ".join(_signature(decode_secret(key), message_id, str(timestamp), body) for key in keys)


def verify(keys: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Check a received message and return its `webhook-id`, by which a repeat is known.

    Args:
        keys: the secrets in force, several while rotating; one match is enough.
        headers: as received; the names in any case.
        body: the raw bytes, before any parsing.
        now: an aware time; the message's own must lie within 300 seconds of it.

    Raises:
        InvalidSignature: a missing or malformed header, or no signature that matches.
        OutsideWindow: signed too long ago, or in the future.
        InvalidSecret: one of our own secrets is malformed.
    """
    named = {name.lower(): value for name, value in headers.items()}
    message_id = _header(named, "webhook-id", _ID)
    timestamp = _header(named, "webhook-timestamp", _SECONDS)
    offered = [
        part[3:].encode("utf-8", "replace") for part in named.get("webhook-signature", "").split() if part[:3] == "v1,"
    ]
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise OutsideWindow("the webhook-timestamp is more than 300 seconds away from our clock")
    for key in keys:
        expected = _signature(decode_secret(key), message_id, timestamp, body)[3:].encode()
        if any(hmac.compare_digest(expected, signature) for signature in offered):
            return message_id
    raise InvalidSignature("no signature in webhook-signature matches")


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _header(named: Mapping[str, str], name: str, pattern: re.Pattern[str]) -> str:
    value = named.get(name, "")
    if not pattern.fullmatch(value):
        raise InvalidSignature(f"the header {name} is missing or malformed")
    return value
