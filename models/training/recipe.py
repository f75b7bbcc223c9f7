"""A recipe: the files a model is trained on, how their columns read, under which licence, and every number."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from models.training.corpus import BadCorpus, Labelled, Split, explain, lines, parse
from models.yaml_document import NotYaml, load_yaml


class BadRecipe(ValueError):
    """The recipe cannot be followed; the message names the place."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Columns(_Shape):
    """How a file's own fields read; a file in heed's own format needs none of this.

    `sentiment` is a label, `votes` an object of counts per label (a vote for `mixed` counts half for each side),
    `ratings` a list of whole numbers whose sign is the vote, `severity` a criticality from -5 (harm) to 5 (delight).
    """

    text: str = "text"
    question: str | None = None
    sentiment: str | None = None
    votes: str | None = None
    ratings: str | None = None
    severity: str | None = None
    topics: str | None = None


class File(_Shape):
    """One file of the data folder."""

    file: str
    source: str
    licence: str
    columns: Columns | None = None
    sides_only: bool = False
    topic_list: str | None = None  # files with one list of topics share its name
    per_epoch: Annotated[int, Field(ge=1)] | None = None
    repeat: Annotated[int, Field(ge=1, le=10)] = 1
    feedback: bool = False  # what customers write: the keyword baseline completes it, and the domain is made of it


class Numbers(_Shape):
    """Every number of a run."""

    seed: int = 20_261_121
    epochs: Annotated[int, Field(ge=1, le=50)] = 3
    batch_tokens: Annotated[int, Field(ge=64)] = 1_600
    learning_rate: float = 1e-4
    head_rate: float = 1e-3
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 0.9
    warm_up: float = 0.06
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float = 0.1
    tokens: Annotated[int, Field(ge=8, le=256)] = 96
    question_tokens: Annotated[int, Field(ge=4, le=64)] = 32
    question_dropout: float = 0.15
    joined: float = 0.15
    averaged_from: float = 0.5
    likeness_weight: float = 6.0
    subject_weight: float = 1.0
    topic_weight: float = 4.0
    type_weight: float = 0.5
    urgency_weight: float = 0.5
    label_smoothing: float = 0.0


class Recipe(_Shape):
    """A model's name and version, the files it learns from, and the numbers."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    version: Annotated[int, Field(ge=1)]
    numbers: Numbers = Numbers()
    files: Annotated[tuple[File, ...], Field(min_length=1)]

    @field_validator("files")
    @classmethod
    def _each_file_once(cls, files: tuple[File, ...]) -> tuple[File, ...]:
        names = [file.file for file in files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each file is named once, and these are named twice: {', '.join(twice)}")
        return files


def parse_recipe(document: str) -> Recipe:
    """The recipe a YAML 1.2 document describes.

    Raises:
        BadRecipe: it is not YAML or not a recipe; every bad place is named.
    """
    try:
        return Recipe.model_validate(load_yaml(document))
    except NotYaml as error:
        raise BadRecipe(f"The recipe is not readable YAML: {error}. Compare it with the one in data.md.") from error
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors())
        raise BadRecipe(f"The recipe needs correcting at {places}") from error


def place(file: File, folder: Path) -> Path:
    """Where a file lies: `own/...` beside this module, everything else in the data folder."""
    return (Path(__file__).parent if file.file.startswith("own/") else folder) / file.file


def read(file: File, folder: Path) -> dict[Split, list[Labelled]]:
    """The labelled texts of one file, by split.

    Raises:
        BadCorpus: the file is missing, or a line does not hold what the recipe says it holds.
    """
    found: dict[Split, list[Labelled]] = {"train": [], "dev": []}
    path = place(file, folder)
    for number, line in lines(path):
        labelled, split = read_line(file, path, number, line)
        found[split].append(labelled)
    return found


def read_line(file: File, path: Path, number: int, line: Mapping[str, object]) -> tuple[Labelled, Split]:
    """One line of a file, by the recipe's columns.

    Raises:
        BadCorpus: it does not hold what the recipe says it holds.
    """
    try:
        return parse(_ours(file, line), sides_only=file.sides_only)
    except ValidationError as error:
        raise explain(path, number, error) from error
    except _Unreadable as error:
        raise BadCorpus(f"{path.name}, line {number}, field {error}.") from error


def _votes(given: Mapping[str, int]) -> dict[str, float]:
    half = given.get("mixed", 0) / 2
    votes = {
        "negative": given.get("negative", 0) + half,
        "neutral": given.get("neutral", 0),
        "positive": given.get("positive", 0) + half,
    }
    return {label: count / sum(votes.values()) for label, count in votes.items()}


def _ratings(given: list[int]) -> dict[str, float]:
    shares = [sum(one < 0 for one in given), sum(one == 0 for one in given), sum(one > 0 for one in given)]
    return {label: count / len(given) for label, count in zip(("negative", "neutral", "positive"), shares, strict=True)}


def _severity(given: int) -> dict[str, float]:
    """Criticality as urgency: harm and despair are urgent, praise is not, and most of it lies between."""
    if given <= -4:
        return {"low": 0.0, "normal": 0.2, "high": 0.8}
    if given == -3:
        return {"low": 0.1, "normal": 0.65, "high": 0.25}
    if given < 0:
        return {"low": 0.35, "normal": 0.6, "high": 0.05}
    return {"low": 0.9, "normal": 0.1, "high": 0.0} if given > 0 else {"low": 0.7, "normal": 0.28, "high": 0.02}


_READ: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "text": ("text", lambda given: given),
    "question": ("question", lambda given: given),
    "sentiment": ("sentiment", lambda given: given),
    "votes": ("sentiment", _votes),
    "ratings": ("sentiment", _ratings),
    "severity": ("urgency", _severity),
    "topics": ("topics", lambda given: given),
}


class _Unreadable(ValueError):
    """A column that is not there, or does not hold what its role asks for."""


_FORMS = {
    "votes": "write an object of counts, such as {negative: 3, positive: 2}",
    "ratings": "write a list of at least one whole number",
    "severity": "write a whole number from -5 to 5",
}


def _ours(file: File, line: Mapping[str, object]) -> Mapping[str, object]:
    """A line in heed's own format."""
    if file.columns is None:
        return line
    ours: dict[str, object] = {"split": line.get("split", "train")}
    for role, (field, convert) in _READ.items():
        column = getattr(file.columns, role)
        if column is None:
            continue
        if column not in line:
            raise _Unreadable(f"{column}: it is missing; add it, or correct `columns` of {file.file} in the recipe")
        try:
            ours[field] = convert(line[column])
        except (AttributeError, ArithmeticError, TypeError, ValueError) as error:
            raise _Unreadable(f"{column}: {line[column]!r:.60} is no {role}; {_FORMS[role]}") from error
    return ours
