"""Topics: what a customer writes about, named, described and versioned; read from a YAML file."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from models.taxonomies.history import Step
from models.yaml_document import NotYaml, load_yaml

DEFAULT = Path(__file__).parent.with_name("default_taxonomy.yaml")


class BadTaxonomy(ValueError):
    """The file does not describe a taxonomy; the message names the place and the remedy."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. A text is about it from `threshold` on (a probability in (0, 1)).

    One of `keywords` is enough to reach 0.5; of `hints`, which only lean towards the topic, two are needed.
    `examples` are for classifiers that learn from them.
    """

    name: str
    description: str = ""
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    threshold: float = 0.5
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """An immutable version of a list of topics, in the order people read them.

    `replaces` says how the topics of earlier versions went over into these, oldest step first.
    """

    name: str
    version: int
    topics: tuple[Topic, ...]
    replaces: tuple[Step, ...] = ()

    def __hash__(self) -> int:
        """What is kept per taxonomy is looked up for every text, and all its texts would be hashed each time."""
        return hash((self.name, self.version))

    @property
    def identity(self) -> str:
        """Name and version in one, as stored on every row: `default@1`."""
        return f"{self.name}@{self.version}"

    @property
    def labels(self) -> list[str]:
        """The topics' names, which are their labels everywhere else."""
        return [topic.name for topic in self.topics]


_Name = Annotated[str, Field(min_length=1, max_length=64)]
_Names = Annotated[tuple[_Name, ...], Field(min_length=1, max_length=200)]


class _TopicShape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: _Name
    description: str = Field(default="", max_length=1_000)
    keywords: tuple[str, ...] = Field(default=(), max_length=1_000)
    examples: tuple[str, ...] = Field(default=(), max_length=1_000)
    threshold: float = Field(default=0.5, gt=0, lt=1)
    hints: tuple[str, ...] = Field(default=(), max_length=1_000)


class _StepShape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1)
    split: dict[_Name, _Names] = Field(default={})
    merge: dict[_Name, _Names] = Field(default={})
    renamed: dict[_Name, _Name] = Field(default={})
    retired: tuple[_Name, ...] = Field(default=(), max_length=200)
    added: tuple[_Name, ...] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def _each_old_topic_once(self) -> Self:
        before = self.step().before
        twice = sorted({name for name in before if before.count(name) > 1})
        if twice:
            raise ValueError(f"an old topic has one fate, and these have two: {', '.join(twice)}")
        return self

    def step(self) -> Step:
        return Step(
            self.version,
            tuple(self.split.items()),
            tuple(self.merge.items()),
            tuple(self.renamed.items()),
            self.retired,
            self.added,
        )


class _TaxonomyShape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: _Name
    version: int = Field(ge=1)
    topics: tuple[_TopicShape, ...] = Field(min_length=1, max_length=200)
    replaces: tuple[_StepShape, ...] = Field(default=(), max_length=1_000)

    @field_validator("replaces", mode="before")
    @classmethod
    def _one_step_or_a_list(cls, given: Any) -> Any:  # noqa: ANN401 (whatever the file holds)
        return [given] if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _steps_lead_here(self) -> Self:
        versions = [step.version for step in self.replaces]
        if versions != sorted({*versions}) or (versions and versions[-1] >= self.version):
            raise ValueError("the versions under 'replaces' rise, each below the taxonomy's own version")
        here = {topic.name for topic in self.topics}
        strange = sorted({*self.replaces[-1].step().after} - here) if self.replaces else []
        if strange:
            raise ValueError(f"the last step under 'replaces' leads to what is no topic here: {', '.join(strange)}")
        return self

    @field_validator("topics")
    @classmethod
    def _each_name_once(cls, topics: tuple[_TopicShape, ...]) -> tuple[_TopicShape, ...]:
        names = [topic.name for topic in topics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each topic needs a name of its own, and these appear twice: {', '.join(twice)}")
        return topics


@lru_cache(maxsize=8)
def parse_taxonomy(document: str) -> Taxonomy:
    """The taxonomy a YAML 1.2 document describes; the same document is parsed once, as it takes a tenth of a second.

    Raises:
        BadTaxonomy: the document is not YAML, or not a taxonomy; every bad place is named.
    """
    try:
        shape = _TaxonomyShape.model_validate(load_yaml(document))
    except NotYaml as error:
        raise BadTaxonomy(f"The taxonomy is not readable YAML: {error}") from error
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise BadTaxonomy(f"The taxonomy needs correcting at {places}") from error
    topics = tuple(Topic(**topic.model_dump()) for topic in shape.topics)
    return Taxonomy(shape.name, shape.version, topics, tuple(step.step() for step in shape.replaces))


@lru_cache(maxsize=1)
def default_taxonomy() -> Taxonomy:
    """The topics heed starts with."""
    return parse_taxonomy(DEFAULT.read_text(encoding="utf-8"))
