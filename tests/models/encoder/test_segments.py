from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.characters import MAX_CODE_POINTS
from models.encoder.segments import MAX_CLAUSES, Segment, all_clauses, clauses, sentences


def cut(text):
    """Sentences as lists of their clauses."""
    return [[text[part.start : part.end] for part in clauses(text, whole)] for whole in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Slow. Rude staff! Why?", ["Slow.", "Rude staff!", "Why?"]),
        ("cold!!! late?! never again", ["cold!!!", "late?!", "never again"]),
        ("Mr. Lee waited approx. 3.5 hours. Nobody came.", ["Mr. Lee waited approx. 3.5 hours.", "Nobody came."]),
        ("J. Smith helped. Bus no. 5 did not.", ["J. Smith helped.", "Bus no. 5 did not."]),
        ("I came at 5 p.m. Nobody was there", ["I came at 5 p.m.", "Nobody was there"]),
        ("Pay Acme Ltd. or not", ["Pay Acme Ltd. or not"]),
        ("See https://shop.example/a.b?c=d! Bad site", ["See https://shop.example/a.b?c=d! Bad site"]),
        ("Ask shop.example. It works", ["Ask shop.example.", "It works"]),
        ("good.Staff rude", ["good.", "Staff rude"]),
        ("version 2.1.3 costs 1,000.50 now", ["version 2.1.3 costs 1,000.50 now"]),
        ("I was... shocked", ["I was... shocked"]),
        ("It broke... Nobody cared", ["It broke...", "Nobody cared"]),
        ("Great food 😍 Slow service 😡", ["Great food 😍", "Slow service 😡"]),
        ("✅ fast ❌ pricey", ["✅ fast", "❌ pricey"]),
        ("I ❤️ this app", ["I ❤️ this app"]),
        ("- fast\n- rude driver\n* no parking\n• dirty", ["fast", "rude driver", "no parking", "dirty"]),
        ("1. fast\n2. rude\n10. dirty", ["1. fast", "2. rude", "10. dirty"]),
        ("1) slow 2) rude", ["1) slow", "2) rude"]),
        ("• good food • slow service", ["good food", "slow service"]),
        ("Good staff\nslow website\r\n\r\nNice", ["Good staff", "slow website", "Nice"]),
        ("I waited a very\nlong time for the\ndelivery", ["I waited a very\nlong time for the\ndelivery"]),
        (
            "This is one line of an e-mail that was wrapped by\nits program and goes on. End",
            ["This is one line of an e-mail that was wrapped by\nits program and goes on.", "End"],
        ),
        ("The staff were lovely The food was cold", ["The staff were lovely", "The food was cold"]),
        ("We read The Sun Daily", ["We read The Sun Daily"]),
        ('He said "Go away!" and left', ['He said "Go away!" and left']),
        ('He said "Go away!" Then he left (really.) Bad', ['He said "Go away!"', "Then he left (really.)", "Bad"]),
        ("WORST APP EVER. FIX IT", ["WORST APP EVER.", "FIX IT"]),
        ("#fast #cheap #rude", ["#fast #cheap #rude"]),
        ("😡😡😡", ["😡😡😡"]),
        ("@shop", ["@shop"]),
        ("???", []),
        ("  \n ", []),
        ("", []),
    ],
)
def test_sentences(text, expected):
    assert [text[part.start : part.end] for part in sentences(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("food great, delivery terrible", ["food great", "delivery terrible"]),
        ("love the app, hate the ads", ["love the app", "hate the ads"]),
        ("I love the food and hate the queue", ["I love the food", "and hate the queue"]),
        ("I called and the agent was rude", ["I called", "and the agent was rude"]),
        ("the room was clean and the bed comfortable", ["the room was clean", "and the bed comfortable"]),
        ("the food was good, terrible service", ["the food was good", "terrible service"]),
        ("food not great, service excellent", ["food not great", "service excellent"]),
        ("I loved the food, the service not so much", ["I loved the food", "the service not so much"]),
        ("Good food but slow service", ["Good food", "but slow service"]),
        ("GREAT APP BUT TOO SLOW", ["GREAT APP", "BUT TOO SLOW"]),
        ("Great app, however it crashes", ["Great app", "however it crashes"]),
        ("Great app, even though it crashes", ["Great app", "even though it crashes"]),
        ("Kind nurse yet a long wait", ["Kind nurse", "yet a long wait"]),
        ("The nurse was kind whereas the doctor was not", ["The nurse was kind", "whereas the doctor was not"]),
        ("Everything was fine except the parking", ["Everything was fine", "except the parking"]),
        ("I liked it, unfortunately it broke", ["I liked it", "unfortunately it broke"]),
        ("Although the food was good, the wait was long", ["Although the food was good", "the wait was long"]),
        ("Great app; crashes daily", ["Great app", "crashes daily"]),
        ("price ok - support useless", ["price ok", "support useless"]),
        ("Great app—crashes daily", ["Great app", "crashes daily"]),
        ("Price ok / support useless", ["Price ok", "support useless"]),
        ("ok... the rest was bad", ["ok...", "the rest was bad"]),
        ("Great food 😍 slow service 😡", ["Great food 😍", "slow service 😡"]),
        ("It was good (but cold)", ["It was good", "(but cold)"]),
        ("staff lovely food awful", ["staff lovely", "food awful"]),
        ("lovely staff awful food", ["lovely staff", "awful food"]),
        ("the staff were lovely the food was awful", ["the staff were lovely", "the food was awful"]),
    ],
)
def test_what_could_be_read_alone_is_a_clause(text, expected):
    assert cut(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "fish, chips and peas were nice",
        "the nurse was kind, gentle and quick",
        "the app is quick and easy to use",
        "I love the food and the staff",
        "I like fast shipping, great prices and good food",
        "I think the food and the service was great",
        "If the food was good, I would come back",
        "The food, unfortunately, was cold",
        "Nothing but praise for the team",
        "I have not tried it yet",
        "We had to wait a while",
        "it took 2 - 3 weeks",
        "found great deals bad packaging",
        "I can't believe how bad the food was",
        "not bad at all",
        "great, another outage",
        "Mail me and/or call me",
    ],
)
def test_what_belongs_together_is_one_clause(text):
    assert cut(text) == [[text]]


