"""JSON read strictly: what JSON leaves open, and what Python adds to it, is told with its task."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.labels.strict_json import first_object, is_json, parse, tasks, written_lines, written_list


def read(raw):
    faults = []
    values = [(node.row, node.value) for node in tasks(raw, faults)]
    return values, [(one.row, one.detail) for one in faults]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b'[{"a": 1}, {"a": NaN}, {"a": 2}]', [(2, "holds NaN, which is no number in JSON")]),
        (b'{"a": 1}\n{"a": -Infinity}', [(2, "holds -Infinity, which is no number in JSON")]),
        (b'[{"a": 1}, {"a": 1, "a": 2, "b": 0, "b": 0}]', [(2, "has the key 'a' twice"), (2, "has the key 'b' twice")]),
        (b'[{"a": 1e999}]', [(1, "holds the number '1e999', too large to read")]),
        (b'[{"a": ' + b"9" * 5000 + b"}]", [(1, f"holds the number '{'9' * 39}…', too large to read")]),
        (b'[{"a": 1}, 5, "x", [], null]', [(2, "must be an object, not 5"), (3, "must be an object, not 'x'")]),
        (b'[{"a": 1},\n {"a" 1}]', [(2, "is no readable JSON: Expecting ':' delimiter (line 2, character 7)")]),
        (b'[{"a": "tab\there"}]', [(1, "is no readable JSON: Invalid control character at (character 12)")]),
        (b'[{"a": 1}', [(1, "is no readable JSON: neither ',' nor ']' after it (character 10)")]),
        (b'[{"a": 1}] []', [(1, "is no readable JSON: more follows the list (character 12)")]),
        (b'[{"a": 1},]', [(2, "is no readable JSON: Expecting value (character 11)")]),
        (b'{"a": 1} {"a": 2}', [(1, "holds more after its end, from character 10 on")]),
    ],
)
def test_what_is_wrong_is_told_with_its_task(raw, told):
    assert read(raw)[1][: len(told)] == told


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lists_and_lines_are_read_alike(mark, ends):
    values = [{"a": "x\u2028y\x85z"}, {"b": [1.5, None, True]}]
    lines = mark + ends.join(json.dumps(one, ensure_ascii=False) for one in values) + ends + ends
    spaced = mark + json.dumps(values, ensure_ascii=False, indent=2).replace("\n", ends)

    assert read(lines.encode()) == read(spaced.encode()) == ([(1, values[0]), (2, values[1])], [])


def test_the_rows_of_lines_are_those_of_an_editor():
    assert read(b'{"a": 1}\n\n{"a": 2}')[0] == [(1, {"a": 1}), (3, {"a": 2})]


@given(
    st.lists(
        st.dictionaries(st.text(max_size=3), st.one_of(st.text(), st.floats(allow_nan=False, allow_infinity=False)))
    )
)
def test_what_is_written_is_read_again_and_is_ascii(values):
    for raw in (written_list(values), written_lines(values)):
        assert read(raw) == (list(enumerate(values, start=1)), [])
        assert raw.isascii()


@given(st.binary())
def test_any_bytes_can_be_looked_at(raw):
    assert isinstance(first_object(raw), dict)
    assert isinstance(is_json(raw), bool)


def test_a_word_that_holds_more_than_one_value_is_refused():
    assert parse("{} {}") == (None, ["holds more after its end, from character 4 on"])
