"""The alternative annotator test: published and hand-made cases, the authors' procedure item by item, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp
from statsmodels.stats.multitest import multipletests

from calibration.agreement.alternative_annotator import alternative_annotator_test, near_label
from calibration.result import Undefined


def matrix(rows):
    """Items as rows, raters as columns, -1 for no answer."""
    label = np.asarray(rows)
    item, rater = np.nonzero(label >= 0)
    return item, rater, label[item, rater]


def item_by_item(label, model, margin, score):
    """The procedure of the paper, section 3, in plain loops: p-values and advantage probabilities per rater."""
    p_values, advantages = [], []
    for rater in range(label.shape[1]):
        model_wins, person_wins = [], []
        for item, row in enumerate(label):
            others = [row[other] for other in range(label.shape[1]) if other != rater and row[other] >= 0]
            if row[rater] >= 0 and others:
                by_model, by_person = score(model[item], others), score(row[rater], others)
                model_wins.append(by_model >= by_person)
                person_wins.append(by_person >= by_model)
        difference = np.array(person_wins, dtype=float) - np.array(model_wins, dtype=float)
        p_values.append(ttest_1samp(difference, margin, alternative="less").pvalue)
        advantages.append(np.mean(model_wins))
    return np.array(p_values), np.array(advantages)


def accuracy(one, others):
    return np.mean([one == other for other in others])


def negative_rmse(one, others):
    return -np.sqrt(np.mean([(one - other) ** 2 for other in others]))


@pytest.mark.parametrize(("score", "closeness"), [(accuracy, None), (negative_rmse, near_label)])
@pytest.mark.parametrize(("seed", "margin", "skill"), [(0, 0.1, 0.9), (1, 0.2, 0.7), (2, 0.15, 0.5), (3, 0.1, 0.6)])
def test_it_is_the_procedure_of_the_paper(score, closeness, seed, margin, skill):
    generator = np.random.default_rng(seed)
    truth = generator.integers(4, size=90)
    label = np.where(generator.random((90, 5)) < 0.7, truth[:, None], generator.integers(4, size=(90, 5)))
    label[generator.random((90, 5)) < 0.2] = -1
    model = np.where(generator.random(90) < skill, truth, generator.integers(4, size=90))
    options = {} if closeness is None else {"closeness": closeness}

    found = alternative_annotator_test(*matrix(label), model, margin=margin, draws=20, **options)

    p_values, advantages = item_by_item(label, model, margin, score)
    won = multipletests(p_values, alpha=0.05, method="fdr_by")[0]  # statsmodels, an independent step-up procedure
    assert [one.p_value for one in found.raters] == pytest.approx(p_values)
    assert [one.model_advantage for one in found.raters] == pytest.approx(advantages)
    assert [one.replaceable for one in found.raters] == won.tolist()
    assert found.winning_rate == pytest.approx(won.mean())
    assert found.passes == (won.mean() >= 0.5)
    assert found.advantage.value == pytest.approx(advantages.mean())


def test_parity_is_weak_evidence_and_a_win_over_one_of_three_does_not_pass():
    # keen-touchstone's test of its alt_test, 12 items: h1 = h2 = judge, so no difference varies and p is (1-margin)^n;
    # h3 disagrees on every second item. The same by hand for 12 items; there a Wilcoxon test is used for h3.
    label = np.array([[0, 0, 0], [0, 0, 1], [1, 1, 1], [1, 1, 0]] * 3)

    found = alternative_annotator_test(*matrix(label), label[:, 0], margin=0.2, least_items=12, draws=20)

    assert [one.p_value for one in found.raters[:2]] == pytest.approx([0.8**12] * 2)
    assert [one.replaceable for one in found.raters] == [False, False, True]
    assert (found.raters[2].model_advantage, found.raters[2].person_advantage) == (1.0, 0.5)
    assert found.winning_rate == pytest.approx(1 / 3)
    assert not found.passes
    assert found.advantage.value == 1.0


def test_with_enough_items_a_model_equal_to_its_people_may_replace_them():
    # Exact: 60 unanimous items; (1 - 0.1)^60 = .0018, below .05 / (1 + 1/2 + 1/3) for all three.
    label = np.tile([[0, 0, 0], [1, 1, 1]], (30, 1))

    found = alternative_annotator_test(*matrix(label), label[:, 0], draws=20)

    assert found.raters[0].p_value == pytest.approx(0.9**60)
    assert (found.winning_rate, found.passes) == (1.0, True)
    assert (found.advantage.value, found.advantage.high) == (1, 1)
    assert found.advantage.low == pytest.approx(0.025 ** (1 / 60))  # by hand: the exact bound for 60 of 60


def test_a_model_that_is_always_wrong_replaces_nobody():
    label = np.tile([[0, 0, 0], [1, 1, 1]], (30, 1))

    found = alternative_annotator_test(*matrix(label), 1 - label[:, 0], draws=20)

    assert [one.p_value for one in found.raters] == [1.0] * 3
    assert (found.winning_rate, found.advantage.value, found.passes) == (0.0, 0.0, False)


def test_the_majority_of_the_others_is_a_perfect_juror():
    # The paper's optimal-jury result: the majority over all raters is never worse than a rater, so advantage is 1.
    generator = np.random.default_rng(8)
    label = np.where(generator.random((80, 5)) < 0.75, 0, 1)

    found = alternative_annotator_test(*matrix(label), (label.sum(axis=1) > 2).astype(int), draws=20)

    assert found.advantage.value == 1.0
    assert found.passes


def test_a_rater_with_29_items_is_skipped_and_two_raters_are_refused():
    label = np.tile([[0, 0, 0, 1], [1, 1, 1, 1]], (20, 1))
    label[29:, 3] = -1
    found = alternative_annotator_test(*matrix(label), label[:, 0], draws=20)
    assert found.skipped == (3,)
    assert [one.rater for one in found.raters] == [0, 1, 2]

    refused = alternative_annotator_test(*matrix(label[:, 2:]), label[:, 0])
    assert isinstance(refused, Undefined)
    assert "let the same items be labelled by more people" in refused.reason
    assert isinstance(alternative_annotator_test([], [], [], []), Undefined)


@pytest.mark.parametrize(
    ("options", "says"),
    [({"margin": 1}, "margin"), ({"least_items": 1}, "least_items"), ({"false_discoveries": 0}, "false_discoveries")],
)
def test_impossible_options_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        alternative_annotator_test([0], [0], [0], [0], **options)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0, 0.3))
def test_order_and_numbers_do_not_matter_and_a_wider_margin_never_hurts(seed, margin):
    generator = np.random.default_rng(seed)
    label = np.where(generator.random((40, 3)) < 0.7, 0, generator.integers(1, 3, size=(40, 3)))
    model = np.where(generator.random(40) < 0.7, 0, 1)
    order, raters, codes = generator.permutation(40), generator.permutation(3), generator.permutation(3)

    plain = alternative_annotator_test(*matrix(label), model, margin=margin, draws=2)
    moved = alternative_annotator_test(
        *matrix(codes[label[order][:, raters]]), codes[model[order]], margin=margin, draws=2
    )
    wider = alternative_annotator_test(*matrix(label), model, margin=margin + 0.1, draws=2)

    assert [moved.raters[place].p_value for place in np.argsort(raters)] == pytest.approx(
        [one.p_value for one in plain.raters]
    )
    assert moved.winning_rate == plain.winning_rate
    assert wider.winning_rate >= plain.winning_rate
