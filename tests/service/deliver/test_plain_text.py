import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deliver.plain_text import excerpt, one_line, visible

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain żółć 日本 😀", "plain żółć 日本 😀"),
        ("a\u202eb", "a⟦RLO⟧b"),
        ("a\u200bb\ufeff", "a⟦ZWSP⟧b⟦BOM⟧"),
        ("\x1b[31mred\x07", "⟦U+001B⟧[31mred⟦U+0007⟧"),
        ("one\r\ntwo\tthree", "one\ntwo\tthree"),
        ("👩\u200d🔧 می\u200cخواهم", "👩\u200d🔧 می\u200cخواهم"),
        ("\ud800", "⟦U+D800⟧"),
        ("\U000e0041", "⟦U+E0041⟧"),
    ],
    ids=ascii,
)
def test_what_is_hidden_becomes_visible(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("  two\n\n lines\t", 20, "two lines"),
        ("exactly ten", 11, "exactly ten"),
        ("cut at a word boundary", 15, "cut at a word…"),
        ("Donaudampfschifffahrt", 10, "Donaudamp…"),
        ("", 10, ""),
        ("\u2028\x0b", 10, "⟦U+2028⟧⟦…"),
    ],
    ids=ascii,
)
def test_one_line(text, limit, line):
    assert one_line(text, limit) == line


@given(st.text(), st.integers(1, 200))
def test_one_line_is_one_short_visible_line(text, limit):
    line = one_line(text, limit)
    assert len(line) <= limit
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in line)
    assert one_line(line, limit) == line


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"queue is closed", "queue is closed"),
        (b"no user with pass-word, sorry", "no user with [redacted], sorry"),
        (b'{"error":\n  "no such\tfield"}', '{"error": "no such field"}'),
        (f"bad signature for {SECRET}!".encode(), "bad signature for [redacted]!"),
        (b"Authorization: Bearer abc.def-1 refused", "Authorization: [redacted] refused"),
        (b"token eyJhbGciOi.J9.x-y failed", "token [redacted] failed"),
        (b"key 0123456789abcdef0123456789abcdef", "key [redacted]"),
        (b"request 0198c0de-0000-7000-8000-000000000001 failed", "request 0198c0de-0000-7000-8000-000000000001 failed"),
        (b"no user ana.b@example.com here", "no user [address] here"),
        (b"\xff\xfe\x00", "\ufffd\ufffd⟦U+0000⟧"),
        (b"", ""),
    ],
)
def test_an_excerpt_holds_no_secret(body, said):
    assert excerpt(body, [SECRET, "pass-word"]) == said


def test_an_excerpt_is_short_even_of_hostile_text():
    for body in (b"a " * 30_000, b"a@" * 30_000, b"@" * 60_000, b"." * 60_000, b"bearer " * 9_000):
        assert len(excerpt(body, [SECRET])) <= 300
