"""Labelled sets to judge on: a folder of JSON Lines, each line a text with what people said of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pydantic import AliasChoices, BaseModel, Field, ValidationError

from models.prediction import SENTIMENTS, Verbatim
from models.taxonomies.taxonomy import Taxonomy, Topic

JUDGED = frozenset({"dev", "test", "validation"})
_SHORT = {"neg": "negative", "neu": "neutral", "pos": "positive"}

FILES: Mapping[str, str] = {
    "tweets": "tweets_sentiment.jsonl",
    "airline": "airline_sentiment.jsonl",
    "survey": "patient_survey_sentiment.jsonl",
    "reviews": "review_sentences.jsonl",
    "banking": "banking77.jsonl",
    "banking, 10 shots": "banking77_10shot.jsonl",
    "survey topics": "patient_survey_topics.jsonl",
    "aspects": "restaurant_aspects.jsonl",
}


class NoData(Exception):
    """A set is not there, or not readable; the message is a sentence with the file and the remedy."""


class _Line(BaseModel):
    """A line of a set; several names are known for each column, others are left alone."""

    text: str = Field(validation_alias=AliasChoices("text", "sentence", "comment", "verbatim"))
    question: str | None = Field(default=None, validation_alias=AliasChoices("question", "q"))
    sentiment: object = Field(default=None, validation_alias=AliasChoices("sentiment", "label"))
    topics: list[str] | str | None = Field(
        default=None, validation_alias=AliasChoices("topics", "topic", "labels", "intent", "label")
    )
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A text and its labels; `sentiment` is a number of SENTIMENTS, None where nobody judged it."""

    verbatim: Verbatim
    sentiment: int | None
    topics: frozenset[str]


@dataclass(frozen=True, slots=True)
class Data:
    """A set. `judged` are the rows of another split than train; where a file names no split, all of them."""

    train: tuple[Item, ...]
    judged: tuple[Item, ...]


def load(folder: Path, name: str) -> Data:
    """The set of this name (one of FILES).

    Raises:
        NoData: the file is missing, or a line is not what it should be.
    """
    path = folder / FILES[name]
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise NoData(f"{path} cannot be read ({reason}): put the set there, or leave its lines unmeasured.") from error
    train: list[Item] = []
    judged: list[Item] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            split, item = _item(path, number, line)
            (judged if split is None or split in JUDGED else train).append(item)
    return Data(tuple(train), tuple(judged))


def drawn(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of them, drawn at random, the same at each call."""
    if len(items) <= most:
        return list(items)
    return Random(0).sample(list(items), most)  # noqa: S311 (texts, not secrets)


def taxonomy(folder: Path, name: str, items: Sequence[Item]) -> Taxonomy:
    """The topics of a set, with what its `.labels.json` says of each; without that file those of the items."""
    path = (folder / FILES[name]).with_suffix(".labels.json")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        labels, about = list(told["labels"]), dict(told.get("descriptions", {}))
    except (OSError, ValueError, KeyError, TypeError):
        labels, about = sorted({topic for item in items for topic in item.topics}), {}
    return Taxonomy(name, 1, tuple(Topic(label, str(about.get(label, ""))) for label in labels))


def _item(path: Path, number: int, line: str) -> tuple[str | None, Item]:
    try:
        row = _Line.model_validate_json(line)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise NoData(
            f"{path}, line {number} is no labelled text ({reason}): each line is a JSON object with a text and labels."
        ) from error
    said = row.sentiment.lower() if isinstance(row.sentiment, str) else ""
    label = _SHORT.get(said, said)
    topics = [row.topics] if isinstance(row.topics, str) else row.topics or []
    sentiment = SENTIMENTS.index(label) if label in SENTIMENTS else None
    return row.split, Item(Verbatim(row.text, row.question or None), sentiment, frozenset(topics))
