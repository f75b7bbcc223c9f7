"""Maps as JSON and back: a map stored today gives the same bits tomorrow."""

import json
from dataclasses import asdict, fields
from typing import Any

from calibration.calibrators.beta import Beta
from calibration.calibrators.class_scaling import ClassScaling
from calibration.calibrators.identity import Identity
from calibration.calibrators.isotonic import Isotonic
from calibration.calibrators.platt import Platt
from calibration.calibrators.segments import SegmentMap
from calibration.calibrators.temperature import Temperature
from calibration.calibrators.venn_abers import VennAbers

ScoreMap = Identity | Temperature | Platt | Beta | Isotonic | VennAbers | ClassScaling
StoredMap = ScoreMap | SegmentMap

MAPS: dict[str, type[StoredMap]] = {
    "identity": Identity,
    "temperature": Temperature,
    "platt": Platt,
    "beta": Beta,
    "isotonic": Isotonic,
    "venn_abers": VennAbers,
    "class_scaling": ClassScaling,
    "segments": SegmentMap,
}
LISTS = {"knots", "values", "low", "high", "scales", "biases", "shifts", "slopes"}


def to_json(fitted: StoredMap) -> str:
    """The map's name and plain parameters, each number with every bit.

    Source: shortest exact decimals: G. L. Steele and J. L. White, "How to print floating-point numbers accurately",
    PLDI (1990), as Python's repr.

    >>> to_json(Platt(0.1, -0.3))
    '{"map": "platt", "slope": 0.1, "intercept": -0.3}'
    """
    name = next(name for name, kind in MAPS.items() if type(fitted) is kind)
    return json.dumps({"map": name, **asdict(fitted)}, allow_nan=False)


def from_json(text: str) -> StoredMap:
    """The map that `to_json` wrote.

    Source: as `to_json`.

    Raises:
        ValueError: no JSON object, an unknown map, a missing or unknown parameter, or a value out of its range.

    >>> from_json('{"map": "temperature", "temperature": 1.5}')
    Temperature(temperature=1.5)
    """
    stored = json.loads(text, parse_constant=_refuse)
    if not isinstance(stored, dict) or stored.get("map") not in MAPS:
        raise ValueError(f"a stored map names one of {', '.join(MAPS)} under 'map'")
    kind = MAPS[stored.pop("map")]
    wanted = [field.name for field in fields(kind)]
    if set(stored) != set(wanted):
        raise ValueError(f"{kind.__name__} has the parameters {', '.join(wanted) or 'none'}, not {', '.join(stored)}")
    parameters: dict[str, Any] = {name: _parameter(name, value) for name, value in stored.items()}
    return kind(**parameters)


def _parameter(name: str, value: object) -> object:
    if name == "segments" and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if name in LISTS and isinstance(value, list) and all(isinstance(one, float | int) for one in value):
        return tuple(map(float, value))
    if name not in {*LISTS, "segments"} and isinstance(value, float | int):
        return float(value)
    raise ValueError(f"{name} must hold numbers, or names for segments, not {value!r}")


def _refuse(constant: str) -> object:
    raise ValueError(f"a stored map cannot hold {constant}")
