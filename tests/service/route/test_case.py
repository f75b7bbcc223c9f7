"""The case: its JSON, and how rules read it."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.route.canonical import canonical, utc_text
from service.route.case import FIELDS, Case, Customer, Scores, field_named

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)

number = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = text | number | st.booleans()
beliefs = st.none() | st.dictionaries(text, st.floats(0, 1), max_size=3)
cases = st.builds(
    Case,
    source=text,
    now=st.datetimes(timezones=st.just(timezone(timedelta(hours=-3)))),
    scores=st.builds(Scores, nps=st.none() | st.integers(0, 10), csat=st.none() | number),
    sentiment=beliefs,
    types=beliefs,
    urgency=beliefs,
    topics=beliefs,
    tags=st.lists(text, max_size=3).map(tuple),
    language=st.none() | text,
    abstain=st.sampled_from([None, "short", "language"]),
    degraded=st.booleans(),
    customer=st.builds(
        Customer,
        tier=st.none() | text,
        account_value=st.none() | number,
        attributes=st.dictionaries(text, values, max_size=3),
    ),
    context=st.dictionaries(text, values, max_size=3),
    history=st.booleans(),
)


@settings(max_examples=40)
@given(cases)
def test_a_case_comes_back_from_its_json_exactly(case):
    stored = canonical(case.to_json())
    again = Case.from_json(json.loads(stored))

    assert again == case
    assert canonical(again.to_json()) == stored


def test_canonical_text_is_sorted_tight_and_readable():
    assert canonical({"b": 0.1, "a": ["Łódź", None, True, 6, 6.0]}) == '{"a":["Łódź",null,true,6,6.0],"b":0.1}'


def test_what_json_cannot_say_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))
    with pytest.raises(ValueError, match="has no zone"):
        utc_text(NOW.replace(tzinfo=None))


def test_times_are_written_in_utc():
    assert utc_text(datetime(2026, 7, 1, 12, 0, 0, 5, timezone(timedelta(hours=2)))) == "2026-07-01T10:00:00.000005Z"


def test_every_published_field_reads_its_value():
    case = Case(
        source="store",
        now=NOW,
        scores=Scores(nps=3, csat=2.5, ces=7, stars=1),
        sentiment={"negative": 0.9, "neutral": 0.06, "positive": 0.04},
        types={"suggestion": 0.1, "complaint": 0.2, "praise": 0.3, "question": 0.4},
        urgency={"low": 0.5, "normal": 0.3, "high": 0.2},
        language="en",
        customer=Customer(id="c-1", tier="gold", region="emea", account_value=12.5),
    )

    assert {name: field.read(case) for name, field in FIELDS.items()} == {
        "source": "store",
        "language": "en",
        "scores.nps": 3,
        "scores.csat": 2.5,
        "scores.ces": 7,
        "scores.stars": 1,
        "sentiment.negative": 0.9,
        "sentiment.neutral": 0.06,
        "sentiment.positive": 0.04,
        "type.suggestion": 0.1,
        "type.complaint": 0.2,
        "type.praise": 0.3,
        "type.question": 0.4,
        "urgency.low": 0.5,
        "urgency.normal": 0.3,
        "urgency.high": 0.2,
        "customer.id": "c-1",
        "customer.tier": "gold",
        "customer.region": "emea",
        "customer.account_value": 12.5,
    }
    assert not [name for name, field in FIELDS.items() if name != "source" and field.read(Case("s", NOW)) is not None]


@pytest.mark.parametrize(
    ("declared", "value", "seen"),
    [
        ("text", "7", "7"),
        ("text", 7, None),
        ("number", 7, 7),
        ("number", 7.5, 7.5),
        ("number", True, None),
        ("number", "7", None),
        ("boolean", False, False),
        ("boolean", 1, None),
    ],
)
def test_an_open_field_of_another_type_than_declared_is_missing(declared, value, seen):
    case = Case("s", NOW, context={"x": value}, customer=Customer(attributes={"x": value}))

    assert field_named("context.x", declared).read(case) is seen
    assert field_named("customer.attributes.x", declared).read(case) is seen
    assert field_named("context.y", declared).read(case) is None
