"""The promotion gate: an equal candidate passes in at most 5 % of worlds, a better one passes."""

import math

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom, t

from calibration.comparison.loss_gate import loses_less, segment_loses_no_more, worst_log_loss
from calibration.comparison.outcome_gate import right_more_often, right_more_often_so_far, segment_holds
from calibration.comparison.paired import Pairs
from calibration.comparison.promotion import Check, promotion, split_holds
from calibration.comparison.sample_ratio import sample_ratio, sequential_sample_ratio
from calibration.comparison.sequential import evidence_of_better

ALPHA = 0.05


def least_winning(check, n, discordant):
    wins = [won for won in range(discordant + 1) if check(Pairs(n, won, discordant - won)).passed]
    return min(wins, default=discordant + 1)


@pytest.mark.parametrize("check", [right_more_often, right_more_often_so_far])
@pytest.mark.parametrize("discordant", [1, 4, 5, 6, 9, 13, 20, 33, 60, 100])
def test_whatever_the_accuracies_an_equal_model_passes_in_at_most_5_percent(check, discordant):
    # exact: given how many items tell the two apart, each goes either way with 1/2, whatever else is true
    least = least_winning(check, 2000, discordant)

    assert binom.sf(least - 1, discordant, 0.5) <= ALPHA


def equal_models(generator, n, accuracy, correlation, worlds):
    apart = accuracy * (1 - accuracy) * (1 - correlation)
    return generator.multinomial(n, [apart, apart, 1 - 2 * apart], size=worlds)[:, :2]


def test_better_by_2_points_on_20_labels_promotes_an_equal_model_in_about_43_percent():
    drawn = equal_models(np.random.default_rng(4), 20, 0.7, 0.0, 20_000)

    assert ((drawn[:, 0] - drawn[:, 1]) / 20 >= 0.02).mean() == pytest.approx(0.43, abs=0.015)


@pytest.mark.parametrize("accuracy", [0.6, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("correlation", [0.0, 0.6])
@pytest.mark.parametrize("n", [20, 100, 400, 2000])
def test_an_equal_model_is_promoted_in_at_most_5_percent_of_simulated_worlds(accuracy, correlation, n):
    drawn = equal_models(np.random.default_rng(n), n, accuracy, correlation, 300)

    promoted = [promotion(right_more_often(Pairs(n, int(won), int(lost)))).promote for won, lost in drawn]

    assert np.mean(promoted) <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / 300)


def test_looking_every_day_costs_nothing_with_the_check_made_for_it():
    generator = np.random.default_rng(6)
    drawn = equal_models(generator, 20, 0.8, 0.3, 600 * 50).reshape(600, 50, 2).cumsum(axis=1)
    ever = evidence_of_better(drawn[:, :, 0].ravel(), drawn[:, :, 1].ravel()).reshape(600, 50).max(axis=1)
    again = binom.sf(drawn[:, :, 0] - 1, drawn.sum(axis=2), 0.5).min(axis=1)

    assert (ever >= math.log(20)).mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 600)
    assert (again <= 0.05).mean() > 0.12  # what the one-look test would do


def test_a_better_model_is_promoted():
    generator = np.random.default_rng(8)
    drawn = generator.multinomial(400, [0.10, 0.04, 0.86], size=300)[:, :2]  # 6 points better

    promoted = [promotion(right_more_often(Pairs(400, int(won), int(lost)))).promote for won, lost in drawn]

    assert np.mean(promoted) > 0.8


def rare_disaster(generator, n, worlds):
    """Sharpen 0.99 to 0.999: a little better nearly always, so much worse once in a while that the mean is equal."""
    up, down = math.log(0.999 / 0.99), math.log(0.001 / 0.01)
    return np.where(generator.random((worlds, n)) < up / (up - down), down, up), -down


def noisy_logits(generator, n, worlds):
    score = generator.normal(-1.3, 1.5, (worlds, n))
    label = generator.random((worlds, n)) < expit(score)
    one, other = (np.clip(expit(score + generator.normal(0, 0.5, (worlds, n))), 0.01, 0.99) for _ in range(2))
    return np.where(label, np.log(one / other), np.log((1 - one) / (1 - other))), math.log(99)


@pytest.mark.parametrize("world", [rare_disaster, noisy_logits])
@pytest.mark.parametrize("n", [50, 200, 1000])
def test_an_equal_calibrator_is_promoted_in_at_most_5_percent_of_simulated_worlds(world, n):
    gains, worst = world(np.random.default_rng(n), n, 200)

    promoted = [promotion(loses_less(-gain, np.zeros(n), worst=worst)).promote for gain in gains]

    assert np.mean(promoted) <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / 200)


def test_the_paired_t_test_would_promote_the_rare_disaster_most_of_the_time():
    gains, _ = rare_disaster(np.random.default_rng(1), 100, 1000)
    spread = np.maximum(gains.std(axis=1, ddof=1), 1e-12)

    assert (gains.mean(axis=1) / spread * 10 > t.isf(0.05, 99)).mean() > 0.5


def test_a_better_calibrator_is_promoted():
    generator = np.random.default_rng(3)
    score = generator.normal(-1.3, 1.5, 1000)
    label = generator.random(1000) < expit(score)
    good, sharp = (np.clip(expit(times * score), 0.01, 0.99) for times in (1, 2))
    grid = np.concatenate([np.linspace(-12, 12, 999), score])
    worst = worst_log_loss(*(np.clip(expit(times * grid), 0.01, 0.99) for times in (1, 2)))
    losses = [-np.log(np.where(label, given, 1 - given)) for given in (good, sharp)]

    assert loses_less(*losses, worst=worst).passed
    assert not loses_less(*losses[::-1], worst=5).passed


