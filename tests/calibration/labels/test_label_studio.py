"""Label Studio: what its exports say, what its import takes, and what every mistake is told."""

import json

import pytest

from calibration.labels.label import InvalidLabels, Label
from calibration.labels.label_studio import is_label_studio, read_label_studio, write_label_studio

HEED = {"id": "r-1", "axis": "topic", "probabilities": {"price": 0.93, "delivery": 0.2}, "blind": True}


def result(*choices, **other):
    """As the export of version 1 writes one: https://labelstud.io/guide/task_format."""
    known = {"id": "Dx_aB91ISN", "from_name": "labels", "to_name": "text", "type": "choices", "origin": "manual"}
    return known | {"value": {"choices": list(choices)}} | other


def annotation(*results, **other):
    return {
        "id": 1001,
        "completed_by": 10,
        "result": list(results),
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2026-11-09T21:52:49.513742Z",
        "updated_at": "2026-11-09T21:52:49.513742Z",
        "draft_created_at": None,
        "lead_time": 4.288,
        "prediction": {},
        "result_count": 0,
        "unique_id": "1cf1bd0a-6d0a-4b2f-a0a0-aaaaaaaaaaaa",
        "import_id": None,
        "last_action": None,
        "task": 1,
        "project": 83,
        "updated_by": 10,
        "parent_prediction": None,
        "parent_annotation": None,
        "last_created_by": None,
    } | other


def task(*annotations, **other):
    return {
        "id": 1,
        "annotations": list(annotations),
        "file_upload": "a1b2-tasks.json",
        "drafts": [],
        "predictions": [],
        "data": {"text": "Twelve euros for a spoon?"},
        "meta": {"heed": HEED},
        "created_at": "2026-11-09T21:40:00.000000Z",
        "updated_at": "2026-11-09T21:52:49.600000Z",
        "inner_id": 1,
        "total_annotations": len(annotations),
        "cancelled_annotations": 0,
        "total_predictions": 0,
        "comment_count": 0,
        "unresolved_comment_count": 0,
        "last_comment_updated_at": None,
        "project": 83,
        "updated_by": 10,
        "comment_authors": [],
    } | other


def read(*tasks):
    return read_label_studio(json.dumps(tasks).encode())


def answers(*tasks):
    return [(one.rater, one.label, one.human) for one in read(*tasks)]


def faults(*tasks):
    with pytest.raises(InvalidLabels) as refused:
        read(*tasks)
    return [(one.row, one.column, one.detail) for one in refused.value.faults]


def test_an_export_gives_a_row_per_annotator_and_label():
    labels = read(task(annotation(result("price")), annotation(result("price", "delivery"), completed_by=11)))

    assert labels[0] == Label("r-1", "Twelve euros for a spoon?", "topic", "price", 0.93, True, rater="10", blind=True)
    assert [(one.rater, one.label, one.human) for one in labels] == [
        ("10", "price", True),
        ("10", "delivery", False),
        ("11", "price", True),
        ("11", "delivery", True),
    ]


@pytest.mark.parametrize(
    ("by", "rater"),
    [
        (10, "10"),
        ("ana@example.org", "ana@example.org"),
        ({"id": 10, "email": "ana@example.org", "first_name": "Ana", "last_name": ""}, "ana@example.org"),
        ({"id": 10}, "10"),
        (None, ""),
    ],
)
def test_the_annotator_is_named_in_each_of_the_exports_ways(by, rater):
    assert read(task(annotation(result("price"), completed_by=by)))[0].rater == rater


@pytest.mark.parametrize("results", [[], [result("none of these")]])
def test_a_submitted_annotation_without_a_label_says_no_to_all(results):
    assert answers(task(annotation(*results))) == [("10", "price", False), ("10", "delivery", False)]


def test_skipped_annotations_drafts_and_predictions_answer_nothing():
    skipped = annotation(was_cancelled=True, completed_by=11)
    draft = {"result": [result("delivery")], "user": "bo@example.org"}
    model = {"model_version": "m-1", "score": 0.9, "result": [result("delivery")]}

    assert answers(task(annotation(result("price")), skipped, drafts=[draft], predictions=[model])) == [
        ("10", "price", True),
        ("10", "delivery", False),
    ]


