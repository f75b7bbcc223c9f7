"""Did the split arrive as planned?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.comparison.sample_ratio import sample_ratio, sequential_sample_ratio
from calibration.comparison.sequential import evidence_of_difference
from calibration.result import Undefined


@pytest.mark.parametrize(
    ("arms", "planned", "p_value", "as_planned"),
    [
        ([600, 400], [0.5, 0.5], 2.54e-10, False),  # Wikipedia, "Sample ratio mismatch"
        (
            [821_588, 815_482],
            [0.5, 0.5],
            1.8e-6,
            False,
        ),  # an example of Kohavi and others; 6106^2 / 1637070 = 22.8 by hand
        ([44_000, 45_000], [0.5, 0.5], 0.0008, False),  # srm.osc.garden
        ([10_000, 10_050], [0.5, 0.5], 0.724, True),  # the split of CXL's guide: chi-square 0.1247 by hand
        ([50, 25, 25], [0.5, 0.25, 0.25], 1.0, True),
    ],
)
def test_the_p_value_is_the_published_one(arms, planned, p_value, as_planned):
    check = sample_ratio(arms, planned)

    assert check.p_value == pytest.approx(p_value, rel=0.05)
    assert check.as_planned is as_planned


def test_too_few_to_tell_is_undefined():
    assert isinstance(sample_ratio([4, 3], [0.5, 0.5]), Undefined)
    assert isinstance(sample_ratio([0, 0], [0.5, 0.5]), Undefined)


def test_the_sequential_p_values_are_those_of_another_library():
    # seqabpy, test_sequential_p_value, with the same Dirichlet(100 x planned)
    assert sequential_sample_ratio([[100, 101]], [0.5, 0.5]).p_values == (1.0,)
    assert sequential_sample_ratio([[100, 201]], [0.5, 0.5]).p_values[0] < 1e-5


@given(st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=40)
def test_a_flat_prior_on_two_arms_is_the_sequential_sign_test(first, second):
    path = sequential_sample_ratio([[first, second]], [0.5, 0.5], concentration=2.0)

    assert path.log_evidence[0] == pytest.approx(evidence_of_difference([first], [second])[0], abs=1e-8)


def test_what_was_seen_by_a_look_does_not_depend_on_the_looks_before():
    # as test_accumulator of the package ssrm-test: batch and step by step agree
    steps = np.array([[20, 17, 9], [18, 21, 8], [4, 6, 4], [18, 19, 11]])
    planned = [0.4, 0.4, 0.2]

    path = sequential_sample_ratio(steps, planned)

    assert path.log_evidence[-1] == pytest.approx(sequential_sample_ratio([steps.sum(axis=0)], planned).log_evidence[0])
    assert path.n == steps.sum()


def test_a_split_as_planned_is_stopped_rarely_with_a_look_every_day():
    generator = np.random.default_rng(9)
    stopped = [
        sequential_sample_ratio(generator.multinomial(200, [0.5, 0.3, 0.2], size=60), [0.5, 0.3, 0.2], stop=0.05)
        for _ in range(300)
    ]

    assert np.mean([path.first_crossing is not None for path in stopped]) <= 0.05 + 3 * (0.05 * 0.95 / 300) ** 0.5


def test_a_broken_split_is_found():
    path = sequential_sample_ratio([[540, 460]] * 10, [0.5, 0.5])

    assert path.first_crossing is not None


@pytest.mark.parametrize("planned", [[0.5, 0.6], [1.0], [1.0, 0.0]])
def test_shares_that_are_none_are_refused(planned):
    with pytest.raises(ValueError, match="positive shares that sum to 1"):
        sample_ratio([5] * len(planned), planned)
    with pytest.raises(ValueError, match="concentration must be positive"):
        sequential_sample_ratio([[1, 1]], [0.5, 0.5], concentration=0)
