"""doccano: text classification as its JSONL import takes and its JSONL export gives it, a line per text.

Format: doccano's import and export of a text classification project: `text`, a list `label`, and what else stands in
the line, which doccano keeps as the document's metadata and writes out again.

What doccano does not know stands under 'heed'. doccano shows all metadata beside the text while people label, and has
no switch against that; so it is wrapped into one word that says nothing at a glance. (A plain object would also lose
digits: the export rounds numbers to ten places.) Two things must be set by hand:

- the label 'none of these', for texts to which none of the labels applies. An empty list says in doccano both that
  and that nobody has looked; it answers nothing here.
- 'share annotations' off. The export is then a ZIP with a file per annotator: read each with `rater=` its name.
"""

from collections.abc import Iterable, Iterator

from calibration.labels.facts import KEY, facts_to_json, read_facts, wrapped
from calibration.labels.label import Label
from calibration.labels.node import Node, text
from calibration.labels.strict_json import first_object, written_lines
from calibration.labels.task import NOTHING, Answer, Task, grouped, read_choices, read_tasks


def read_doccano(raw: bytes, *, rater: str = "") -> list[Label]:
    """The answers in an export of doccano (JSONL or JSON), a row per label asked about and line with an answer.

    A line with labels answers every label asked about; one with 'none of these' says no to all; one without labels
    answers nothing. doccano does not write who answered: that is `rater`, unless the line has an `annotator`.

    Raises:
        InvalidLabels: with the line and field of every mistake; or nobody has answered yet.

    >>> one = Label("r-1", "Late again", "topic", "delivery", 0.9, True, rater="ana", blind=True)
    >>> read_doccano(write_doccano([one])) == [one]
    True
    """
    return read_tasks(raw, lambda node: _task(node, rater))


def write_doccano(labels: Iterable[Label]) -> bytes:
    """Lines to import into doccano, with the answers that the labels hold: a line per task and rater.

    Labels whose `human` is None become lines to answer; that is also what becomes of 'not sure', which doccano cannot
    hold. doccano takes no empty text, and gives imported answers to whoever imports them.

    Raises:
        InvalidLabels: a label is called 'none of these'.

    >>> write_doccano([Label("r-1", "Late", "topic", "delivery", 0.9, None)])[:38]
    b'{"text": "Late", "label": [], "heed": '
    """
    return written_lines(line for task in grouped(labels) for line in _written(task))


def is_doccano(raw: bytes) -> bool:
    """Whether the first line of the file looks like one of doccano.

    >>> is_doccano(b'{"id": 1, "text": "Late", "label": []}')
    True
    """
    first = first_object(raw)
    return any(isinstance(first.get(name), str) for name in ("text", "data"))


def _written(task: Task) -> Iterator[dict[str, object]]:
    # The model's answer is in no line's "label": doccano would show it as given, and people would follow the model.
    facts = wrapped(facts_to_json(task))
    if not task.answers:
        yield {"text": task.facts.text, "label": [], KEY: facts}
    for answer in task.answers:
        chosen = [label for label in task.asked if label in answer.chosen] or [NOTHING]
        known: dict[str, object] = {"text": task.facts.text, "label": chosen, KEY: facts}
        yield known | ({"annotator": answer.rater} if answer.rater else {})


def _task(node: Node, rater: str) -> Task:
    content = node.first("text", "data").read(text, "")
    own = node.member(KEY)
    meta = node.part("meta").member(KEY)
    facts, asked = read_facts(meta if own.value is None and meta.value is not None else own, content)
    annotator = node.member("annotator")
    by = rater if annotator.value is None else annotator.read(text, "")
    chosen = read_choices(_choices(node), asked) if asked else frozenset()
    return Task(facts, asked, (Answer(by, chosen),) if node.first("label", "labels").value else ())


def _choices(node: Node) -> list[Node]:
    given = node.first("label", "labels")
    if given.value is None:
        if node.member("annotations").value:
            node.member("annotations").wrong("names labels by their number: export as JSONL with the labels' text")
        return []
    return [given] if isinstance(given.value, str) else given.entries()
