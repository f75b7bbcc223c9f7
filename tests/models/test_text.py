from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.characters import normalise
from models.text import declared, detect, stem, tokenise


@given(st.text(st.characters(codec=None)))
def test_normalising_moves_no_offset(text):
    assert len(normalise(text)) == len(text)
    normalise(text).encode()


@given(st.text(st.characters(codec=None)) | st.text("\uff40\uff07\u2018`'\u2028\ufeff"))
def test_normalising_twice_changes_nothing_more(text):
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(st.characters(codec=None)))
def test_tokens_lie_inside_the_text_in_order(text):
    tokens = tokenise(normalise(text))
    assert all(0 <= token.start < token.end <= len(text) for token in tokens)
    assert all(a.start < b.start or (a.start, a.end) == (b.start, b.end) for a, b in pairwise(tokens))
    assert all(token.form and token.stem for token in tokens)


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("I can’t log-in!!!", ["i", "can", "not", "log", "in", "!"]),
        ("dont, won't: it's", ["do", "not", ",", "will", "not", ":", "it"]),
        ("Soooo goood :-) 😡", ["soo", "good", ":-)", "😡"]),
        ("Dr. Lee came at 10:30. Late?!", ["dr.", "lee", "came", "at", "10:30", ".", "late", "?"]),
        ("<p>See https://example.com/a?b=1 &amp; @shop</p>", ["see"]),
        ("ter\u200brible cafe\u0301", ["terrible", "café"]),
        ("one\nline\n\nTwo", ["one", "line", "\n", "two"]),
        ("ＢＡＤ 2fa 0/10", ["bad", "2fa", "0/10"]),
        ("___***###", []),
    ],
)
def test_tokens(text, forms):
    assert [token.form for token in tokenise(normalise(text))] == forms


def test_a_contraction_makes_two_tokens_over_the_same_words():
    can, negation = tokenise("can't")
    assert (can.start, can.end) == (negation.start, negation.end) == (0, 5)


@pytest.mark.parametrize(
    "family",
    [
        ("parcel", "parcels"),
        ("arrive", "arrives", "arrived", "arriving"),
        ("delivery", "deliveries"),
        ("cancel", "cancels", "cancelled", "cancelling"),
        ("bill", "bills", "billed", "billing"),
        ("crash", "crashes", "crashed", "crashing"),
        ("charge", "charges", "charged", "charging"),
        ("queue", "queues", "queued"),
        ("process", "processes", "processed"),
        ("fix", "fixes", "fixed", "fixing"),
    ],
)
def test_forms_of_a_word_meet_in_one_stem(family):
    assert len({stem(word) for word in family}) == 1


@pytest.mark.parametrize(("one", "other"), [("car", "care"), ("price", "prize"), ("bus", "but"), ("staff", "stay")])
def test_other_words_do_not(one, other):
    assert stem(one) != stem(other)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The driver left it in the rain and nobody called.", "en"),
        ("omg sooo gd luv it but teh app is kinda slow tbh", "en"),
        ("Rude staff", "en"),
        ("La comida estaba fría y el camarero fue muy antipático.", "es"),
        ("Die Lieferung kam zwei Wochen zu spät und war kaputt.", "de"),
        ("La livraison était en retard et le livreur désagréable.", "fr"),
        ("Il corriere era scortese e il pacco è arrivato rotto.", "it"),
        ("Przesyłka przyszła zepsuta i bardzo późno.", "pl"),
        ("Доставка опоздала на неделю.", "ru"),
        ("التوصيل متأخر جدا", "ar"),
        ("12345 !!", "und"),
        ("", "und"),
    ],
)
def test_language(text, code):
    assert detect(text, tokenise(text)).code in {code, "und"}
    if len(text) > 20:
        assert detect(text, tokenise(text)).code == code


@pytest.mark.parametrize("text", ["Super!", "Meh", "Legroom", "Wifi", "Parking", "Nurse Anna", "Dr Lee"])
def test_a_short_english_text_is_not_called_foreign(text):
    assert detect(text, tokenise(text)).code in {"en", "und"}


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("fr-CA", "fr"),
        ("EN", "en"),
        ("eng", "en"),
        ("zh_Hant", "zh"),
        ("und", None),
        ("", None),
        (None, None),
        ("12", None),
    ],
)
def test_declared_language(tag, code):
    language = declared(tag)
    assert (language.code if language else None) == code
