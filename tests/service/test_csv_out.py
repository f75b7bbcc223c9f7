"""What a customer typed is text in a spreadsheet program, whatever it looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.csv_out import cell

STARTS = "=+-@\t\r\n\0＝＋－＠"


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\ufeff", "\u200b ", "\u3000"])
def test_a_formula_stands_behind_an_apostrophe(start, before):
    typed = f"{before}{start}HYPERLINK(1)"
    assert cell(typed) == f"'{typed}"


@pytest.mark.parametrize("text", ["", "Late.", "-3", "-3.5", "-0,5", "3-4", "a=b", "5 - 3", "Ünïcödé", " Late."])
def test_plain_words_and_negative_numbers_stay(text):
    assert cell(text) == text


@pytest.mark.parametrize("text", ["-3+1", "--3", "-3 ", "-cmd", "-", "-1e5", "-٣.(1)"])
def test_what_only_begins_like_a_number_does_not_stay(text):
    assert cell(text) == f"'{text}"


@given(st.text())
def test_no_cell_begins_like_a_formula(text):
    made = cell(text)
    assert made in {text, f"'{text}"}
    assert made == text or made[0] == "'"
    if made == text and text[:1] and text.lstrip()[:1] in set(STARTS):
        assert text[1:].replace(".", "", 1).replace(",", "", 1).isdigit()
