"""What a tool keeps for us: every fact checked, and each mistake told with its place."""

import pytest

from calibration.labels.facts import facts_to_json, read_facts, wrapped
from calibration.labels.label import Label
from calibration.labels.node import Node
from calibration.labels.task import Task

WHOLE = {
    "id": "r-1",
    "axis": "topic",
    "probabilities": {"price": 1, "delivery": 0.2},
    "pool": "audit",
    "inclusion_probability": 0.25,
    "blind": False,
    "source": "survey",
    "language": "de",
    "adjudicated": True,
    "tiebreak": True,
}


def read(facts):
    faults = []
    return read_facts(Node(facts, 4, "meta.heed", faults), "Late"), [(one.column, one.detail) for one in faults]


def test_every_field_of_a_label_but_the_answer_is_kept():
    (facts, asked), faults = read(WHOLE)

    assert not faults
    assert facts_to_json(Task(facts, asked, ())) == WHOLE
    assert set(WHOLE) | {"text", "label", "probability", "human", "rater"} == set(Label.__dataclass_fields__) | {
        "probabilities"
    }


def test_wrapped_facts_are_the_same_facts():
    assert read(wrapped(WHOLE)) == read(WHOLE)


@pytest.mark.parametrize(
    ("change", "column", "detail"),
    [
        ({"id": 7}, "id", "must be a text, not 7"),
        ({"id": ""}, "id", "is empty"),
        ({"axis": None}, "axis", "must be a text, not missing"),
        ({"axis": "\ud800"}, "axis", "holds half a character (a lone surrogate)"),
        ({"probabilities": None}, "probabilities", "must give each label asked about its probability"),
        ({"probabilities": {}}, "probabilities", "must give each label asked about its probability"),
        ({"probabilities": [0.9]}, "probabilities", "must give each label asked about its probability"),
        ({"probabilities": {"price": "0.9"}}, "probabilities.price", "must be a number from 0 to 1 such as 0.93, not"),
        ({"probabilities": {"price": True}}, "probabilities.price", "must be a number from 0 to 1 such as 0.93, not"),
        ({"probabilities": {"price": 1.01}}, "probabilities.price", "must be a number from 0 to 1 such as 0.93, not"),
        ({"probabilities": {"none of these": 0.1}}, "probabilities", "asks about 'none of these': no label may be"),
        ({"probabilities": {"\ud800": 0.1}}, "probabilities", r"asks about '\ud800': no label may be"),
        ({"pool": "random"}, "pool", "must be audit, targeted or left out, not 'random'"),
        ({"pool": ["audit"]}, "pool", "must be audit, targeted or left out, not a list"),
        ({"inclusion_probability": 0}, "inclusion_probability", "must be above 0 and at most 1, or left out, not 0"),
        ({"inclusion_probability": "1"}, "inclusion_probability", "must be above 0 and at most 1, or left out"),
        ({"blind": 1}, "blind", "must be true, false or left out, not 1"),
        ({"adjudicated": "yes"}, "adjudicated", "must be true, false or left out, not 'yes'"),
        ({"source": 3}, "source", "must be a text, not 3"),
        ({"language": {}}, "language", "must be a text, not an object"),
    ],
)
def test_a_mistake_is_told_with_its_place(change, column, detail):
    ((where, what),) = read(WHOLE | change)[1]

    assert where == f"meta.heed.{column}"
    assert what.startswith(detail)


def test_a_label_s_name_does_not_flood_the_message():
    ((where, _),) = read(WHOLE | {"probabilities": {"\u202e" + "x" * 100_000: 2}})[1]

    assert len(where) < 100
    assert "\u202e" not in where


def test_a_key_twice_inside_the_wrapped_word_is_told():
    assert read("eyJpZCI6ICJhIiwgImlkIjogImEifQ==")[1][0] == ("meta.heed", "has the key 'id' twice")
