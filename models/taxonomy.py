"""Topics: what a customer writes about, named, described and versioned; read from a YAML file."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

_DEFAULT = Path(__file__).with_name("default_taxonomy.yaml")


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
    """An immutable version of a list of topics, in the order people read them."""

    name: str
    version: int
    topics: tuple[Topic, ...]

    @property
    def identity(self) -> str:
        """Name and version in one, as stored on every row: `default@1`."""
        return f"{self.name}@{self.version}"

    @property
    def labels(self) -> list[str]:
        """The topics' names, which are their labels everywhere else."""
        return [topic.name for topic in self.topics]


class _TopicShape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    description: str = Field(default="", max_length=1_000)
    keywords: tuple[str, ...] = Field(default=(), max_length=1_000)
    examples: tuple[str, ...] = Field(default=(), max_length=1_000)
    threshold: float = Field(default=0.5, gt=0, lt=1)
    hints: tuple[str, ...] = Field(default=(), max_length=1_000)


class _TaxonomyShape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    version: int = Field(ge=1)
    topics: tuple[_TopicShape, ...] = Field(min_length=1, max_length=200)

    @field_validator("topics")
    @classmethod
    def _each_name_once(cls, topics: tuple[_TopicShape, ...]) -> tuple[_TopicShape, ...]:
        names = [topic.name for topic in topics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each topic needs a name of its own, and these appear twice: {', '.join(twice)}")
        return topics


def parse_taxonomy(document: str) -> Taxonomy:
    """The taxonomy a YAML 1.2 document describes.

    Raises:
        BadTaxonomy: the document is not YAML, or not a taxonomy; every bad place is named.
    """
    try:
        shape = _TaxonomyShape.model_validate(YAML(typ="safe", pure=True).load(document))
    except (YAMLError, RecursionError) as error:
        raise BadTaxonomy(f"The taxonomy is not readable YAML: {error}") from error
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise BadTaxonomy(f"The taxonomy needs correcting at {places}") from error
    return Taxonomy(shape.name, shape.version, tuple(Topic(**topic.model_dump()) for topic in shape.topics))


@lru_cache(maxsize=1)
def default_taxonomy() -> Taxonomy:
    """The topics heed starts with."""
    return parse_taxonomy(_DEFAULT.read_text(encoding="utf-8"))