PIECES = ["food", "great", ", ", " and ", "but ", "\n", "- ", "• ", "...", "!!", ". ", "😍", " / ", "—", "(", '"', "'s"]
PIECES += [
    "the ",
    "was ",
    "It ",
    " ",
    "3.5",
    "1) ",
    "http://a.b/c,d ",
    "@me ",
    "é\u0301",
    "Mr. ",
    "A",
    "\u200b",
    "<b>",
    "awful ",
]
texts = st.one_of(
    st.text(st.characters(codec=None), max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
)


def check(parts, text, start, end):
    """Ordered, apart, tight, no word cut, and every letter and digit within."""
    assert all(start <= part.start < part.end <= end for part in parts)
    assert all(a.end <= b.start for a, b in pairwise(parts))
    covered = {place for part in parts for place in range(part.start, part.end)}
    assert all(place in covered for place in range(start, end) if text[place].isalnum())
    for part in parts:
        assert not text[part.start].isspace()
        assert not text[part.end - 1].isspace()
        for edge in (part.start, part.end):
            assert not (start < edge < end and text[edge - 1].isalnum() and text[edge].isalnum())


@given(texts)
def test_sentences_and_clauses_hold_every_word_once(text):
    whole = sentences(text)
    check(whole, text, 0, len(text))
    for sentence in whole:
        check(clauses(text, sentence), text, sentence.start, sentence.end)
    assert all_clauses(text) == [part for sentence in whole for part in clauses(text, sentence)][:MAX_CLAUSES]


@pytest.mark.parametrize("separator", [". ", " but ", "; "])
def test_what_follows_the_64th_clause_is_joined_to_it(separator):
    text = separator.join(["food good"] * 100)
    parts = all_clauses(text)
    assert len(parts) == MAX_CLAUSES
    check(parts, text, 0, len(text))


@pytest.mark.parametrize("unit", ["a", "!", "(", "'", "😡", "\n", "a,", "a\n", "but ", "the bad ", "1. ", "\ud800"])
def test_a_flood_of_anything_is_read_to_the_limit_and_no_further(unit):
    text = unit * (2 * MAX_CODE_POINTS)
    assert all(part.end <= MAX_CODE_POINTS for part in all_clauses(text))


def test_offsets_count_code_points_of_the_text_as_given():
    text = "\u200b 👍🏽 Ｇｏｏｄ food, but cafe\u0301 rude\r\n"
    assert all_clauses(text) == [Segment(2, 14), Segment(16, 30)]
