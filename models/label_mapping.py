"""What the labels of somebody else's checkpoint mean in heed's words: `heed.yaml`, or the labels' own names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from models.prediction import SENTIMENTS, TYPES, URGENCIES
from models.yaml_document import NotYaml, load_yaml

SpokenAxis = Literal["sentiment", "type", "urgency", "topics"]
OURS: Mapping[str, tuple[str, ...]] = {"sentiment": SENTIMENTS, "type": TYPES, "urgency": URGENCIES}
_EXAMPLE = "axis: sentiment, and below it labels: {LABEL_0: negative, LABEL_1: neutral, LABEL_2: positive}"


class BadMapping(ValueError):
    """The labels of a checkpoint cannot be understood; the message is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class LabelMapping:
    """Which axis a checkpoint speaks of, and what each of its labels means there, by place; None means none of ours.

    Several of its labels may mean the same: the stars 1 and 2 are both `negative`.
    """

    axis: SpokenAxis
    meanings: tuple[str | None, ...]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    axis: SpokenAxis
    labels: dict[str, str | None] | None = None


def parse_mapping(document: str, labels: Sequence[str]) -> LabelMapping:
    """The mapping that a `heed.yaml` gives these labels. Without `labels` their own names hold.

    Raises:
        BadMapping: it is not YAML, names no axis of ours, or leaves a label of the checkpoint open.
    """
    try:
        file = _File.model_validate(load_yaml(document))
    except NotYaml as error:
        raise BadMapping(f"heed.yaml is not readable YAML ({error}): write {_EXAMPLE}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise BadMapping(f"heed.yaml needs correcting at {place} ({first['msg']}): write {_EXAMPLE}.") from error
    named = file.labels if file.labels is not None else dict(zip(labels, labels, strict=True))
    return _checked(file.axis, named, labels)


def by_their_names(labels: Sequence[str]) -> LabelMapping:
    """The mapping of labels that are called as ours are, in capitals or not.

    Raises:
        BadMapping: they are not.
    """
    lower = {label: label.lower() for label in labels}
    for axis, ours in OURS.items():
        if set(lower.values()) <= set(ours):
            return LabelMapping(axis, tuple(lower[label] for label in labels))  # type: ignore[arg-type] # its keys are
    raise BadMapping(
        f"its labels ({', '.join(labels)}) are none of heed's: put a heed.yaml beside it, with {_EXAMPLE}."
    )


def _checked(axis: SpokenAxis, named: Mapping[str, str | None], labels: Sequence[str]) -> LabelMapping:
    strange = sorted(set(named) - set(labels))
    if strange:
        raise BadMapping(
            f"heed.yaml speaks of {', '.join(strange)}, its checkpoint only of {', '.join(labels)}: mend the names."
        )
    left = [label for label in labels if label not in named]
    if left:
        raise BadMapping(f"heed.yaml does not say what {', '.join(left)} means: add a line, or null for none of ours.")
    meanings = tuple(_meaning(axis, named[label]) for label in labels)
    wrong = sorted({one for one in meanings if one is not None and axis in OURS and one not in OURS[axis]})
    if wrong:
        raise BadMapping(f"heed.yaml uses {', '.join(wrong)}, and {axis} has only {', '.join(OURS[axis])}.")
    if not any(meanings):
        raise BadMapping(f"heed.yaml gives no label a meaning: write {_EXAMPLE}.")
    return LabelMapping(axis, meanings)


def _meaning(axis: SpokenAxis, given: str | None) -> str | None:
    return given if given is None or axis == "topics" else given.lower()
