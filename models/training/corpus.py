"""Labelled texts for training: one JSON object a line, checked, with what it says on each axis; see `data.md`."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.prediction import SENTIMENTS, TYPES, URGENCIES

Probability = Annotated[float, Field(ge=0, le=1)]
Split = Literal["train", "dev"]


class BadCorpus(ValueError):
    """A file of labelled texts that cannot be used; the message names file, line, field and remedy."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and what people said of it. An axis nobody judged is None.

    `sentiment` is a distribution over negative, neutral, positive; with `sides_only` only negative and positive were
    offered, and nothing is learned about neutral. `types` holds a probability for each type that was judged,
    `urgency` a distribution over low, normal, high, `topics` the labels of the file's own list that hold.
    """

    text: str
    question: str | None = None
    sentiment: tuple[float, float, float] | None = None
    sides_only: bool = False
    types: Mapping[str, float] | None = None
    urgency: tuple[float, float, float] | None = None
    topics: frozenset[str] | None = None


class _Line(BaseModel):
    """One line of a file in heed's own format."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=100_000)]
    question: str | None = None
    split: Split = "train"
    sentiment: Literal["negative", "neutral", "positive"] | dict[str, Probability] | None = None
    type: dict[str, Probability] | None = None
    urgency: Literal["low", "normal", "high"] | dict[str, Probability] | None = None
    topics: list[str] | None = None

    @model_validator(mode="after")
    def _known_labels(self) -> Self:
        for axis, labels, given in (
            ("sentiment", SENTIMENTS, self.sentiment),
            ("urgency", URGENCIES, self.urgency),
            ("type", TYPES, self.type),
        ):
            if isinstance(given, dict) and not set(given) <= set(labels):
                strange = ", ".join(sorted(set(given) - set(labels)))
                raise ValueError(f"{axis} has no label {strange}: use {', '.join(labels)}")
            if isinstance(given, dict) and axis != "type" and not sum(given.values()) > 0:
                raise ValueError(f"{axis} needs at least one probability above 0")
        return self


def _distribution(given: str | Mapping[str, float] | None, labels: Sequence[str]) -> tuple[float, ...] | None:
    if given is None:
        return None
    shares = {given: 1.0} if isinstance(given, str) else given
    whole = sum(shares.values())
    return tuple(shares.get(label, 0.0) / whole for label in labels)


def parse(line: Mapping[str, object], *, sides_only: bool = False) -> tuple[Labelled, Split]:
    """One line of heed's format as values.

    Raises:
        ValidationError: a field is missing, unknown, or holds what it may not.
    """
    read = _Line.model_validate(line)
    return Labelled(
        text=read.text,
        question=read.question or None,
        sentiment=_distribution(read.sentiment, SENTIMENTS),  # type: ignore[arg-type] # three labels, three numbers
        sides_only=sides_only,
        types=read.type,
        urgency=_distribution(read.urgency, URGENCIES),  # type: ignore[arg-type] # as above
        topics=None if read.topics is None else frozenset(read.topics),
    ), read.split


def lines(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """The JSON objects of a file with their line numbers; blank lines are skipped.

    Raises:
        BadCorpus: the file cannot be read, or a line is no JSON object in UTF-8.
    """
    for number, line in raw_lines(path):
        yield number, line_object(path, number, line)


def raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, with their numbers.

    Raises:
        BadCorpus: the file cannot be read.
    """
    try:
        raw = path.read_bytes()
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        said = error.strerror if isinstance(error, OSError) else error
        raise BadCorpus(f"{path}: {said}. Every file of the recipe must lie in the data folder.") from error
    for number, line in enumerate(raw.split(b"\n"), 1):
        if line.strip():
            yield number, line


def line_object(path: Path, number: int, line: bytes) -> dict[str, object]:
    """The JSON object of one line.

    Raises:
        BadCorpus: it is none.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadCorpus(f"{path.name}, line {number}: not JSON in UTF-8 ({error}).") from error
    if not isinstance(found, dict):
        raise BadCorpus(f'{path.name}, line {number}: a line is one JSON object, such as {{"text": "..."}}.')
    return found


_REMEDIES = {
    "text": "write a text of 1 to 100,000 characters",
    "question": "write the survey question as text, or leave the field out",
    "split": "write train or dev, or leave the field out for train",
    "sentiment": "write negative, neutral or positive, or an object with a probability from 0 to 1 for each",
    "type": "write an object with a probability from 0 to 1 for some of suggestion, complaint, praise and question",
    "urgency": "write low, normal or high, or an object with a probability from 0 to 1 for each",
    "topics": "write a list of labels, an empty one where none holds",
}


def explain(path: Path, number: int, error: ValidationError) -> BadCorpus:
    """The sentence for a line that does not hold what it should: each bad field once, with its remedy."""
    wrong: dict[str, str] = {}
    for one in error.errors():
        field = str(one["loc"][0]) if one["loc"] else "line"
        wrong.setdefault(field, one["msg"].removeprefix("Value error, "))
    places = (
        f"field {field}: {said}; {_REMEDIES[field]}" if field in _REMEDIES else f"{field}: {said}; {_OTHERWISE}"
        for field, said in wrong.items()
    )
    return BadCorpus(f"{path.name}, line {number}, {'. And '.join(places)}.")


_OTHERWISE = f"the fields are {', '.join(_REMEDIES)}, and other names are given under `columns` of the recipe"


def digest(path: Path) -> str:
    """SHA-256 of a file, for the run card."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
