"""labels.csv: what is read, and what every mistake is told."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.labels.csv_file import OPTIONAL, REQUIRED, read_csv, write_csv
from calibration.labels.label import InvalidLabels, Label

HEADER = "id,text,axis,label,probability,human"
ROW = "r-1,Late again,sentiment,negative,0.93,1"


def faults(text, encoding="utf-8"):
    with pytest.raises(InvalidLabels) as refused:
        read_csv(text.encode(encoding))
    return [(one.row, one.column, one.detail) for one in refused.value.faults]


def test_the_six_columns_are_enough_and_what_is_not_said_is_none():
    assert read_csv(f"{HEADER}\n{ROW}\n".encode()) == [
        Label("r-1", "Late again", "sentiment", "negative", 0.93, human=True)
    ]


@pytest.mark.parametrize(
    ("cell", "human"), [("1", True), ("0", False), ("", None), ("1.0", True), ("False", False), (" 0 ", False)]
)
def test_an_answer_is_yes_no_or_not_sure(cell, human):
    assert read_csv(f"{HEADER}\nr-1,Late,topic,delivery,0.5,{cell}".encode())[0].human is human


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_spreadsheets_write_is_read(delimiter, newline, mark):
    text = mark + newline.join([HEADER, ROW, "", ROW.replace("r-1", "r-2"), ""])

    labels = read_csv(text.replace(",", delimiter).encode())

    assert [one.id for one in labels] == ["r-1", "r-2"]


def test_columns_come_in_any_order_and_others_are_ignored():
    text = "Human,note,ID,text,axis,label,probability,blind,pool\n0,x,r-9,Fine,topic,price,0.1,1,audit\n"

    only = read_csv(text.encode())[0]

    assert (only.id, only.human, only.blind, only.pool) == ("r-9", False, True, "audit")


@pytest.mark.parametrize(
    ("row", "column", "detail"),
    [
        ("r-1,Late,topic,price,1.2,1", "probability", "must be a number from 0 to 1 such as 0.93, not '1.2'"),
        ("r-1,Late,topic,price,nan,1", "probability", "must be a number from 0 to 1 such as 0.93, not 'nan'"),
        ("r-1,Late,topic,price,,1", "probability", "must be a number from 0 to 1 such as 0.93, not ''"),
        ("r-1,Late,topic,price,0.5,yes", "human", "must be 1, 0 or empty, not 'yes'"),
        (",Late,topic,price,0.5,1", "id", "is empty"),
        ("r-1,Late,,price,0.5,1", "axis", "is empty"),
        ("r-1,Late,topic,price,0.5", "", "has 5 cells, the header has 6: put a text that holds a delimiter in double"),
        ("r-1,Late, twice,topic,price,0.5,1", "", "has 7 cells, the header has 6: put a text that holds a delimiter"),
    ],
)
def test_a_mistake_is_told_with_its_row_and_column(row, column, detail):
    ((at, where, what),) = faults(f"{HEADER}\n{ROW}\n{row}\n")

    assert (at, where) == (3, column)
    assert what.startswith(detail)


@pytest.mark.parametrize(
    ("name", "cell", "detail"),
    [
        ("pool", "random", "must be audit, targeted or empty, not 'random'"),
        ("blind", "2", "must be 1, 0 or empty, not '2'"),
        ("inclusion_probability", "0", "must be above 0 and at most 1, or empty, not '0'"),
        ("adjudicated", "x" * 100, f"must be 1, 0 or empty, not '{'x' * 39}…'"),
    ],
)
def test_optional_columns_are_checked_too(name, cell, detail):
    assert faults(f"{HEADER},{name}\n{ROW},{cell}") == [(2, name, detail)]


def test_every_mistake_of_a_file_is_listed_and_the_message_stays_readable():
    with pytest.raises(InvalidLabels) as refused:
        read_csv("\n".join([HEADER, *["r-1,Late,topic,price,2,3"] * 30]).encode())

    assert len(refused.value.faults) == 60
    assert str(refused.value).endswith("and 40 more")
    assert len(str(refused.value).splitlines()) == 21


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "row 1: the header lacks id, text, axis, label, probability, human"),
        (b"\x00\x01", "row 1: the header lacks"),
        (b"id,text\n1,2", "row 1: the header lacks axis, label, probability, human"),
        (f"{HEADER},human\n{ROW},1".encode(), "row 1: the column 'human' occurs twice"),
        (b"id,\x1b[2J,\x1b[2J\n", r"row 1: the column '\x1b[2j' occurs twice"),
        (HEADER.encode(), "file: holds a header and no labels"),
        (f"{HEADER}\nr-1,caf\xe9,topic,price,0.5,1".encode("latin-1"), "row 2: is not UTF-8: save the file as"),
        (f'{HEADER}\nr-1,"Late,topic,price,0.5,1'.encode(), "row 2: is no readable CSV"),
        (f"{HEADER}\nr-1,{'a' * 2_000_000},topic,price,0.5,1".encode(), "row 2: is no readable CSV"),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(raw, said):
    before = csv.field_size_limit()

    with pytest.raises(InvalidLabels) as refused:
        read_csv(raw)

    assert str(refused.value).startswith(said)
    assert csv.field_size_limit() == before


LABELS = st.builds(
    Label,
    id=st.text("abc-1", min_size=1, max_size=5),
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    axis=st.sampled_from(["topic", "sentiment"]),
    label=st.sampled_from(["price", "delivery, late", 'say "no"']),
    probability=st.floats(0, 1),
    human=st.sampled_from([True, False, None]),
    rater=st.sampled_from(["", "ana"]),
    pool=st.sampled_from(["audit", "targeted", None]),
    inclusion_probability=st.one_of(st.none(), st.floats(1e-6, 1)),
    blind=st.sampled_from([True, False, None]),
    adjudicated=st.booleans(),
    tiebreak=st.booleans(),
)


@given(st.lists(LABELS, min_size=1, max_size=5))
def test_what_is_written_is_read_again(labels):
    assert read_csv(write_csv(labels)) == labels


def test_every_field_of_a_label_is_a_column():
    assert set(REQUIRED) | set(OPTIONAL) == set(Label.__dataclass_fields__)
