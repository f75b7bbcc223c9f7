"""Label Studio: tasks and their annotations, as its JSON import takes and its JSON export gives them.

Format: https://labelstud.io/guide/task_format (tasks with `data`, `meta` and `annotations`; export "JSON", not
"JSON-MIN", which leaves `meta` out).

What Label Studio does not know stands in `meta.heed`: it keeps `meta` through import and export and shows labellers
only what the labelling configuration names, and that names fields of `data`. `data.heed` is read as well, but its
values are a column of the Data Manager. Whoever opens a task's source may see either.

A labelling configuration that fits, with one Choice per label of the axis:

    <View>
      <Text name="text" value="$text"/>
      <Choices name="labels" toName="text" choice="multiple">
        <Choice value="price"/> <Choice value="delivery"/> <Choice value="none of these"/>
      </Choices>
    </View>
"""

from collections.abc import Iterable

from calibration.labels.facts import KEY, facts_to_json, read_facts
from calibration.labels.label import Label
from calibration.labels.node import Node, kind, text
from calibration.labels.strict_json import first_object, written_list
from calibration.labels.task import NOTHING, UNREADABLE, Answer, Task, grouped, read_choices, read_tasks

_COMMENTS = ("textarea", "rating")  # what a labeller adds beside the answer


def read_label_studio(raw: bytes) -> list[Label]:
    """The answers in an export of Label Studio, a row per label asked about and annotation.

    A submitted annotation answers every label of its task, one with no choice too: none of them is right. A skipped
    one (`was_cancelled`) and a draft answer nothing. The rater is the annotator's e-mail where the export has it, else
    the number of the account; '' where it names nobody.

    Raises:
        InvalidLabels: with the task and field of every mistake; or nobody has answered yet.

    >>> one = Label("r-1", "Late again", "topic", "delivery", 0.9, True, rater="7", blind=True)
    >>> read_label_studio(write_label_studio([one])) == [one]
    True
    """
    return read_tasks(raw, _task)


def write_label_studio(labels: Iterable[Label]) -> bytes:
    r"""Tasks to import into Label Studio, with the answers that the labels hold.

    Labels whose `human` is None become tasks to answer; that is also what becomes of 'not sure', which Label Studio
    cannot hold. Raters must be members of its organisation, by e-mail or number, or it refuses the import. Its free
    edition lets labellers look at each other's annotations: set `blind` only where yours cannot.

    Raises:
        InvalidLabels: a label is called 'none of these'.

    >>> write_label_studio([Label("r-1", "Late", "topic", "delivery", 0.9, None)])[:26]
    b'[\n{"data": {"text": "Late"'
    """
    # No "predictions": Label Studio would show them as the answer to correct, and people would follow the model.
    return written_list(
        {
            "data": {"text": task.facts.text},
            "meta": {KEY: facts_to_json(task)},
            "annotations": [_annotation(answer, task) for answer in task.answers],
        }
        for task in grouped(labels)
    )


def is_label_studio(raw: bytes) -> bool:
    """Whether the first task of the file looks like one of Label Studio.

    >>> is_label_studio(b'[{"id": 1, "data": {"text": "Late"}}]')
    True
    """
    first = first_object(raw)
    return isinstance(first.get("data"), dict) or "annotation_id" in first  # JSON-MIN, to be told what is wrong


def _annotation(answer: Answer, task: Task) -> dict[str, object]:
    choices = [label for label in task.asked if label in answer.chosen] or [NOTHING]
    result = {"from_name": "labels", "to_name": "text", "type": "choices", "value": {"choices": choices}}
    known: dict[str, object] = {"result": [result], "was_cancelled": False}
    # said in any case: the import takes an annotation that does not say for ground truth
    known["ground_truth"] = task.facts.adjudicated
    return known | ({"completed_by": _account(answer.rater)} if answer.rater else {})


def _account(rater: str) -> int | dict[str, str]:
    number = rater.isascii() and rater.isdigit() and len(rater) <= 15 and str(int(rater)) == rater
    return int(rater) if number else {"email": rater}


def _task(node: Node) -> Task:
    data = node.part("data")
    if data.value is None:
        data.wrong("is missing: export as JSON, not as JSON-MIN or another format")
        return UNREADABLE
    content = data.member("text").read(text, "")
    meta = node.part("meta").member(KEY)
    facts, asked = read_facts(
        meta if meta.value is not None or data.member(KEY).value is None else data.member(KEY), content
    )
    given = node.member("annotations")
    annotations = given.objects() if given.value is not None else []
    submitted = [one for one in annotations if not one.member("was_cancelled").read(_flag, default=False)]
    return Task(
        facts, asked, tuple(Answer(_rater(one.member("completed_by")), _chosen(one, asked)) for one in submitted)
    )


def _chosen(annotation: Node, asked: dict[str, float]) -> frozenset[str]:
    choices = []
    for result in annotation.member("result").objects():
        sort = result.member("type")
        if sort.value == "choices":
            choices += result.part("value").member("choices").entries()
        elif sort.value not in _COMMENTS:
            sort.wrong(f"is {kind(sort.value)}: heed reads answers of the type 'choices'")
    return read_choices(choices, asked) if asked else frozenset()


def _flag(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise ValueError(f"must be true or false, not {kind(value)}")


def _rater(by: Node) -> str:
    if isinstance(by.value, dict):
        by = by.first("email", "id")
    if by.value is None:
        return ""
    if isinstance(by.value, int) and not isinstance(by.value, bool):
        return str(by.value)
    return by.read(text, "")
