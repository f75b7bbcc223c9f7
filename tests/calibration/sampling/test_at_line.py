"""Draws at the line: repeatable, of the size asked for, with the chance that every item truly had."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.sampling.design import AtLine, Uniform, design_id
from calibration.sampling.draw import draw_at_line

pools = st.lists(st.sampled_from([0.0, 0.1, 0.29, 0.3, 0.5, 1.0]), min_size=1, max_size=30).map(
    lambda scores: ([f"item {number}" for number in range(len(scores))], scores)
)
designs = st.builds(AtLine, labels=st.integers(1, 60), line=st.just(0.3), uniform_share=st.sampled_from([0.05, 0.3, 1]))


@settings(max_examples=100, deadline=None)
@given(pools, designs, st.integers(0, 9))
def test_a_draw_is_as_large_as_asked_and_its_chances_add_up_to_it(pool, design, seed):
    ids, scores = pool
    labels = min(design.labels, len(ids))

    draw = draw_at_line(ids, scores, design, seed=seed)

    assert len(set(draw.ids)) == len(draw.ids) == labels
    assert sum(draw.uniform) == min(design.uniform_labels(), labels)
    score_of = dict(zip(ids, scores, strict=True))
    for one, stratum in zip(draw.ids, draw.stratum, strict=True):
        assert stratum == ("from 0.3" if score_of[one] >= 0.3 else "below 0.3")
    chance = dict(zip(draw.stratum, draw.inclusion_probability, strict=True))
    sizes = {"from 0.3": sum(one >= 0.3 for one in scores), "below 0.3": sum(one < 0.3 for one in scores)}
    assert all(0 < one <= 1 for one in draw.inclusion_probability)
    if set(chance) == {name for name, size in sizes.items() if size}:
        assert sum(chance[name] * sizes[name] for name in chance) == pytest.approx(labels)
    if labels == len(ids):
        assert set(draw.inclusion_probability) == {1.0}


@settings(max_examples=40, deadline=None)
@given(pools, designs, st.integers(0, 9), st.randoms())
def test_the_order_of_the_pool_changes_nothing(pool, design, seed, chance):
    ids, scores = pool
    order = chance.sample(range(len(ids)), len(ids))

    assert draw_at_line(ids, scores, design, seed=seed) == draw_at_line(
        [ids[i] for i in order], [scores[i] for i in order], design, seed=seed
    )


def test_all_labels_but_the_uniform_part_go_above_the_line_while_it_lasts():
    ids, scores = [str(n) for n in range(600)], np.linspace(0, 1, 600)
    draw = draw_at_line(ids, scores, AtLine(labels=100, line=0.8), seed=4)

    added = [stratum for stratum, uniform in zip(draw.stratum, draw.uniform, strict=True) if not uniform]
    assert added == ["from 0.8"] * 70
    assert draw_at_line(ids, scores, AtLine(labels=300, line=0.8), seed=4).stratum.count("from 0.8") == 120


@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        ([0.1] * 8 + [0.5] * 4, 8),  # above runs out in some draws and not in others
        ([0.1] * 8 + [0.5] * 4, 3),
        ([0.1] * 3 + [0.5] * 9, 7),
        ([0.1] * 12, 5),
        ([0.5] * 12, 5),
    ],
)
def test_the_recorded_chance_is_how_often_an_item_is_drawn(scores, labels):
    ids = [str(number) for number in range(12)]
    drawn, chance = dict.fromkeys(ids, 0), {}
    worlds = 500
    for seed in range(worlds):
        draw = draw_at_line(ids, scores, AtLine(labels, line=0.3), seed=seed)
        for one, pi in zip(draw.ids, draw.inclusion_probability, strict=True):
            drawn[one] += 1
            assert chance.setdefault(one, pi) == pi

    for one in ids:
        assert abs(drawn[one] / worlds - chance[one]) < 4.5 * np.sqrt(chance[one] * (1 - chance[one]) / worlds) + 1e-9


def test_a_chance_where_the_line_runs_out_by_hand():
    # 4 items, 2 of them above; 3 labels, of which 1 is uniform. It hits above in half the draws, then 1 is left there:
    # above E min(hits + 2, 2) = 2, so always; below the third label, shared by two
    draw = draw_at_line(list("abcd"), [0.1, 0.1, 0.9, 0.9], AtLine(3, 0.3), seed=0)

    assert set(zip(draw.stratum, draw.inclusion_probability, strict=True)) == {("below 0.3", 0.5), ("from 0.3", 1.0)}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: AtLine(0, 0.3), "labels must be 1 or more"),
        (lambda: AtLine(10, 1.3), "line must be from 0 to 1, not 1.3"),
        (lambda: AtLine(10, 0.3, uniform_share=0), "uniform_share must be above 0"),
        (lambda: draw_at_line(["a", "a"], [0.1, 0.2], AtLine(1, 0.3)), "'a' occurs 2 times"),
        (lambda: draw_at_line([], [], AtLine(1, 0.3)), "pool must hold 1 item or more"),
        (lambda: draw_at_line(["a"], [1.5], AtLine(1, 0.3)), r"scores\[0\] must be from 0 to 1"),
    ],
)
def test_what_cannot_be_drawn_says_why(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_a_design_has_a_name_of_its_own():
    names = {design_id(one) for one in (AtLine(60, 0.3), AtLine(60, 0.4), AtLine(60, 0.3, 0.5), Uniform(60))}

    assert len(names) == 4
    assert design_id(AtLine(60, 0.3)).startswith("atline-")
