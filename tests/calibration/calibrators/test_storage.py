import json

import numpy as np
import pytest

from calibration.calibrators.beta import Beta
from calibration.calibrators.class_scaling import ClassScaling
from calibration.calibrators.identity import Identity
from calibration.calibrators.isotonic import Isotonic
from calibration.calibrators.platt import Platt
from calibration.calibrators.segments import SegmentMap
from calibration.calibrators.storage import from_json, to_json
from calibration.calibrators.temperature import Temperature
from calibration.calibrators.venn_abers import VennAbers

THIRD = 1 / 3


@pytest.mark.parametrize(
    "fitted",
    [
        Identity(),
        Temperature(THIRD),
        Platt(THIRD, -0.1),
        Beta(THIRD, 0.0, 1e-17),
        Isotonic((-THIRD, THIRD), (0.1, 0.7)),
        VennAbers((THIRD,), (0.0, THIRD), (0.5, 1.0)),
        ClassScaling((THIRD, 2.0), (0.1, -0.1)),
        SegmentMap(1.0, THIRD, ("mail", "chät"), (0.1, -0.1), (0.0, THIRD)),
    ],
    ids=lambda fitted: type(fitted).__name__,
)
def test_every_map_comes_back_as_it_was(fitted):
    assert from_json(to_json(fitted)) == fitted


def test_every_bit_of_a_number_comes_back():
    for number in np.random.default_rng(0).normal(size=500) ** 9:
        assert from_json(to_json(Platt(1.0, float(number)))).intercept == number


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "names one of identity, temperature"),
        ('{"map": "magic"}', "names one of identity, temperature"),
        ('{"map": "platt", "slope": 1}', "has the parameters slope, intercept"),
        ('{"map": "platt", "slope": 1, "intercept": 0, "more": 1}', "has the parameters slope, intercept"),
        ('{"map": "platt", "slope": 1, "intercept": NaN}', "cannot hold NaN"),
        ('{"map": "platt", "slope": [1], "intercept": 0}', "slope must hold numbers"),
        ('{"map": "platt", "slope": -1, "intercept": 0}', "slope must be above 0"),
        ('{"map": "isotonic", "knots": [0, "1"], "values": [0, 1]}', "knots must hold numbers"),
        ('{"map": "isotonic", "knots": [1, 0], "values": [0, 1]}', "knots must rise"),
        ("{", "Expecting"),
    ],
)
def test_what_is_no_stored_map_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        from_json(text)


def test_a_stored_map_is_plain_json():
    assert json.loads(to_json(Platt(2.0, 1.0))) == {"map": "platt", "slope": 2.0, "intercept": 1.0}
