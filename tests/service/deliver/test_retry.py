from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deliver.destination import Rejected, TryLater
from service.deliver.retry import SCHEDULE, GiveUp, Retry, next_attempt

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def wait(outcome, attempt, key="k"):
    decided = next_attempt(outcome, attempt, NOW, key)
    assert isinstance(decided, Retry)
    return decided.at - NOW


@pytest.mark.parametrize(
    ("attempt", "scheduled"),
    [
        (1, timedelta(seconds=5)),
        (2, timedelta(minutes=5)),
        (3, timedelta(minutes=30)),
        (4, 2 * HOUR),
        (5, 5 * HOUR),
        (6, 10 * HOUR),
        (7, 14 * HOUR),
        (8, 20 * HOUR),
        (9, 24 * HOUR),
    ],
)
def test_the_standard_webhooks_schedule(attempt, scheduled):
    assert 0.9 * scheduled <= wait(TryLater("503"), attempt) <= 1.1 * scheduled


def test_ten_attempts_and_no_more():
    assert next_attempt(TryLater("answered 503"), 10, NOW, "k") == GiveUp("10 attempts failed; the last: answered 503")
    assert len(SCHEDULE) == 10


@pytest.mark.parametrize("attempt", [1, 5, 10])
def test_a_rejection_ends_it_at_once(attempt):
    assert next_attempt(Rejected("answered 400", disable=True), attempt, NOW, "k") == GiveUp("answered 400")


@pytest.mark.parametrize(
    ("after", "attempt", "least", "most"),
    [
        (timedelta(seconds=30), 1, timedelta(seconds=30), timedelta(seconds=30)),
        (timedelta(seconds=1), 2, timedelta(seconds=270), timedelta(seconds=330)),
        (48 * HOUR, 1, 24 * HOUR, 24 * HOUR),
        (timedelta(days=10**6), 1, 24 * HOUR, 24 * HOUR),
        (timedelta(seconds=-5), 1, timedelta(seconds=4.5), timedelta(seconds=5.5)),
        (None, 1, timedelta(seconds=4.5), timedelta(seconds=5.5)),
    ],
)
def test_the_destinations_wish_is_obeyed_within_a_day(after, attempt, least, most):
    assert least <= wait(TryLater("429", after), attempt) <= most


def test_deliveries_that_failed_together_do_not_return_together():
    waits = {wait(TryLater("503"), 3, f"k{number}") for number in range(1000)}
    assert len(waits) > 990
    assert max(waits) - min(waits) > timedelta(minutes=5)


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 9), st.none() | st.timedeltas())
def test_always_the_same_always_later_never_earlier_than_asked(key, attempt, after):
    outcome = TryLater("503", after)
    at = next_attempt(outcome, attempt, NOW, key)
    assert at == next_attempt(outcome, attempt, NOW, key)
    assert at.at - NOW >= max(0.9 * SCHEDULE[attempt], min(after or timedelta(0), 24 * HOUR))
    assert at.at - NOW <= timedelta(hours=26.4)
