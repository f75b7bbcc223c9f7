"""Plain values with defaults; nothing random."""

from typing import Any


def record(
    external_id: str = "r-1", text: str | None = "Parcel came two weeks late and broken.", **changes: Any
) -> dict[str, Any]:
    """A feedback record as a survey platform sends it."""
    made: dict[str, Any] = {"source": "store-survey", "external_id": external_id}
    if text is not None:
        made["verbatims"] = [{"question": "Why?", "text": text}]
    return {**made, **changes}
