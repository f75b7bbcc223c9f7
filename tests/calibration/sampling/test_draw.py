"""Draws: repeatable, in any order of the pool, with the chance that every item truly had."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.binomial import lower_bound
from calibration.sampling.design import Stratified, Targeted, Uniform
from calibration.sampling.draw import draw_stratified, draw_uniform, thin
from calibration.sampling.lots import lots, pool_digest
from calibration.sampling.targeted import dispute, draw_targeted, nearness, uncertainty

POOL = [f"item {number}" for number in range(600)]
SCORES = np.random.default_rng(0).beta(0.6, 1.4, size=600)


def test_a_lot_is_the_first_53_bits_of_the_hash():
    first = int.from_bytes(hashlib.sha256(b"7:example:b").digest()[:8], "big") >> 11

    assert lots(["b"], seed=7, purpose="example")[0] == first / 2**53


def test_lots_are_uniform_and_another_seed_or_purpose_gives_others():
    many = [str(number) for number in range(20_000)]
    one = lots(many, seed=0, purpose="uniform")

    assert abs(one.mean() - 0.5) < 4 / np.sqrt(12 * 20_000)
    assert np.abs(np.histogram(one, bins=20, range=(0, 1))[0] - 1000).max() < 150
    for other in (lots(many, seed=1, purpose="uniform"), lots(many, seed=0, purpose="thin")):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.03


def test_a_pool_digest_is_that_of_the_sorted_ids():
    assert pool_digest(["b", "a"]) == hashlib.sha256(b'["a","b"]').hexdigest()
    assert pool_digest(["ä"]) == hashlib.sha256('["ä"]'.encode()).hexdigest()


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(60)), st.integers(0, 5))
def test_the_order_of_the_pool_changes_nothing(order, seed):
    ids, scores, topics = POOL[:60], SCORES[:60], ["a", "b"] * 30
    design = Stratified(labels=30, edges=(0.3,), floor=2)
    mixed = [ids[i] for i in order]

    assert draw_uniform(mixed, Uniform(7), seed=seed) == draw_uniform(ids, Uniform(7), seed=seed)
    assert draw_stratified(
        mixed, scores[list(order)], design, topics=[topics[i] for i in order], seed=seed
    ) == draw_stratified(ids, scores, design, topics=topics, seed=seed)
    assert draw_targeted(mixed, scores[list(order)].round(1), Targeted(9), seed=seed) == draw_targeted(
        ids, scores.round(1), Targeted(9), seed=seed
    )
    chance = np.where(scores < 0.3, 0.2, 0.6)
    assert (thin(mixed, chance[list(order)], seed=seed) == thin(ids, chance, seed=seed)[list(order)]).all()


def test_a_draw_is_the_same_on_every_machine():
    draw = draw_stratified(POOL, [i / 600 for i in range(600)], Stratified(labels=60, edges=(0.3, 0.7)), seed=3)

    assert hashlib.sha256("\n".join(draw.ids).encode()).hexdigest()[:16] == "92c5a7928e3c5461"
    assert draw.pool_digest == pool_digest(POOL)
    assert draw.design_id == "stratified-9dcbf8db4a76"


def test_a_stratified_draw_keeps_its_promises():
    design = Stratified(labels=120, edges=(0.3, 0.7), floor=15)
    draw = draw_stratified(POOL, SCORES, design, seed=1)

    assert len(draw.ids) == len(set(draw.ids)) == 120
    assert sum(draw.uniform) == 36
    assert min(draw.inclusion_probability) >= 0.01
    for stratum in set(draw.stratum):
        rows = [row for row, one in enumerate(draw.stratum) if one == stratum]
        assert len(rows) >= 15
        assert len({draw.inclusion_probability[row] for row in rows}) == 1


@pytest.mark.parametrize("floor", [0, 2])
def test_the_recorded_chance_is_how_often_an_item_is_drawn(floor):
    # a tiny pool, in which the small stratum is exhausted in some draws: the hypergeometric correction shows
    ids, scores = [str(number) for number in range(12)], [0.1] * 8 + [0.5] * 4
    design = Stratified(labels=9, edges=(0.3,), uniform_share=0.5, floor=floor)
    drawn, chance = dict.fromkeys(ids, 0), {}
    worlds = 1200
    for seed in range(worlds):
        draw = draw_stratified(ids, scores, design, seed=seed)
        for one, pi in zip(draw.ids, draw.inclusion_probability, strict=True):
            drawn[one] += 1
            chance[one] = pi

    for one in ids:
        assert abs(drawn[one] / worlds - chance[one]) < 4.5 * np.sqrt(chance[one] * (1 - chance[one]) / worlds) + 1e-9


def test_a_chance_in_an_exhausted_stratum_by_hand():
    # 4 items, 2 drawn uniformly, then up to 2 more from the stratum of 2 and 0 from the other: it is always drawn whole
    draw = draw_stratified(
        list("abcd"), [0.5, 0.5, 0.9, 0.9], Stratified(3, (0.7,), uniform_share=0.6, floor=0), seed=0
    )

    # 1 is added to the unsure stratum: E min(hits + 1, 2) = 1/6 * 1 + 5/6 * 2 = 11/6, so 11/12 each; the other 2/4
    assert set(zip(draw.stratum, np.round(draw.inclusion_probability, 9), strict=True)) <= {
        ("below 0.7", round(11 / 12, 9)),
        ("from 0.7", 0.5),
    }


def test_a_pool_no_larger_than_the_draw_is_taken_whole():
    assert draw_uniform(["b", "a"], Uniform(9)).ids == ("a", "b")
    whole = draw_stratified(POOL[:20], SCORES[:20], Stratified(labels=50, edges=(0.5,)))
    assert sorted(whole.ids) == sorted(POOL[:20])
    assert set(whole.inclusion_probability) == set(whole.sampled_share) == {1.0}


@pytest.mark.parametrize(
    ("ids", "scores", "labels", "message"),
    [
        (["a", "a"], [0.1, 0.2], 1, "'a' occurs 2 times: collapse the duplicates"),
        ([], [], 1, "pool must hold 1 item or more"),
        (["a"], [1.5], 1, r"scores\[0\] must be from 0 to 1"),
        (POOL, SCORES, 10, "2 strata need 20 more"),
    ],
)
def test_a_draw_that_cannot_be_made_says_why(ids, scores, labels, message):
    with pytest.raises(ValueError, match=message):
        draw_stratified(ids, scores, Stratified(labels=labels, edges=(0.5,)))


def test_a_chance_below_the_least_is_refused():
    design = Stratified(labels=99, edges=(), floor=0, least_probability=0.01)
    with pytest.raises(ValueError, match="1 strata need 70 more"):  # 0.01 * 10 000 - 30 of the uniform part
        draw_stratified([str(i) for i in range(10_000)], [0.5] * 10_000, design)


def test_a_least_chance_that_was_asked_for_is_kept():
    # by hand: the sure stratum needs 0.05 * 500 = 25, of which the uniform part expects to hit 0.3 * 40 * 500/600 = 10
    design = Stratified(labels=40, edges=(0.3,), floor=0, least_probability=0.05)
    draw = draw_stratified(POOL, [0.01] * 500 + [0.5] * 100, design)

    assert min(draw.inclusion_probability) == pytest.approx(0.05)
    assert (
        min(
            draw_stratified(
                POOL, [0.01] * 500 + [0.5] * 100, replace(design, least_probability=None)
            ).inclusion_probability
        )
        < 0.05
    )


@pytest.mark.parametrize("pool", [100_000, 1_000_000])
def test_400_labels_are_drawn_from_ordinary_traffic(pool):
    scores = np.linspace(0, 1, pool) ** 3
    draw = draw_stratified([str(i) for i in range(pool)], scores, Stratified(labels=400, edges=(0.3, 0.7)))

    assert len(draw.ids) == 400
    assert min(draw.inclusion_probability) >= 0.3 * 400 / pool
    # exact: over the strata, the chances times the sizes are the labels
    chance = dict(zip(draw.stratum, draw.inclusion_probability, strict=True))
    sizes = {"below 0.3": (scores < 0.3).sum(), "from 0.7": (scores >= 0.7).sum()}
    sizes["0.3 to 0.7"] = pool - sum(sizes.values())
    assert sum(chance[one] * size for one, size in sizes.items()) == pytest.approx(400)


def test_thinning_leaves_every_item_the_same_chance():
    ids = [str(number) for number in range(30_000)]
    chance = np.tile([0.02, 0.05, 0.4], 10_000)

    kept = thin(ids, chance)

    assert kept[0::3].all()
    for offset, share in ((1, 0.4), (2, 0.05)):
        assert abs(kept[offset::3].mean() - share) < 4 * np.sqrt(share * (1 - share) / 10_000)
    assert thin([], []).size == 0
    with pytest.raises(ValueError, match=r"inclusion_probability\[1\] must be above 0"):
        thin(["a", "b"], [0.5, 0.0])


def test_thinned_labels_bound_and_pooled_ones_do_not():
    # the note's figure in small: pooling unequally sampled bins as if random breaks the exact bound, thinning does not
    generator = np.random.default_rng(5)
    ids = [str(number) for number in range(3000)]
    sure = np.arange(3000) >= 2000
    chance = np.where(sure, 0.2, 0.05)  # many from where the model is right
    right = generator.random(3000) < np.where(sure, 0.99, 0.85)
    pooled = thinned = 0
    for seed in range(60):
        drawn = np.flatnonzero(np.random.default_rng(seed).random(3000) < chance)
        kept = drawn[thin([ids[i] for i in drawn], chance[drawn], seed=seed)]
        pooled += lower_bound(int(right[drawn].sum()), drawn.size, confidence=0.95) <= right.mean()
        thinned += lower_bound(int(right[kept].sum()), kept.size, confidence=0.95) <= right.mean()

    assert thinned >= 54
    assert pooled <= 30


def test_targeted_items_are_the_most_wanted_and_never_audited():
    ids = ["a", "b", "c", "d"]

    assert draw_targeted(ids, uncertainty([0.5, 0.9, 0.45, 0.1]), Targeted(2)).ids == ("a", "c")
    assert draw_targeted(ids, uncertainty([0.5, 0.9, 0.45, 0.1]), Targeted(2), audited=["a"]).ids[0] == "c"
    assert draw_targeted(ids, nearness([0.2, 0.79, 0.9, 0.81], 0.8), Targeted(2)).ids in {("b", "d"), ("d", "b")}
    assert draw_targeted(ids, dispute([[3, 0], [2, 1], [1, 1], [0, 0]]), Targeted(2)).ids == ("c", "b")
    assert not hasattr(draw_targeted(ids, [1, 1, 1, 1], Targeted(2)), "inclusion_probability")


@pytest.mark.parametrize(
    ("votes", "entropy"),
    [
        ([1, 1], 1.0),
        ([1, 3], 0.8112781244591328),  # the binary entropy of 1/4 (Cover and Thomas, section 2.1)
        ([1, 1, 1, 0], 0.7924812503605781),  # ln 3 / ln 4
        ([0, 5, 0], 0.0),
    ],
)
def test_dispute_is_the_normalised_entropy_of_the_votes(votes, entropy):
    assert dispute([votes])[0] == pytest.approx(entropy)


def test_votes_need_two_classes():
    with pytest.raises(ValueError, match="2 classes or more"):
        dispute([[1], [2]])


@pytest.mark.parametrize("ids", [[1, 2], [None, "a"]])
def test_an_id_that_is_no_string_is_refused_with_the_remedy(ids):
    with pytest.raises(ValueError, match=r"an id must be a string, not (1|None): give row numbers as"):
        draw_uniform(ids, Uniform(1))
