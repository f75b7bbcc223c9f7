from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.encoder.own_words import own_words

LINES = [
    "I never got my refund.",
    "> We are sorry",
    "On Tue, 3 Mar 2026 at 10:14, Support <help@example.com> wrote:",
    "-----Original Message-----",
    "Best regards,",
    "Anna Kowalska",
    "Sent from my iPhone",
    "--",
    "",
]


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Still broken.", ["Still broken."]),
        ("  Still\n\nbroken. ", ["Still\n\nbroken."]),
        ("", []),
        ("> Hello\n> there", []),
        ("> Hello\n> there\nThis is wrong.", ["This is wrong."]),
        ("First.\n> Hello\nSecond.\n> Bye\n\nThird.", ["First.", "Second.", "Third."]),
        ("> 3 hours on hold", ["> 3 hours on hold"]),
        ("No.\n\nOn Tue, 3 Mar 2026 at 10:14, Support <a@example.com> wrote:\n> Fixed!\n> Bye", ["No."]),
        ("On Tue, 3 Mar 2026, Support\nwrote:\n> Fixed!\nIt is not.", ["It is not."]),
        ("No.\nOn Tue, 3 Mar 2026 Support wrote:\nYour parcel is on its way.", ["No."]),
        ("On Monday I wrote: nobody answered.", ["On Monday I wrote: nobody answered."]),
        ("No.\n----- Original Message -----\nFrom: Help\nAll is well.", ["No."]),
        ("No.\n\nFrom: Help\nSent: Monday\nTo: Me\nSubject: Re: 17\n\nAll is well.", ["No."]),
        ("From: the start it was slow", ["From: the start it was slow"]),
        ("Best regards,\nAnna Kowalska\nHead of Operations\n+48 22 555 01 01", []),
        ("Best regards, Anna Kowalska, Head of Operations", []),
        ("Kind regards", []),
        ("It crashes.\n\nKind regards\nAnna\nSent from my iPhone", ["It crashes."]),
        ("It crashes. Best regards, Anna Kowalska", ["It crashes."]),
        ("Still no refund!\n-- \nAnna Kowalska\nACME Ltd", ["Still no refund!"]),
        ("Slow.\nSent from my iPhone", ["Slow."]),
        ("Sent from my iPhone", []),
        ("Thanks!", ["Thanks!"]),
        ("Many thanks\nfor everything you did", ["Many thanks\nfor everything you did"]),
        ('"The customer is never wrong, whatever it takes" - an old hotel owner', []),
        ('"The staff were rude and slow"', ['"The staff were rude and slow"']),
    ],
)
def test_own_words(text, own):
    assert [text[one.start : one.end] for one in own_words(text)] == own


@given(st.text() | st.lists(st.sampled_from(LINES)).map("\n".join))
def test_stretches_lie_in_order_inside_the_text(text):
    found = own_words(text)
    assert all(0 <= one.start < one.end <= len(text) and text[one.start : one.end].strip() for one in found)
    assert all(a.end < b.start for a, b in pairwise(found))


@pytest.mark.parametrize(
    "pattern",
    ["Thanks,\nAnna\n", "best regards, ", "Of Anna, ", "On x wrote\n", "From: a\nSent: b\n", "-", "_", " ", '"'],
)
def test_a_hostile_text_takes_no_longer_than_its_length(pattern):
    text = "Regards, " + pattern * (20_000 // len(pattern)) + "!"
    assert own_words(text) == [] or own_words(text)[0].start < len(text)
