"""Strict JSON agrees with the standard library wherever both may answer, and refuses the rest."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ingest.strict_json import MAX_DEPTH, NotJson, NotText, escape, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**300), 2**300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@settings(deadline=None)
@given(VALUE, st.booleans())
def test_reads_what_json_writes(value, ascii_only):
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    with suppress(NotJson, NotText):
        assert parse(raw) == json.loads(raw)


@settings(deadline=None)
@given(
    VALUE, st.sampled_from(["NaN", "Infinity", "-Infinity", "1e999", '"\\u0000"', '"\\udc00"', '{"a":1,"a":1}', '"\1"'])
)
def test_one_bad_part_spoils_the_whole(value, bad):
    raw = json.dumps({"good": value, "list": [value, "HERE"]}).replace('"HERE"', bad)
    with pytest.raises((NotJson, NotText)):
        parse(raw.encode())


@settings(deadline=None)
@given(st.lists(TEXT | st.integers(0, 9), max_size=5), st.sampled_from(["\0", "\ud800", "\udfff"]))
def test_the_pointer_leads_to_the_bad_text(steps, bad):
    value: object = f"x{bad}"
    for step in reversed(steps):
        value = [0] * step + [value] if isinstance(step, int) else {step: value}
    with pytest.raises(NotText) as refused:
        parse(json.dumps(value).encode())
    assert refused.value.pointer == "".join(f"/{escape(step)}" for step in steps)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_the_depth_is_counted_in_arrays_and_objects(opening):
    def nested(times: int) -> bytes:
        closing = opening.replace('"a":', "").translate(str.maketrans("[{", "]}"))[::-1]
        return (opening * times + "1" + closing * times).encode()

    each = opening.count("[") + opening.count("{")
    assert parse(nested(MAX_DEPTH // each))
    with pytest.raises(NotJson, match="deeper than 64"):
        parse(nested(MAX_DEPTH // each + 1))


def test_numbers_of_a_hundred_digits_are_exact_and_longer_ones_refused():
    assert parse(b"9" * 100) == int("9" * 100)
    with pytest.raises(NotJson, match="101 digits"):
        parse(b"9" * 101)