@pytest.mark.parametrize(
    ("counted", "reason", "missing"),
    [
        (Pairs(20, 5, 0), "20 labels, 30 needed", 10),
        (Pairs(0, 0, 0), "0 labels, 30 needed", 30),
        (Pairs(40, 2, 0), "on 2 labels just one of the two is right, 5 such labels needed", 60),
        (Pairs(40, 0, 0), "on 0 labels just one of the two is right, 5 such labels needed", None),
    ],
)
def test_a_refusal_says_how_many_labels_are_missing(counted, reason, missing):
    check = right_more_often(counted)

    assert (check.passed, check.reason, check.missing) == (False, reason, missing)
    if missing:
        assert promotion(check).reasons == (f"{reason}; label about {missing} more",)


def test_the_labels_said_to_be_missing_are_enough_where_the_difference_stays():
    check = right_more_often_so_far(Pairs(100, 9, 4))
    times = (100 + check.missing) // 100

    assert not check.passed
    assert right_more_often_so_far(Pairs(100 * times, 9 * times, 4 * times)).passed


def test_after_a_look_a_one_look_check_asks_for_a_fresh_sample_and_not_for_more_labels():
    check = right_more_often(Pairs(100, 9, 4))

    assert check.missing is None
    assert "a fresh sample of about 322 labels" in check.reason  # ((1.645 + 0.842) / (5 / 13))^2 * 100 / 13
    assert "fresh" not in right_more_often(Pairs(100, 4, 9)).reason


def test_a_guard_only_makes_it_stricter():
    proof = right_more_often(Pairs(400, 30, 9))
    good = segment_holds("billing", Pairs(300, 10, 4), margin=0.02)
    bad = segment_holds("refunds", Pairs(60, 1, 5), margin=0.05)

    assert promotion(proof).promote
    assert promotion(proof, [good]).promote
    assert not promotion(proof, [good, bad]).promote
    assert promotion(proof, [good, bad]).checks == (proof, good, bad)
    assert not promotion(right_more_often(Pairs(400, 9, 9)), [good]).promote
    assert bad.missing is None
    assert not segment_holds("empty", Pairs(0, 0, 0), margin=0.05).passed


def test_a_guard_on_losses_lets_pass_only_what_is_shown():
    generator = np.random.default_rng(2)
    old = generator.random(400)

    near = segment_loses_no_more("billing", old + generator.normal(0, 0.02, 400), old, margin=0.1, worst=1)
    worse = segment_loses_no_more("refunds", old + 0.2, old, margin=0.1, worst=1)
    few = segment_loses_no_more("delivery", old[:10], old[:10], margin=0.1, worst=1)

    assert near.passed
    assert (worse.passed, worse.missing) == (False, None)
    assert not few.passed
    assert few.missing > 0
    assert not segment_loses_no_more("empty", [], [], margin=0.1, worst=1).passed


def test_a_split_that_did_not_arrive_as_planned_stops_it():
    proof = right_more_often(Pairs(400, 30, 9))

    assert promotion(proof, [split_holds(sample_ratio([500, 510], [0.5, 0.5]))]).promote
    assert not promotion(proof, [split_holds(sample_ratio([600, 400], [0.5, 0.5]))]).promote
    assert not promotion(proof, [split_holds(sequential_sample_ratio([[100, 201]], [0.5, 0.5]))]).promote
    assert not promotion(proof, [split_holds(sample_ratio([1, 1], [0.5, 0.5]))]).promote


def test_a_guard_is_no_proof():
    with pytest.raises(ValueError, match="refunds is a guard"):
        promotion(Check("refunds", passed=True, reason="refunds: fine", missing=0))


def test_identical_candidates_are_not_promoted():
    assert loses_less([0.3] * 50, [0.3] * 50, worst=1).reason == "identical on this sample"
    assert not right_more_often_so_far(Pairs(50, 0, 0)).passed


def test_inputs_stay_as_they_are_and_their_order_does_not_matter():
    generator = np.random.default_rng(0)
    new, old = generator.random(60), generator.random(60)
    kept = new.copy(), old.copy()
    order = generator.permutation(60)

    assert loses_less(new, old, worst=1).passed == loses_less(new[order], old[order], worst=1).passed
    assert (new == kept[0]).all()
    assert (old == kept[1]).all()


def test_wrong_figures_are_refused():
    with pytest.raises(ValueError, match="declare the worst"):
        loses_less([0.9] * 40, [0.1] * 40, worst=0.5)
    with pytest.raises(ValueError, match="worst must be a finite loss above 0"):
        loses_less([0.1] * 40, [0.2] * 40, worst=0)
    with pytest.raises(ValueError, match="clip both maps alike first"):
        worst_log_loss([0.5, 1.0], [0.5, 0.5])
    with pytest.raises(ValueError, match="margin must lie between 0 and worst"):
        segment_loses_no_more("refunds", [0.1], [0.1], margin=2, worst=1)
    with pytest.raises(ValueError, match="alpha"):
        right_more_often(Pairs(40, 3, 1), alpha=0.6)
