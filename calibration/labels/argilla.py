"""Argilla 2: records and their responses, as `dataset.records.from_json` takes and `to_json` gives them.

Format: https://docs.argilla.io/latest/how_to_guides/import_export and `Record.to_dict` of the SDK (2.8): a list of
records with `fields`, `metadata`, `suggestions`, `responses` (a list per question) and `status`.

What Argilla does not know stands in the record's metadata under 'heed'. People may filter by metadata, and get it with
each record, unless the dataset's settings hide it from annotators; so hide it as below. For those who are no mere
annotators it is wrapped into one word that says nothing at a glance. Settings that fit:

    rg.Settings(
        fields=[rg.TextField(name="text")],
        questions=[rg.MultiLabelQuestion(name="labels", labels=["price", "delivery", "none of these"])],
        metadata=[rg.TermsMetadataProperty(name="heed", visible_for_annotators=False)],
    )
"""

from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote
from uuid import UUID

from calibration.labels.facts import KEY, facts_to_json, read_facts, wrapped
from calibration.labels.label import Fault, InvalidLabels, Label
from calibration.labels.node import Node, kind, shorten, text
from calibration.labels.strict_json import first_object, written_list
from calibration.labels.task import NOTHING, Answer, Task, grouped, read_choices, read_tasks

QUESTION = "labels"


def read_argilla(raw: bytes) -> list[Label]:
    """The answers in an export of Argilla by an owner or admin, a row per label asked about and submitted response.

    A submitted response answers every label of its record; since Argilla takes no empty answer, 'none of these' is
    the choice for no label at all. Drafts and discarded responses answer nothing. `to_json` does not write whether a
    response was submitted: then those of records with the status 'completed' count and those of pending ones do not.
    Where people discard records, or several answer each, add each response's `status` to the export. The question is
    the one named 'labels', or as the axis. The rater is the user's id.

    Raises:
        InvalidLabels: with the record and field of every mistake; or nobody has answered yet.

    >>> ana = "11111111-1111-4111-8111-111111111111"
    >>> one = Label("r-1", "Late again", "topic", "delivery", 0.9, True, rater=ana, blind=True)
    >>> read_argilla(write_argilla([one])) == [one]
    True
    """
    return read_tasks(raw, _task)


def write_argilla(labels: Iterable[Label]) -> bytes:
    r"""Records for `dataset.records.from_json`, with the answers that the labels hold.

    Labels whose `human` is None become records to answer; that is also what becomes of 'not sure', which Argilla
    cannot hold. Argilla knows raters by the id of their user alone.

    Raises:
        InvalidLabels: a label is called 'none of these', or a rater is no id of a user.

    >>> write_argilla([Label("r-1", "Late", "topic", "delivery", 0.9, None)])[:49]
    b'[\n{"id": "r-1:topic:1", "fields": {"text": "Late"'
    """
    labels = list(labels)
    faults = [
        Fault(row, "rater", f"must be the id of a user of Argilla (a UUID), not {shorten(one.rater)}")
        for row, one in enumerate(labels, start=1)
        if one.human is not None and not _is_uuid(one.rater)
    ]
    if faults:
        raise InvalidLabels(faults)
    seen: Counter[str] = Counter()
    return written_list(_record(task, seen) for task in grouped(labels))


def is_argilla(raw: bytes) -> bool:
    """Whether the first record of the file looks like one of Argilla.

    >>> is_argilla(b'[{"id": "1", "fields": {"text": "Late"}}]')
    True
    """
    return isinstance(first_object(raw).get("fields"), dict)


def _is_uuid(rater: str) -> bool:
    try:
        UUID(rater)
    except ValueError:
        return False
    return True


def _record(task: Task, seen: Counter[str]) -> dict[str, object]:
    # quoted and numbered, so that no two are alike: a second record of an id would overwrite the first
    name = f"{quote(task.facts.id, safe=' ')}:{quote(task.facts.axis, safe=' ')}"
    seen[name] += 1
    return {
        "id": f"{name}:{seen[name]}",
        "fields": {"text": task.facts.text},
        "metadata": {KEY: wrapped(facts_to_json(task))},
        "suggestions": {},  # stays empty: Argilla fills them in as the answer, and people would follow the model
        "responses": {QUESTION: [_response(answer, task) for answer in task.answers]} if task.answers else {},
        "vectors": {},
    }


def _response(answer: Answer, task: Task) -> dict[str, object]:
    value = [label for label in task.asked if label in answer.chosen] or [NOTHING]
    return {"value": value, "user_id": answer.rater, "status": "submitted"}


def _task(node: Node) -> Task:
    content = node.part("fields").member("text").read(text, "")
    facts, asked = read_facts(node.part("metadata").member(KEY), content)
    question = node.part("responses").first(QUESTION, facts.axis)
    if question.value is None:
        _note_other_questions(node.member("responses"))
    responses = question.objects() if question.value is not None else []
    answers = [
        Answer(one.member("user_id").read(text, ""), _chosen(one, asked)) for one in responses if _submitted(one, node)
    ]
    return Task(facts, asked, tuple(answers))


def _note_other_questions(responses: Node) -> None:
    names = ", ".join(shorten(name) for name, answers in responses.members() if answers.value)
    if names:
        responses.wrong(f"answers {names}: heed reads the question named {QUESTION!r} or as the axis")


def _submitted(response: Node, record: Node) -> bool:
    said = response.member("status")
    if said.value is None:
        return _completed(said, record.member("status"))
    if said.value not in ("submitted", "draft", "discarded"):
        said.wrong(f"must be submitted, draft or discarded, not {kind(said.value)}")
    return said.value == "submitted"


def _completed(response: Node, record: Node) -> bool:
    if record.value not in ("completed", "pending"):
        response.wrong(
            "is missing, and the record does not say whether it is completed: add 'submitted' to each answer"
        )
    return record.value == "completed"


def _chosen(response: Node, asked: dict[str, float]) -> frozenset[str]:
    value = response.member("value")
    choices = [value] if isinstance(value.value, str) else value.entries()  # a LabelQuestion answers with one label
    return read_choices(choices, asked) if asked else frozenset()
