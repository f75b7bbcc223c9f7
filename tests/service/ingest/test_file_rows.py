"""Rows come as they were written, numbered as people count them; a broken one does not take others with it."""

import csv
import tracemalloc
from io import StringIO
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ingest.file_layout import recognise
from service.ingest.file_rows import rows


@pytest.fixture
def read(tmp_path):
    def _read(content: bytes | str, name: str = "x.csv", after: int = 0):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return list(rows(path, recognise(path, name), after))

    return _read


def seen(found) -> list[tuple[int, str | None]]:
    """Number and first cell; None for a wrong row."""
    return [(row.number, None if row.wrong else next(iter(row.cells.values()))) for row in found]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("id,text\n1,x\n2,y\n", [(2, "1"), (3, "2")]),
        ("id,text\n1,x\n\n,\n2,y", [(2, "1"), (5, "2")]),
        ("\nid,text\n1,x\n", [(3, "1")]),
        ('id,text\n1,"two\nlines"\n2,y\n', [(2, "1"), (3, "2")]),
        ("id,text\n1\n2,y\n", [(2, "1"), (3, "2")]),
        ("id,text\n1,x,,\n2,y\n", [(2, "1"), (3, "2")]),
        ("id,text\n1,x,z\n2,y\n", [(2, None), (3, "2")]),
        ('id,text\n1,"said "hello" to me"\n2,y\n', [(2, None), (3, "2")]),
        ('id,text\n1,x\n2,"never closed\n3,y\n4,z\n', [(2, "1"), (3, None), (4, "3"), (5, "4")]),
        ('id,text\n1,"never closed\n2,"y"\n3,z\n', [(2, None), (3, "2"), (4, "3")]),
        ('id,text\n1,"one\nsays "hi" there\nend"\n2,y\n', [(2, None), (3, None), (4, None), (5, "2")]),
        ('id,text\n1,x\n2,"', [(2, "1"), (3, None)]),
        ("id,text\n1," + "x" * 1_000_000 + "\n2,y\n", [(2, None), (3, "2")]),
        ("id,text\n1," + "x" * 5_000_000 + "\n2,y\n", [(2, None), (3, "2")]),
        ("id,text\n" + "," * 1_000_000 + "\n2,y\n", [(2, None), (3, "2")]),
        ("id,text\n1,x\n2," + "x" * 3_000_000, [(2, "1"), (3, None)]),
    ],
)
def test_numbers_and_broken_rows(read, content, expected):
    assert seen(read(content)) == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("id,text\n1,x,y,z\n", "This row has 4 cells, but the header names 2: put quotes around"),
        ('id,text\n1,x\n\n2,"open\n', "The quote that opens in line 4 of the file is never closed: close it"),
        ('id,text\n1,"a "b" c"\n', "line 2 of the file closes before its cell ends: write a quote inside a cell twice"),
        ("id,text\n1," + "x" * 200_000 + "\n", "line 2 of the file is too long, or a quote that opens there"),
        ('id,text\n1,"\nfoo\n2,"y"\n', "seems to be the rest of a row with a broken quote"),
    ],
)
def test_a_wrong_row_says_where_and_what_to_do(read, content, says):
    assert any(says in row.wrong for row in read(content) if row.wrong)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"a": 1', "The line is not JSON: Expecting ',' delimiter, line 1 column 8."),
        ('{"a": NaN}', "NaN is not a JSON value: send a number or null."),
        ('{"a": 1, "a": 2}', "The key 'a' stands twice in one object: send it once."),
        ('{"a.b": 1, "a": {"b": 2}}', "The name `a.b` stands twice in this line: send it once."),
        ('{"a": "\\u0000"}', "The text holds a NUL character (\\u0000): remove it."),
        ('{"a": "\\ud800"}', "The text holds half of a surrogate pair"),
        ("[1]", "An object is needed here"),
        ("[" * 100_000, "The line is nested deeper than 64 levels: send it flatter."),
        ('{"a": ' * 70 + "1" + "}" * 70, "The line is nested deeper than 64 levels: send it flatter."),
        ('{"a": "' + "x" * 2_000_000 + '"}', "more than a million characters"),
    ],
)
def test_a_wrong_line_of_json_does_not_stop_the_next(read, line, says):
    first, wrong, last = read(f'\ufeff{{"a": "first"}}\n\n{line}\n{{"a": {{"b": [true, null, 2]}}}}\n', "x.ndjson")
    assert (first.number, first.cells, first.typed) == (1, {"a": "first"}, True)
    assert (wrong.number, wrong.cells) == (3, {})
    assert says in wrong.wrong
    assert (last.number, last.cells) == (4, {"a.b.0": True, "a.b.1": None, "a.b.2": 2})


def test_json_that_is_not_utf8_costs_its_own_line_only(read):
    assert seen(read(b'{"a": "x"}\n{"a": "caf\xe9"}\n{"a": "y"}\n')) == [(1, "x"), (2, None), (3, "y")]


HOSTILE = {
    "one line of one letter": b"id,text\n1," + b"x" * 30_000_000,
    "a quote never closed": b'id,text\n1,"' + b"x,y\n" * 7_500_000,
    "quotes that open again in every line": b"id,text\n" + b'a",,"b\n' * 1_000_000,
    "a line of JSON without end": b'{"a": 1}\n{"a": "' + b"x" * 30_000_000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_memory_stays_bounded(tmp_path, content):
    path = tmp_path / "x"
    path.write_bytes(content)
    layout = recognise(path, "x")
    tracemalloc.start()
    try:
        number = sum(1 for _ in islice(rows(path, layout), 6))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert number
    assert peak < 30_000_000


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TABLE = st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1))


@settings(deadline=None, max_examples=300)
@given(
    TABLE,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.integers(0, 10),
)
def test_what_csv_writes_is_read_back(tmp_path_factory, table, delimiter, encoding, end, quoting, after):
    header = [f"column {number} of this" for number, _ in enumerate(table[0])]
    if quoting == csv.QUOTE_MINIMAL:
        end = "\r\n"  # Python's writer leaves the other line ends in a cell without quotes
    out = StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(
        [header, ["x"] * len(header), *table]
    )
    path = tmp_path_factory.getbasetemp() / "round"
    path.write_bytes(out.getvalue().encode(encoding))
    layout = recognise(path, "round.csv")
    found = list(rows(path, layout))
    filled = [(number, cells) for number, cells in enumerate([["x"] * len(header), *table], 2) if any(cells)]
    assert [(row.number, row.wrong, list(row.cells.values())) for row in found] == [
        (n, None, cells) for n, cells in filled
    ]
    assert list(rows(path, layout, after)) == [row for row in found if row.number > after]
