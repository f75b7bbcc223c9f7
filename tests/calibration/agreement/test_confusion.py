"""A rater's errors against a reference, against the rater's own repeats, and from agreement alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.agreement.confusion import (
    against_reference,
    error_from_agreement,
    noise_ceiling,
    seen_precision,
    self_agreement,
)
from calibration.binomial import clopper_pearson
from calibration.result import Estimate, Undefined


def agreement(value, low=None, high=None):
    return Estimate(value, value if low is None else low, value if high is None else high, 0.95, 300, "Wilson")


def counted(table):
    """One item per reference class; the answers of rater 0 fill the table."""
    truth, label = np.indices(np.shape(table)).reshape(2, -1)
    times = np.ravel(table)
    return np.repeat(truth, times), np.zeros(times.sum(), dtype=int), np.repeat(label, times), np.arange(len(table))


@pytest.mark.parametrize(
    ("table", "accuracy", "low", "high"),
    [
        # Accuracy of 81 in 263, 15 in 148 and 0 in 20: Newcombe (1998), table I, method 3 (Wilson).
        ([[81, 182], [0, 0]], 0.3080, 0.2553, 0.3662),
        ([[10, 133], [0, 5]], 0.1014, 0.0624, 0.1605),
        ([[0, 20], [0, 0]], 0.0, 0.0, 0.1611),
    ],
)
def test_accuracy_has_the_published_interval(table, accuracy, low, high):
    found = against_reference(*counted(table), classes=2)

    assert found.counts[0].tolist() == table
    estimate = found.accuracy[0]
    assert [estimate.value, estimate.low, estimate.high] == pytest.approx([accuracy, low, high], abs=5e-5)


def test_the_exact_interval_is_a_function_away():
    found = against_reference(*counted([[81, 182], [0, 0]]), classes=2, interval=clopper_pearson)

    assert found.accuracy[0].low == pytest.approx(0.2527, abs=5e-5)  # Newcombe (1998), table I, method 5


def test_a_rater_without_answers_is_undefined_and_changes_nothing():
    found = against_reference([0, 1, 0], [0, 0, 2], [0, 1, 1], [0, 1], classes=2)

    assert [type(one).__name__ for one in found.accuracy] == ["Estimate", "Undefined", "Estimate"]
    assert found.counts[1].sum() == 0
    assert against_reference([], [], [], [], classes=2).accuracy == ()


@pytest.mark.parametrize(
    ("reference", "says"), [([0], "reference must hold a label for item 1"), ([0, 5], r"reference\[1\] must be below")]
)
def test_a_reference_that_does_not_fit_is_refused(reference, says):
    with pytest.raises(ValueError, match=says):
        against_reference([0, 1], [0, 0], [0, 1], reference, classes=2)


def test_the_first_anaesthetist_gives_13_of_45_forms_two_grades():
    # Dawid and Skene (1979), table 1, observer 1: forms 3, 7, 10, 15, 24, 27, 30, 36-38 and 42-44 differ.
    grades = "111 333 112 222 222 222 122 333 222 232 444 222 111 222 121 111 111 111 222 222 222 222 222 221 111"
    grades += " 111 232 111 111 112 111 333 111 222 222 433 221 232 333 111 111 121 232 121 222"
    looks = np.array([[int(grade) - 1 for grade in form] for form in grades.split()])
    item, _ = np.indices(looks.shape)

    found = self_agreement(item.ravel(), np.zeros(looks.size, dtype=int), looks.ravel(), classes=4)

    assert (found[0].value, found[0].n) == (32 / 45, 45)


def test_a_rater_who_saw_nothing_twice_is_undefined():
    item, rater, label = [0, 0, 1, 1, 0, 2, 2], [0, 0, 0, 0, 1, 2, 2], [1, 1, 0, 1, 1, 0, 0]

    found = self_agreement(item, rater, label, classes=2)

    assert found[0].value == 0.5
    assert isinstance(found[1], Undefined)
    assert (found[2].value, found[2].n, found[2].low < 1) == (1.0, 1, True)


@pytest.mark.parametrize(
    ("error", "classes"), [(0.05, 2), (0.15, 3), (0.2, 5), (0.0, 2), (0.5, 2), (2 / 3, 3)]
)  # exact: agreement (1-e)^2 + e^2/(K-1), turned round; .15 among 3 is the .734 of 'all 85 % right'
def test_the_error_behind_an_agreement_is_found(error, classes):
    seen = (1 - error) ** 2 + error**2 / (classes - 1)

    assert error_from_agreement(agreement(seen), classes=classes).value == pytest.approx(error, abs=1e-7)


def test_simulated_raters_have_the_error_their_agreement_tells():
    generator = np.random.default_rng(3)
    wrong = generator.random((40_000, 2)) < 0.1
    label = np.where(wrong, generator.integers(1, 4, size=wrong.shape), 0)

    found = error_from_agreement(agreement(float(np.mean(label[:, 0] == label[:, 1]))), classes=4)

    assert found.value == pytest.approx(0.1, abs=0.005)


def test_the_interval_turns_over_and_guessing_is_undefined():
    found = error_from_agreement(agreement(0.905, 0.4, 0.95), classes=2)
    assert found.low < found.value < found.high
    assert found.high == 0.5  # agreement below chance: no more is known than that they may be guessing

    guess = error_from_agreement(agreement(0.3), classes=3)
    assert isinstance(guess, Undefined)
    assert "less often than by guessing" in guess.reason
    with pytest.raises(ValueError, match="2 classes or more"):
        error_from_agreement(agreement(0.9), classes=1)


@given(st.floats(0.55, 1), st.floats(0.55, 1), st.integers(2, 9))
def test_more_agreement_never_means_more_error(one, other, classes):
    low, high = sorted((one, other))

    errors = [error_from_agreement(agreement(value), classes=classes).value for value in (low, high)]

    assert 0 <= errors[1] <= errors[0] <= 1


@pytest.mark.parametrize(
    ("precision", "error", "seen"),
    [
        (0.95, 0.05, 0.905),  # notes of the project: 'true 95 % looks like 90.5 %'
        (1.0, 0.05, 0.95),
        (0.5, 0.3, 0.5),  # a coin looks like a coin through any symmetric error
        (0.0, 0.1, 0.1),
    ],
)
def test_noise_changes_what_a_precision_looks_like(precision, error, seen):
    assert seen_precision(precision, error) == pytest.approx(seen)


def test_a_target_beyond_the_raters_is_flagged_with_a_sentence():
    flagged = noise_ceiling(0.97, agreement(0.05))
    assert not flagged.reachable
    assert "even a perfect model would look 95.0 % right" in flagged.sentence

    fine = noise_ceiling(0.90, agreement(0.05))
    assert fine.reachable
    assert "a true 90.0 % looks like 86.0 %" in fine.sentence
    with pytest.raises(ValueError, match="target"):
        noise_ceiling(1.0, agreement(0.05))
    with pytest.raises(ValueError, match="error must be"):
        seen_precision(0.9, 1.2)
