"""doccano: what its exports say, what its import takes, and what every mistake is told."""

import json

import pytest

from calibration.labels.doccano import is_doccano, read_doccano, write_doccano
from calibration.labels.label import InvalidLabels, Label

HEED = {"id": "r-1", "axis": "topic", "probabilities": {"price": 0.93, "delivery": 0.2}, "blind": True}


def line(*labels, **other):
    """As the JSONL export of 1.8 writes one: number, text, what was imported beside it, labels and comments."""
    known = {"id": 17, "text": "Twelve euros for a spoon?", "heed": HEED}
    return known | {"label": list(labels), "Comments": []} | other


def read(*lines, rater=""):
    return read_doccano("".join(json.dumps(one) + "\n" for one in lines).encode(), rater=rater)


def faults(*lines):
    with pytest.raises(InvalidLabels) as refused:
        read(*lines)
    return [(one.row, one.column, one.detail) for one in refused.value.faults]


def test_an_export_gives_a_row_per_label_asked_about():
    assert (
        read(line("price"), rater="ana")
        == [
            Label("r-1", "Twelve euros for a spoon?", "topic", "delivery", 0.2, False, rater="ana", blind=True),
            Label("r-1", "Twelve euros for a spoon?", "topic", "price", 0.93, True, rater="ana", blind=True),
        ][::-1]
    )


def test_none_of_these_says_no_to_all_and_an_empty_list_says_nothing():
    """doccano exports what nobody has looked at with an empty list too."""
    labels = read(line("none of these"), line())

    assert [(one.label, one.human) for one in labels] == [("price", False), ("delivery", False)]


def test_the_annotator_of_a_line_comes_before_the_file_s():
    assert {one.rater for one in read(line("price", annotator="bo"), line("price", annotator=None), rater="ana")} == {
        "ana",
        "bo",
    }


@pytest.mark.parametrize(
    "older",
    [
        {"id": 1, "text": "Late", "meta": {"heed": HEED}, "annotation_approver": None, "labels": ["price"]},
        {"id": 1, "data": "Late", "heed": HEED, "label": ["price"]},
        {"text": "Late", "heed": HEED, "label": "price"},
    ],
)
def test_older_exports_and_files_made_for_import_are_read(older):
    assert [(one.text, one.label, one.human) for one in read(older)] == [
        ("Late", "price", True),
        ("Late", "delivery", False),
    ]


@pytest.mark.parametrize(
    ("broken", "column", "detail"),
    [
        (line("price", heed=None), "heed", "is missing, and with it the model's probabilities"),
        (line("price", text=None), "text", "must be a text, not missing"),
        (line(label={"price": 1}), "label", "must be a list, not an object"),
        (line([0, 6, "price"]), "label[0]", "must be a text, not a list"),
        (line("refund"), "label[0]", "chooses 'refund', which this task does not ask about"),
        (line("price", annotator=7), "annotator", "must be a text, not 7"),
        (
            {"text": "Late", "heed": HEED, "annotations": [{"label": 2, "user": 1}]},
            "annotations",
            "names labels by their number: export as JSONL with the labels' text",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_field(broken, column, detail):
    told = faults(line("price"), broken)

    assert (told[0][0], told[0][1], told[0][2].startswith(detail)) == (2, column, True)


def test_a_broken_line_does_not_hide_the_mistakes_of_the_others():
    raw = b'{"text": "Late",\n\n' + json.dumps(line("refund")).encode()

    with pytest.raises(InvalidLabels) as refused:
        read_doccano(raw)

    assert [one.row for one in refused.value.faults] == [1, 3]


def test_a_written_line_is_one_that_the_import_takes():
    """Text under `text`, a list under `label`, the rest becomes metadata; a line per rater."""
    labels = [Label("r-1", "Late", "topic", "delivery", 0.9, human, rater="ana") for human in (True, None)]
    labels.append(Label("r-1", "Late", "topic", "delivery", 0.9, False))

    lines = [json.loads(one) for one in write_doccano(labels).splitlines()]

    assert [(one["text"], one["label"], one.get("annotator")) for one in lines] == [
        ("Late", ["delivery"], "ana"),
        ("Late", ["none of these"], None),
    ]


def test_the_model_s_answer_is_nowhere_that_labellers_look():
    raw = write_doccano([Label("r-1", "Late", "topic", "delivery", 0.987654, None)])

    assert json.loads(raw)["label"] == []
    assert b"0.98" not in raw
    assert b"delivery" not in raw


def test_it_is_recognised_by_its_text():
    assert is_doccano(json.dumps(line()).encode())
    assert not is_doccano(b'{"data": {"text": "Late"}}')
