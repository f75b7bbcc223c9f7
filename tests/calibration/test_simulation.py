"""The simulated world is what it says it is."""

import pytest

from calibration.simulation import World


def test_the_simulated_world_is_what_it_says():
    world = World()
    scores, right = world.draw(200_000, seed=1)
    for threshold in (0.3, 0.5, 0.9):
        above = scores >= threshold
        assert right[above].mean() == pytest.approx(world.precision(threshold), abs=0.01)
        assert right[above].sum() / right.sum() == pytest.approx(world.recall(threshold), abs=0.01)


@pytest.mark.parametrize("options", [{"prevalence": 0}, {"prevalence": 1}, {"separation": 0}])
def test_a_world_that_cannot_be_is_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        World(**options)