def test_a_comment_beside_the_answer_is_no_answer():
    comment = result(type="textarea", from_name="why", value={"text": ["so dear"]})

    assert answers(task(annotation(comment, result("price"))))[0] == ("10", "price", True)


def test_facts_are_read_from_the_data_too():
    assert read(task(annotation(result("price")), meta={}, data={"text": "Dear", "heed": HEED}))[0].text == "Dear"


@pytest.mark.parametrize(
    ("broken", "column", "detail"),
    [
        (task(meta={}), "meta.heed", "is missing, and with it the model's probabilities: write the tasks with heed"),
        (task(meta=None), "meta.heed", "is missing"),
        (task(meta=[]), "meta", "must be an object, not a list"),
        (task(data={"heed": HEED}), "data.text", "must be a text, not missing"),
        (task(data={"text": 7}), "data.text", "must be a text, not 7"),
        (task(annotations={}), "annotations", "must be a list, not an object"),
        (task(5), "annotations[0]", "must be an object, not 5"),
        (task(annotation(was_cancelled="no")), "annotations[0].was_cancelled", "must be true or false, not 'no'"),
        (task(annotation(result=None)), "annotations[0].result", "must be a list, not missing"),
        (task(annotation(completed_by=True)), "annotations[0].completed_by", "must be a text, not true"),
        (
            task(annotation(result("price"), annotation(result("refund"))["result"][0])),
            "annotations[0].result[1].value.choices[0]",
            "chooses 'refund', which this task does not ask about",
        ),
        (
            task(annotation(result("price", "none of these"))),
            "annotations[0].result[0].value.choices[1]",
            "chooses 'none of these' and a label as well",
        ),
        (
            task(annotation(result(type="taxonomy", value={"taxonomy": [["price"]]}))),
            "annotations[0].result[0].type",
            "is 'taxonomy': heed reads answers of the type 'choices'",
        ),
        (task(annotation(result(value=3))), "annotations[0].result[0].value", "must be an object, not 3"),
        (task(annotation(result(3))), "annotations[0].result[0].value.choices[0]", "must be a text, not 3"),
        (
            {"text": "Dear", "labels": {"choices": ["price"]}, "annotation_id": 3, "annotator": 1, "id": 1},
            "data",
            "is missing: export as JSON, not as JSON-MIN",
        ),
    ],
)
def test_a_mistake_is_told_with_its_task_and_field(broken, column, detail):
    told = faults(task(annotation(result("price"))), broken)

    assert [(row, where) for row, where, _ in told if where == column] == [(2, column)]
    assert next(what for _, where, what in told if where == column).startswith(detail)


def test_a_written_task_is_one_that_the_import_takes():
    """Its validation: `data` with what the configuration names, `result` a list, `completed_by` a known member."""
    asked = [Label("r-1", "Late", "topic", name, 0.5, None) for name in ("price", "delivery")]
    given = [Label("r-2", "Dear", "topic", "price", 0.9, True, rater=rater) for rater in ("7", "bo@example.org", "")]

    unanswered, answered = json.loads(write_label_studio(asked + given))

    assert unanswered["data"] == {"text": "Late"}
    assert unanswered["annotations"] == []
    assert [one.get("completed_by") for one in answered["annotations"]] == [7, {"email": "bo@example.org"}, None]
    assert [one["ground_truth"] for one in answered["annotations"]] == [False] * 3
    assert answered["annotations"][0]["result"][0]["value"] == {"choices": ["price"]}


def test_the_model_s_answer_is_nowhere_that_labellers_look():
    (only,) = json.loads(write_label_studio([Label("r-1", "Late", "topic", "delivery", 0.987654, None)]))

    assert set(only) == {"data", "meta", "annotations"}
    assert only["data"] == {"text": "Late"}


def test_it_is_recognised_by_its_data():
    assert is_label_studio(json.dumps([task()]).encode())
    assert not is_label_studio(b'[{"text": "Late"}]')
