"""Argilla: what its exports say, what its import takes, and what every mistake is told."""

import json
from uuid import UUID

import pytest

from calibration.labels.argilla import is_argilla, read_argilla, write_argilla
from calibration.labels.label import InvalidLabels, Label

ANA = "11111111-1111-4111-8111-111111111111"
BO = "22222222-2222-4222-8222-222222222222"
HEED = {"id": "r-1", "axis": "topic", "probabilities": {"price": 0.93, "delivery": 0.2}, "blind": True}


def record(*responses, **other):
    """As `Record.to_dict` of the SDK 2.8 gives one: `to_json` writes a list of them."""
    return {
        "id": "r-1:topic:1",
        "fields": {"text": "Twelve euros for a spoon?"},
        "metadata": {"heed": HEED},
        "suggestions": {},
        "responses": {"labels": list(responses)} if responses else {},
        "vectors": {},
        "status": "completed",
        "_server_id": "33333333-3333-4333-8333-333333333333",
    } | other


def response(*value, user=ANA, **other):
    return {"value": list(value), "user_id": user} | other


def read(*records):
    return read_argilla(json.dumps(records).encode())


def answers(*records):
    return [(one.rater, one.label, one.human) for one in read(*records)]


def faults(*records):
    with pytest.raises(InvalidLabels) as refused:
        read(*records)
    return [(one.row, one.column, one.detail) for one in refused.value.faults]


def test_an_export_gives_a_row_per_user_and_label():
    labels = read(record(response("price"), response("none of these", user=BO)))

    assert labels[0] == Label("r-1", "Twelve euros for a spoon?", "topic", "price", 0.93, True, rater=ANA, blind=True)
    assert [(one.rater, one.label, one.human) for one in labels] == [
        (ANA, "price", True),
        (ANA, "delivery", False),
        (BO, "price", False),
        (BO, "delivery", False),
    ]


def test_only_submitted_responses_answer():
    given = [
        response("price", status="submitted"),
        response("price", user=BO, status="draft"),
        response("price", user=BO, status="discarded"),
    ]

    assert {one.rater for one in read(record(*given, status="pending"))} == {ANA}


def test_where_responses_do_not_say_so_the_record_does():
    pending = record(response("delivery", user=BO), status="pending")

    assert {one.rater for one in read(record(response("price")), pending)} == {ANA}


def test_where_neither_says_so_nothing_is_guessed():
    """SDK 2.0 writes neither."""
    told = faults(record(response("price"), status=None))

    assert told == [
        (
            1,
            "responses.labels[0].status",
            "is missing, and the record does not say whether it is completed: add 'submitted' to each answer",
        )
    ]


def test_a_question_of_one_label_and_one_named_as_the_axis_are_read():
    one = {"topic": [{"value": "delivery", "user_id": ANA}]}

    assert answers(record(responses=one)) == [(ANA, "price", False), (ANA, "delivery", True)]


@pytest.mark.parametrize(
    ("broken", "column", "detail"),
    [
        (record(metadata={}), "metadata.heed", "is missing, and with it the model's probabilities"),
        (record(metadata={"heed": "hello"}), "metadata.heed", "is not as heed wrote it: write the tasks with heed"),
        (record(metadata={"heed": "W10="}), "metadata.heed", "must be an object, not a list"),
        (record(metadata={"heed": "W1sx"}), "metadata.heed", "is no readable JSON"),
        (record(fields={}), "fields.text", "must be a text, not missing"),
        (record(responses=[]), "responses", "must be an object, not a list"),
        (record(responses={"labels": {}}), "responses.labels", "must be a list, not an object"),
        (record(responses={"mood": [response("price")]}), "responses", "answers 'mood': heed reads the question"),
        (record(response("price", status="done")), "responses.labels[0].status", "must be submitted, draft or"),
        (record(response("price", user=None)), "responses.labels[0].user_id", "must be a text, not missing"),
        (record(response(value=4)), "responses.labels[0].value", "must be a list, not 4"),
        (record(response("refund")), "responses.labels[0].value[0]", "chooses 'refund', which this task does not ask"),
    ],
)
def test_a_mistake_is_told_with_its_record_and_field(broken, column, detail):
    told = faults(record(response("price")), broken)

    assert (told[0][0], told[0][1], told[0][2].startswith(detail)) == (2, column, True)


def test_a_written_record_is_one_that_the_import_takes():
    """`Record.from_dict`: ids that differ, no empty answer (the server refuses one), a status (else it is a draft)."""
    labels = [
        Label("r-1", "Late", "topic", "delivery", p, human, rater=ANA) for p, human in [(0.9, False), (0.8, None)]
    ]

    answered, unanswered = json.loads(write_argilla(labels))

    assert answered["responses"] == {"labels": [{"value": ["none of these"], "user_id": ANA, "status": "submitted"}]}
    assert unanswered["responses"] == {}
    assert (answered["id"], unanswered["id"]) == ("r-1:topic:1", "r-1:topic:2")
    assert UUID(answered["responses"]["labels"][0]["user_id"])


def test_the_model_s_answer_is_nowhere_that_labellers_look():
    raw = write_argilla([Label("r-1", "Late", "topic", "delivery", 0.987654, None)])

    assert json.loads(raw)[0]["suggestions"] == {}
    assert b"0.98" not in raw


def test_a_rater_whom_argilla_cannot_know_is_refused():
    labels = [Label("r-1", "Late", "topic", "delivery", 0.9, human, rater="ana") for human in (None, True)]

    with pytest.raises(InvalidLabels, match=r"row 2, column rater: must be the id of a user of Argilla .*not 'ana'"):
        write_argilla(labels)


def test_it_is_recognised_by_its_fields():
    assert is_argilla(json.dumps([record()]).encode())
    assert not is_argilla(b'[{"data": {"text": "Late"}}]')
