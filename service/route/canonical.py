"""One spelling for every value that is stored, hashed or compared: canonical JSON and UTC times."""

import json
from datetime import UTC, datetime


def canonical(value: object) -> str:
    """Write plain JSON data as text: sorted keys, no whitespace, no escapes beyond need, floats by `repr`.

    Equal data give equal text, and reading the text gives the data back.

    Raises:
        ValueError: a number is not finite.
        TypeError: something in it is not JSON.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def utc_text(moment: datetime) -> str:
    """Write an aware time in RFC 3339, in UTC, to the microsecond where it has any.

    Raises:
        ValueError: the time has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"the time {moment} has no zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
