"""A file of labelled texts: JSON Lines, a text with its topics on each line."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.prediction import Verbatim
from models.taxonomies.fitting import Labelled
from models.taxonomies.history import UnknownTopic, carry
from models.taxonomies.taxonomy import Taxonomy

MOST_TOLD = 20
_EXAMPLE = '{"text": "Parcel came late.", "topics": ["delivery"]}'


class BadLabels(ValueError):
    """A file of labels that cannot be used; the message names each bad line (the first twenty) and the remedy."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=100_000)]
    topics: Annotated[tuple[str, ...], Field(max_length=200)]
    question: str | None = None
    split: str | None = None
    version: Annotated[int, Field(ge=1)] | None = None


def read_labels(content: bytes, name: str, taxonomy: Taxonomy) -> dict[str | None, list[Labelled]]:
    """The labelled texts of a file in topics of today, by their `split` (None where a line names none).

    Each line is `{"text", "topics"}`, where `[]` means none of these, with `question`, `split` and `version` (of the
    taxonomy when the label was given) where they are known. Blank lines are skipped.

    Raises:
        BadLabels: a line is not one of these, or names a topic that no version of the taxonomy knows.
    """
    splits: dict[str | None, list[Labelled]] = {}
    bad = []
    for number, line in _lines(content):
        try:
            read = _Line.model_validate_json(line)
            carried = carry(read.topics, read.version, taxonomy.labels, taxonomy.replaces)
        except ValidationError as error:
            bad.append(f"{name}, line {number}: {_told(error)}.")
        except UnknownTopic as error:
            bad.append(f"{name}, line {number}: {error}.")
        else:
            labelled = Labelled(Verbatim(read.text, read.question or None), carried.topics, carried.unknown)
            splits.setdefault(read.split, []).append(labelled)
    if bad:
        more = [f"... and {len(bad) - MOST_TOLD} more."] if len(bad) > MOST_TOLD else []
        raise BadLabels("\n".join([*bad[:MOST_TOLD], *more]))
    if not splits:
        raise BadLabels(f"{name} holds no labelled text: each line is one like {_EXAMPLE}.")
    return splits


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if line.strip():
            yield number, line


def _told(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    if not place:
        return f"not a JSON object in UTF-8 ({first['msg']}); write a line like {_EXAMPLE}"
    if first["type"] == "missing" and place == "topics":
        return "'topics' is missing: name them as a list, [] where none of these fits"
    if first["type"] == "extra_forbidden":
        return f"'{place}' is no field of a label: use text, topics, question, split and version"
    return f"'{place}': {first['msg']}; write a line like {_EXAMPLE}"
