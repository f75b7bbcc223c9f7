"""Task: one text put before people once, with the labels asked about, as labelling tools know it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from calibration.labels.label import Fault, InvalidLabels, Label
from calibration.labels.node import Node, filled, shorten
from calibration.labels.strict_json import tasks

NOTHING = "none of these"  # the choice that says "I looked, and none of the labels is right"
_Key = tuple[Label, str | None, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person chose in one task. Who answered a task answered each of its labels: not chosen is no."""

    rater: str
    chosen: frozenset[str]


@dataclass(frozen=True, slots=True)
class Task:
    """`facts` is a label of which only what holds for the whole task counts; `asked` are labels and probabilities."""

    facts: Label
    asked: Mapping[str, float]
    answers: tuple[Answer, ...]

    def labels(self) -> Iterator[Label]:
        for answer in self.answers:
            for label, probability in self.asked.items():
                human = label in answer.chosen
                yield replace(self.facts, label=label, probability=probability, human=human, rater=answer.rater)


UNREADABLE = Task(Label("", "", "", "", 0.0, None), {}, ())  # what a reader goes on with after noting a mistake


def grouped(labels: Iterable[Label]) -> list[Task]:
    """The tasks that hold these labels, in the order of the labels.

    A label whose `human` is None asks: it becomes part of a task that this rater has not answered. None of the tools
    can hold 'not sure', so that answer is asked again.

    Raises:
        InvalidLabels: a label is called 'none of these', which the tools need for the answer that none is right.

    >>> len(grouped([Label("r-1", "Late", "topic", name, 0.5, None) for name in ("price", "delivery")]))
    1
    """
    sheets: dict[_Key, dict[str, Label]] = {}
    times: Counter[Label] = Counter()
    faults = []
    for row, label in enumerate(labels, start=1):
        if label.label == NOTHING:
            faults.append(Fault(row, "label", f"must not be {NOTHING!r}: it is the answer that no label is right"))
        rater = None if label.human is None else label.rater
        # the same person asked again about the same label (a hidden repeat) answers another task
        same = replace(label, probability=0.0, human=None)
        time = times[same] if rater is not None else 0
        times[same] += rater is not None
        sheets.setdefault((replace(same, label="", rater=""), rater, time), {})[label.label] = label
    if faults:
        raise InvalidLabels(faults)
    return _merged(sheets)


def _merged(sheets: Mapping[_Key, Mapping[str, Label]]) -> list[Task]:
    """One task for all the raters who were asked the same."""
    answers: dict[tuple[Label, tuple[tuple[str, float], ...], int], list[Answer]] = {}
    for (facts, rater, time), sheet in sheets.items():
        asked = tuple(sorted((name, label.probability) for name, label in sheet.items()))
        given = answers.setdefault((facts, asked, time), [])
        if rater is not None:
            given.append(Answer(rater, frozenset(name for name, label in sheet.items() if label.human)))
    return [Task(facts, dict(asked), tuple(given)) for (facts, asked, _), given in answers.items()]


def read_choices(choices: Sequence[Node], asked: Mapping[str, float]) -> frozenset[str]:
    """The labels that a person chose; a choice that was not asked about is noted.

    >>> read_choices([Node("price", 1, "label[0]", [])], {"price": 0.9, "delivery": 0.2})
    frozenset({'price'})
    """
    names = [node.read(filled, NOTHING) for node in choices]
    for node, name in zip(choices, names, strict=True):
        if name not in asked and name != NOTHING:
            node.wrong(
                f"chooses {shorten(name)}, which this task does not ask about: give it a probability or rename it"
            )
    if len(set(names)) > 1 and NOTHING in names and all(isinstance(node.value, str) for node in choices):
        choices[names.index(NOTHING)].wrong(f"chooses {NOTHING!r} and a label as well")
    return frozenset(names) - {NOTHING}


def read_tasks(raw: bytes, reading: Callable[[Node], Task]) -> list[Label]:
    """The labels of all tasks of a file, each task read by `reading`.

    Raises:
        InvalidLabels: with the task and field of every mistake, or because nobody has answered yet.

    >>> read_tasks(b"[]", lambda node: UNREADABLE)
    Traceback (most recent call last):
        ...
    calibration.labels.label.InvalidLabels: file: holds no tasks
    """
    faults: list[Fault] = []
    found = [reading(node) for node in tasks(raw, faults)]
    labels = [label for task in found for label in task.labels()]
    if not labels and not faults:
        detail = "holds tasks, and nobody has answered one yet: export it again when somebody has"
        faults.append(Fault(0, "", detail if found else "holds no tasks"))
    if faults:
        raise InvalidLabels(faults)
    return labels
