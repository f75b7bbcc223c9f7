"""The sentences we would try on a sceptical colleague, read by the model that ships."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from models.catalog import load
from models.prediction import TYPES, AbstainReason, Reading, Verbatim
from models.taxonomies.taxonomy import default_taxonomy


class Outcome(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sentiment: Literal["negative", "neutral", "positive"] | None = None
    mixed: bool | None = None
    has: list[Literal["suggestion", "complaint", "praise", "question"]] = []
    lacks: list[Literal["suggestion", "complaint", "praise", "question"]] = []
    urgency: Literal["low", "normal", "high"] | None = None
    topics: list[str] = []
    abstain: AbstainReason | Literal["none"] | None = None


class Sentence(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    question: str | None = None
    says: Outcome
    wrong: str | None = None


_FILE = Path(__file__).with_name("sceptical_sentences.yaml")
SENTENCES = [Sentence.model_validate(one) for one in YAML(typ="safe").load(_FILE.read_text(encoding="utf-8"))]


def read(sentence: Sentence) -> Reading:
    return load("heed-en").read([Verbatim(sentence.text, sentence.question)], default_taxonomy())[0]


def errors(reading: Reading, says: Outcome) -> list[str]:
    """What the reading says otherwise, one short sentence each."""
    found = []
    sentiment, urgency = (max(axis, key=axis.__getitem__) for axis in (reading.sentiment, reading.urgency))
    if says.sentiment not in {None, sentiment}:
        found.append(f"{sentiment} ({reading.sentiment[sentiment]:.2f}), not {says.sentiment}")
    if says.mixed not in {None, reading.mixed}:
        found.append("mixed" if reading.mixed else "not mixed")
    if says.urgency not in {None, urgency}:
        found.append(f"{urgency} urgency ({reading.urgency[urgency]:.2f}), not {says.urgency}")
    found.extend(f"no {kind} ({reading.types[kind]:.2f})" for kind in says.has if reading.types[kind] < 0.5)
    found.extend(f"a {kind} ({reading.types[kind]:.2f})" for kind in says.lacks if reading.types[kind] >= 0.5)
    known = {topic.name: topic.threshold for topic in default_taxonomy().topics}
    found.extend(
        f"not about {topic} ({reading.topics[topic]:.2f})"
        for topic in says.topics
        if reading.topics[topic] < known[topic]
    )
    if says.abstain and says.abstain != (reading.abstain or "none"):
        found.append(f"abstains: {reading.abstain or 'none'}, not {says.abstain}")
    return found


@pytest.mark.parametrize("sentence", SENTENCES, ids=[f"{n} {one.text[:40]}" for n, one in enumerate(SENTENCES, 1)])
def test_exactly_the_listed_sentences_are_wrong(sentence):
    found = errors(read(sentence), sentence.says)
    if sentence.wrong is None:
        assert not found
    else:
        assert found, "It is right now: take `wrong` away here and in the model card."


def test_at_most_a_quarter_is_wrong():
    assert sum(one.wrong is not None for one in SENTENCES) <= len(SENTENCES) // 4


def test_there_are_enough_and_each_expects_something():
    assert len({(one.text, one.question) for one in SENTENCES}) == len(SENTENCES) >= 60
    assert all(one.says != Outcome() for one in SENTENCES)


def test_every_kind_of_error_is_noticed():
    reading = Reading(
        sentiment={"negative": 0.7, "neutral": 0.2, "positive": 0.1},
        topics=dict.fromkeys((topic.name for topic in default_taxonomy().topics), 0.1),
        types=dict.fromkeys(TYPES, 0.1) | {"complaint": 0.9},
        urgency={"low": 0.8, "normal": 0.1, "high": 0.1},
        language="en",
        language_probability=1.0,
    )
    right = Outcome(
        sentiment="negative", mixed=False, has=["complaint"], lacks=["praise"], urgency="low", abstain="none"
    )
    assert errors(reading, right) == []
    wrong = Outcome(
        sentiment="positive",
        mixed=True,
        has=["praise"],
        lacks=["complaint"],
        urgency="high",
        topics=["delivery"],
        abstain="short",
    )
    assert len(errors(reading, wrong)) == 7
