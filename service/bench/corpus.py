"""What benchmarks post: the demo's feedback over and over, each time under another id and with another ending."""

import json
from collections.abc import Sequence
from importlib.resources import files
from itertools import cycle, islice
from typing import Any


def records(number: int, prefix: str) -> list[dict[str, Any]]:
    """Feedback records of the contract.

    Args:
        number: how many.
        prefix: begins every `external_id`, so that a round can be told from the others.
    """
    lines = files("service").joinpath("demo/feedback.ndjson").read_text().splitlines()
    return [_anew(json.loads(line), prefix, place) for place, line in enumerate(islice(cycle(lines), number))]


def _anew(record: dict[str, Any], prefix: str, place: int) -> dict[str, Any]:
    answers = [one | {"text": f"{one['text']} ({prefix} {place})"} for one in record.get("verbatims", [])]
    return record | {"external_id": f"{prefix}-{place}", "verbatims": answers}


def texts(records: Sequence[dict[str, Any]]) -> list[str]:
    """The open answers of these records, in order."""
    return [answer["text"] for record in records for answer in record["verbatims"]]
