"""What each threshold would mean for the day's work, against worlds in which it is known."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.result import Estimate, Undefined
from calibration.sampling.design import AtLine
from calibration.sampling.draw import draw_at_line
from calibration.simulation import World
from calibration.thresholds.what_if import Traffic, what_if

GRID = np.array([0.3, 0.5, 0.8])
DAYS = 35


@pytest.fixture(scope="module")
def pool():
    scores, right = World().draw(DAYS * 200, seed=1)
    return scores, right, np.repeat(np.arange(DAYS), 200)


def labels_of(scores, right, seed, labels=900):
    ids = [str(number) for number in range(len(scores))]
    draw = draw_at_line(ids, scores, AtLine(labels=labels, line=0.3), seed=seed)
    rows = np.array([int(one) for one in draw.ids])
    return scores[rows], right[rows], draw.inclusion_probability


def test_the_figures_of_a_day_are_those_of_the_pool(pool):
    scores, right, day = pool
    traffic = Traffic.of(scores, day, days=DAYS, grid=GRID)

    found = what_if(*labels_of(scores, right, seed=3), traffic, minutes_per_review=0.5, proved=(0.8,))

    assert [one.threshold for one in found] == GRID.tolist()
    assert [one.proved for one in found] == [False, False, True]
    for one in found:
        above = scores >= one.threshold
        assert one.tickets.value == pytest.approx(above.sum() / DAYS)
        assert one.wrong.low <= (above & ~right).sum() / DAYS <= one.wrong.high
        assert one.missed.low <= (~above & right).sum() / DAYS <= one.missed.high
        assert one.recall.low <= (above & right).sum() / right.sum() <= one.recall.high
        assert one.minutes.value == pytest.approx(0.5 * ((scores >= 0.3) & ~above).sum() / DAYS)


def test_the_intervals_hold_the_truth_as_often_as_they_say(pool):
    scores, right, day = pool
    traffic = Traffic.of(scores, day, days=DAYS, grid=[0.3, 0.6])
    above = scores >= 0.6
    truth = {
        "wrong": (above & ~right).sum() / DAYS,
        "missed": (~above & right).sum() / DAYS,
        "recall": (above & right).sum() / right.sum(),
    }
    worlds = 60
    held = dict.fromkeys(truth, 0)
    for seed in range(worlds):
        here = what_if(*labels_of(scores, right, seed), traffic, minutes_per_review=1)[1]
        for name, figure in truth.items():
            held[name] += getattr(here, name).low <= figure <= getattr(here, name).high

    assert min(held.values()) / worlds >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / worlds)


@pytest.mark.parametrize(("days", "law"), [(30, "observed days"), (29, "negative binomial"), (7, "negative binomial")])
def test_the_range_of_a_day_is_observed_or_fitted(days, law):
    generator = np.random.default_rng(0)
    items = generator.poisson(20, days)
    traffic = Traffic(np.array([0.3]), items, items[:, None])

    tickets = what_if([], [], [], traffic, minutes_per_review=1)[0].tickets

    assert law in tickets.procedure
    assert tickets.low < tickets.value < tickets.high
    assert tickets.n == days


def test_what_cannot_be_known_is_undefined():
    traffic = Traffic.of([0.4, 0.9], [0, 5], days=6, grid=GRID)
    (first, *_) = what_if([0.9, 0.4], [1, 0], [1, 1], traffic, minutes_per_review=1)
    week = Traffic.of([0.4, 0.9], [0, 5], days=7, grid=GRID)
    (nothing, *_) = what_if([], [], [], week, minutes_per_review=1)

    assert first.tickets.reason == first.minutes.reason == "too few days of traffic: 6, 7 needed at the least"
    assert isinstance(first.recall, Estimate)
    assert isinstance(nothing.tickets, Estimate)
    assert all(isinstance(one, Undefined) for one in (nothing.wrong, nothing.missed, nothing.recall))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.integers(0, 60), st.integers(7, 40))
def test_a_stricter_threshold_brings_no_more_tickets_and_no_fewer_misses(seed, n, days):
    generator = np.random.default_rng(seed)
    traffic = Traffic.of(generator.random(200), generator.integers(0, days, 200), days=days, grid=GRID)
    found = what_if(
        generator.random(n), generator.random(n) < 0.5, generator.uniform(0.1, 1, n), traffic, minutes_per_review=2
    )

    for looser, stricter in itertools.pairwise(found):
        assert stricter.tickets.value <= looser.tickets.value
        assert stricter.minutes.value >= looser.minutes.value
        if isinstance(looser.missed, Estimate) and isinstance(stricter.missed, Estimate):
            assert stricter.missed.value >= looser.missed.value - 1e-9
        for figure in (stricter.tickets, stricter.wrong, stricter.missed, stricter.minutes, stricter.recall):
            if isinstance(figure, Estimate):
                assert -1e-9 <= figure.low <= figure.high


@pytest.mark.parametrize(
    ("grid", "items", "passing", "says"),
    [
        ([], [1], [[]], "grid must hold at least one threshold, and rise"),
        ([0.5, 0.3], [1], [[1, 1]], "and rise"),
        ([0.5], [1, 2], [[1]], r"passing must have the shape \(2, 1\)"),
        ([0.5], [-1], [[0]], "items"),
    ],
)
def test_traffic_that_does_not_fit_is_refused(grid, items, passing, says):
    with pytest.raises(ValueError, match=says):
        Traffic(np.array(grid), np.array(items), np.array(passing))


@pytest.mark.parametrize(
    ("given_to", "says"),
    [
        ({"minutes_per_review": -1}, "minutes_per_review must be 0 or more"),
        ({"minutes_per_review": 1, "confidence": 1}, "confidence must lie strictly between"),
    ],
)
def test_arguments_out_of_range_are_refused(given_to, says):
    traffic = Traffic.of([0.4], [0], days=7, grid=GRID)

    with pytest.raises(ValueError, match=says):
        what_if([0.4], [1], [1], traffic, **given_to)
    with pytest.raises(ValueError, match="day must be from 0 to 6"):
        Traffic.of([0.4], [7], days=7, grid=GRID)
