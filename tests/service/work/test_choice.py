"""Who of a group takes an item: a table, and what must hold for any group."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.route.policy import People
from service.work.choice import Candidate, choose, passed_over, pools

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
AWAY = "is away until Mon 23 Nov"


def one(name, order, open_items=0, *, away=None, hours=0) -> Candidate:
    return Candidate(name, order, NOW + timedelta(hours=hours), open_items, away)


@pytest.mark.parametrize(
    ("candidates", "capacity", "name", "words"),
    [
        ([one("ana", 0), one("jan", 1)], None, "ana", ""),
        ([one("ana", 0, 3), one("jan", 1, 2)], 5, "jan", ""),
        ([one("ana", 0, 2), one("jan", 1, 2)], 5, "ana", ""),
        ([one("ana", 0, hours=8), one("jan", 1, 4)], 5, "jan", ""),  # who is at work now
        ([one("ana", 0, 5), one("jan", 1, hours=8)], 5, "jan", "ana has 5 open items"),  # hours bar nobody
        (
            [one("ana", 0, 25), one("jan", 1, away=AWAY), one("sam", 2, 24)],
            25,
            "sam",
            "ana has 25 open items; jan is away until Mon 23 Nov",
        ),
        ([one("ana", 0), one("jan", 1, away=AWAY)], None, "ana", ""),  # who comes after is nobody's question
        ([one("ana", 0, 1), one("jan", 1, 2)], 1, None, "ana has 1 open item; jan has 2 open items"),
        ([one("ana", 0, away="has no account")], None, None, "ana has no account"),
        ([], 3, None, ""),
        (
            [one(f"p{number}", number, away="is away") for number in range(7)],
            None,
            None,
            "p0 is away; p1 is away; p2 is away; p3 is away; p4 is away; 2 more cannot",
        ),
    ],
)
def test_who_takes_it_and_why_not_the_others(candidates, capacity, name, words):
    chosen = choose(candidates, capacity)

    assert (chosen and chosen.name) == name
    assert passed_over(candidates, capacity, chosen) == words


groups = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([None, None, AWAY]), st.integers(0, 2)), max_size=6).map(
    lambda people: [one(f"p{n}", n, held, away=away, hours=hours) for n, (held, away, hours) in enumerate(people)]
)


@given(groups, st.none() | st.integers(1, 4), st.randoms(use_true_random=False))
def test_nobody_is_given_more_than_they_may_have_in_whatever_order_rows_come(group, capacity, random):
    chosen = choose(group, capacity)
    shuffled = random.sample(group, len(group))

    assert choose(shuffled, capacity) == chosen
    assert passed_over(shuffled, capacity, chosen) == passed_over(group, capacity, chosen)
    takers = [c for c in group if c.away is None and (capacity is None or c.open_items < capacity)]
    assert (chosen is None) == (not takers)
    assert chosen is None or chosen in takers


@given(st.integers(1, 4), st.lists(st.integers(0, 4), min_size=1, max_size=5), st.integers(0, 30))
def test_a_group_is_filled_evenly_and_never_above_its_capacity(capacity, held, new):
    for _ in range(new):
        group = [one(f"p{number}", number, count) for number, count in enumerate(held)]
        chosen = choose(group, capacity)
        if chosen is None:
            assert all(count >= capacity for count in held)
            break
        assert held[chosen.order] == min(held)
        held[chosen.order] += 1
        assert held[chosen.order] <= capacity


@pytest.mark.parametrize(
    ("topics", "language", "expected"),
    [
        (("billing", "delivery"), "de", [("ana",), ("jan",), ("jan", "sam"), ("ana", "jan", "sam")]),
        (("delivery",), "en", [("jan",), ("ana", "jan", "sam")]),
        ((), "de", [("jan", "sam"), ("ana", "jan", "sam")]),
        (("app",), None, [("ana", "jan", "sam")]),
    ],
)
def test_who_knows_the_matter_is_asked_first(topics, language, expected):
    skills = {"billing": ("ana",), "delivery": ("jan",), "de": ("jan", "sam")}

    assert list(pools(People(people=("ana", "jan", "sam"), skills=skills), topics, language)) == expected
