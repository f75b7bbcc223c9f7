"""What is doubtful in a taxonomy, and what does not fit the version before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from models.characters import normalise
from models.prediction import Verbatim
from models.taxonomies.taxonomy import Taxonomy, Topic
from models.taxonomies.zero_shot import Embed
from models.text import tokenise

LOWEST, HIGHEST = 0.2, 0.8  # a threshold outside says almost always or almost never
TOO_SIMILAR = 0.8  # cosine of two descriptions: people would not tell such topics apart either


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. An error must be corrected before the taxonomy is used; a warning need not."""

    severity: Literal["error", "warning"]
    place: str
    detail: str
    remedy: str


def check(taxonomy: Taxonomy) -> list[Finding]:
    """What the file by itself shows, in the order of its topics."""
    return [
        *(finding for topic in taxonomy.topics for finding in _topic(topic)),
        *_like_names(taxonomy),
        *_shared_keywords(taxonomy),
    ]


def check_descriptions(taxonomy: Taxonomy, embed: Embed) -> list[Finding]:
    """Descriptions so alike that the encoder can hardly tell their topics apart."""
    described = [topic for topic in taxonomy.topics if topic.description]
    if len(described) < 2:
        return []
    vectors = np.asarray(embed([Verbatim(topic.description) for topic in described]))
    return [
        Finding(
            "warning",
            f"topics '{described[one].name}' and '{described[two].name}'",
            f"their descriptions say almost the same (similarity {float(vectors[one] @ vectors[two]):.2f})",
            "say what sets them apart, or merge them",
        )
        for one, two in combinations(range(len(described)), 2)
        if float(vectors[one] @ vectors[two]) >= TOO_SIMILAR
    ]


def check_history(taxonomy: Taxonomy, previous: Taxonomy) -> list[Finding]:
    """Whether `replaces` says of every topic of the version before what became of it, and of every new one whence."""
    if taxonomy.name != previous.name or taxonomy.version <= previous.version:
        remedy = f"name it {previous.name} and give it version {previous.version + 1}"
        detail = f"{taxonomy.identity} does not follow {previous.identity}"
        return [Finding("error", "name and version", detail, remedy)]
    before, after = set(previous.labels), set(taxonomy.labels)
    step = next((step for step in taxonomy.replaces if step.version == previous.version), None)
    if step is None and before == after:
        return []
    if step is None:
        wanted = f"add a step with 'version: {previous.version}' under 'replaces'"
        detail = f"nothing says what became of the topics of version {previous.version}"
        return [Finding("error", "replaces", detail, wanted)]
    if step is not taxonomy.replaces[-1]:
        return []
    place = f"replaces, version {previous.version}"
    stayed = before - set(step.before)
    return [
        *(_history(place, name, "was no topic then", "correct the name") for name in {*step.before} - before),
        *(_history(place, name, "is gone", "say split, merge, renamed or retired") for name in stayed - after),
        *(_history(place, name, "is new", "name it under 'added'") for name in after - stayed - {*step.after}),
        *(_history(place, name, "was a topic before", "take it out of 'added'") for name in before & {*step.added}),
    ]


def _history(place: str, name: str, detail: str, remedy: str) -> Finding:
    return Finding("error", place, f"'{name}' {detail}", remedy)


def _topic(topic: Topic) -> Iterator[Finding]:
    place = f"topic '{topic.name}'"
    if not topic.description:
        remedy = "say in one sentence what belongs to it: texts are compared with that"
        yield Finding("warning", place, "it has no description", remedy)
    if not LOWEST <= topic.threshold <= HIGHEST:
        remedy = f"choose one from {LOWEST} to {HIGHEST}, or fit it to labels"
        yield Finding("warning", place, f"its threshold {topic.threshold} is extreme", remedy)
    for phrase in (*topic.keywords, *topic.hints):
        if not _stems(phrase):
            yield Finding("error", f"{place}, '{phrase}'", "it holds no word to look for", "take it out")
    for phrases in (topic.keywords, topic.hints):
        folded = [phrase.casefold() for phrase in phrases]
        for phrase in sorted({phrase for phrase in folded if folded.count(phrase) > 1}):
            yield Finding("warning", f"{place}, '{phrase}'", "it stands there twice", "keep one of them")
    certain = {_stems(phrase): phrase for phrase in topic.keywords}
    for hint in topic.hints:
        if _stems(hint) in certain:
            detail = f"this hint matches the same words as the keyword '{certain[_stems(hint)]}'"
            yield Finding("warning", f"{place}, '{hint}'", detail, "keep one of them")


def _like_names(taxonomy: Taxonomy) -> Iterator[Finding]:
    for one, two in combinations(taxonomy.labels, 2):
        if one.casefold().split() == two.casefold().split():
            detail = "their names differ only in capitals or spaces"
            yield Finding("error", f"topics '{one}' and '{two}'", detail, "give one another name")


def _shared_keywords(taxonomy: Taxonomy) -> Iterator[Finding]:
    owners: dict[tuple[str, ...], list[str]] = {}
    phrases: dict[tuple[str, ...], str] = {}
    for topic in taxonomy.topics:
        for phrase in topic.keywords:
            stems = _stems(phrase)
            phrases.setdefault(stems, phrase)
            if stems and topic.name not in owners.setdefault(stems, []):
                owners[stems].append(topic.name)
    for stems, names in owners.items():
        if len(names) > 1:
            place = f"keyword '{phrases[stems]}'"
            listed = ", ".join(f"'{name}'" for name in names)
            remedy = "keep it where it is certain, and make it a hint elsewhere"
            yield Finding("warning", place, f"it speaks for several topics: {listed}", remedy)


def _stems(phrase: str) -> tuple[str, ...]:
    return tuple(token.stem for token in tokenise(normalise(phrase)))
