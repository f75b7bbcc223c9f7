"""What a labelling tool keeps for us beside the text: which item and axis, the model's probabilities, the sample."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from calibration.labels.label import POOLS, Label, Pool
from calibration.labels.node import Node, filled, kind, shorten, text
from calibration.labels.strict_json import parse
from calibration.labels.task import NOTHING, UNREADABLE, Task

KEY = "heed"  # the one key under which each tool keeps it


def facts_to_json(task: Task) -> dict[str, object]:
    """What the tool has to keep for us; what is not said is left out.

    >>> facts_to_json(Task(Label("r-1", "Late", "topic", "", 0, None, blind=True), {"price": 0.9}, ()))
    {'id': 'r-1', 'axis': 'topic', 'probabilities': {'price': 0.9}, 'blind': True}
    """
    facts = task.facts
    perhaps = {
        "pool": facts.pool,
        "inclusion_probability": facts.inclusion_probability,
        "blind": facts.blind,
        "source": facts.source or None,
        "language": facts.language or None,
        "adjudicated": facts.adjudicated or None,
        "tiebreak": facts.tiebreak or None,
    }
    known: dict[str, object] = {"id": facts.id, "axis": facts.axis, "probabilities": dict(task.asked)}
    return known | {name: value for name, value in perhaps.items() if value is not None}


def wrapped(facts: Mapping[str, object]) -> str:
    """The facts as one word that says nothing at a glance (base64), for tools that may show them beside the text.

    It keeps the model's probability out of the labeller's eyes; it is no secret.

    >>> wrapped({"id": "r-1"})
    'eyJpZCI6ICJyLTEifQ=='
    """
    return base64.b64encode(json.dumps(facts, allow_nan=False).encode()).decode()


def read_facts(node: Node, content: str) -> tuple[Label, dict[str, float]]:
    """The facts, plain or wrapped, with the text `content`; and each label asked about with its probability.

    >>> faults = []
    >>> facts = {"id": "r-1", "axis": "topic", "probabilities": {"price": 0.9}}
    >>> read_facts(Node(facts, 1, "meta.heed", faults), "Late")[1], faults
    ({'price': 0.9}, [])
    """
    node = _unwrapped(node)
    if not isinstance(node.value, dict):
        return UNREADABLE.facts, {}
    facts = Label(
        id=node.member("id").read(filled, ""),
        text=content,
        axis=node.member("axis").read(filled, ""),
        label="",
        probability=0.0,
        human=None,
        pool=node.member("pool").read(_pool, None),
        inclusion_probability=node.member("inclusion_probability").read(_inclusion, None),
        blind=node.member("blind").read(_yes_or_no, None),
        source=node.member("source").read(_text_or_none, ""),
        language=node.member("language").read(_text_or_none, ""),
        adjudicated=bool(node.member("adjudicated").read(_yes_or_no, None)),
        tiebreak=bool(node.member("tiebreak").read(_yes_or_no, None)),
    )
    return facts, _probabilities(node.member("probabilities"))


def _unwrapped(node: Node) -> Node:
    if node.value is None:
        told = "is missing, and with it the model's probabilities: write the tasks with heed before they are labelled"
        node.wrong(f'{told}, or add {node.path} with id, axis and probabilities such as {{"price": 0.93}}')
        return node
    value, notes = _unpacked(node.value) if isinstance(node.value, str) else (node.value, ())
    for note in notes:
        node.wrong(note)
    if not notes and not isinstance(value, dict):
        node.wrong(f"must be an object, not {kind(value)}")
    return replace(node, value=value)


def _unpacked(word: str) -> tuple[object, Sequence[str]]:
    try:
        return parse(base64.b64decode(word, validate=True).decode())
    except ValueError:
        return None, ["is not as heed wrote it: write the tasks with heed again"]


def _probabilities(node: Node) -> dict[str, float]:
    if not isinstance(node.value, dict) or not node.value:
        node.wrong('must give each label asked about its probability, such as {"price": 0.93}')
    for name, _ in node.members():
        if name == NOTHING or not name.strip() or not _is_unicode(name):
            node.wrong(f"asks about {shorten(name)}: no label may be called so")
    return {name: member.read(_probability, 0.0) for name, member in node.members()}


def _is_unicode(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _probability(value: object) -> float:
    number = _number(value)
    if number is None or not 0 <= number <= 1:
        raise ValueError(f"must be a number from 0 to 1 such as 0.93, not {kind(value)}")
    return number


def _inclusion(value: object) -> float | None:
    number = _number(value)
    if value is not None and (number is None or not 0 < number <= 1):
        raise ValueError(f"must be above 0 and at most 1, or left out, not {kind(value)}")
    return number


def _yes_or_no(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ValueError(f"must be true, false or left out, not {kind(value)}")


def _pool(value: object) -> Pool | None:
    if value is None:
        return None
    if value not in POOLS:
        raise ValueError(f"must be audit, targeted or left out, not {kind(value)}")
    return cast(Pool, value)


def _text_or_none(value: object) -> str:
    return "" if value is None else text(value)
