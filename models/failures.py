"""What goes wrong, as patterns: failures told as facts, irony, alarms and idioms, from `english_failures.toml`."""

import tomllib
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from models.patterns import Patterns
from models.phrases import Cue

_FILE = Path(__file__).with_name("english_failures.toml")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    lists: dict[str, list[str]]
    failures: dict[float, list[str]]
    irony: dict[float, list[str]]
    turns: dict[float, list[str]]
    high: dict[float, list[str]]
    story: list[str]
    topics: dict[float, dict[str, list[str]]]


def _irony(weight: float) -> Cue:
    return Cue("settled", "settled", weight) if weight > 3 else Cue("opening", "opening", weight)


@lru_cache(maxsize=1)
def failures() -> Patterns:
    """The patterns as shipped.

    Raises:
        ValueError: the file has a section nobody knows or a pattern nobody can read.
    """
    file = _File.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))
    return Patterns(
        file.lists,
        [
            *((Cue("failure", "failure", weight), found) for weight, found in file.failures.items()),
            *((_irony(weight), found) for weight, found in file.irony.items()),
            *((Cue("tone", "", value), found) for value, found in file.turns.items()),
            *((Cue("urgency", "high", weight), found) for weight, found in file.high.items()),
            (Cue("urgency", "story", 0.0), file.story),
            *(
                (Cue("topic", name, weight), found)
                for weight, names in file.topics.items()
                for name, found in names.items()
            ),
        ],
    )
