"""What an array must be before anything is computed from it; the error names the place."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
LARGEST_WHOLE = 2.0**53


def floats(values: ArrayLike, name: str, *, shape: Sequence[int | None] = (None,)) -> Floats:
    """An array of finite numbers of the given shape (None: any length).

    Raises:
        ValueError: another shape, something that is no number, nan or infinity, with the first place of it.

    >>> floats([0.5, 1], "scores")
    array([0.5, 1. ])
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers of shape {_shape(shape)}: {error}") from error
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{name} must have the shape {_shape(shape)}, not {array.shape}")
    _refuse(array, ~np.isfinite(array), name, "must be a finite number")
    return array


def probabilities(values: ArrayLike, name: str, *, shape: Sequence[int | None] = (None,)) -> Floats:
    """An array of numbers from 0 to 1.

    Raises:
        ValueError: as `floats`, and a number outside 0 to 1.

    >>> probabilities([0.2, 1.2], "probability")
    Traceback (most recent call last):
        ...
    ValueError: probability[1] must be from 0 to 1, not 1.2
    """
    array = floats(values, name, shape=shape)
    _refuse(array, (array < 0) | (array > 1), name, "must be from 0 to 1")
    return array


def weights(values: ArrayLike | None, n: int) -> Floats:
    """One weight of 0 or more per item; None is a weight of 1 each.

    Raises:
        ValueError: as `floats`, or a negative weight.

    >>> weights(None, 3)
    array([1., 1., 1.])
    """
    if values is None:
        return np.ones(n)
    array = floats(values, "weights", shape=(n,))
    _refuse(array, array < 0, "weights", "must be 0 or more")
    return array


def booleans(values: ArrayLike, name: str, *, shape: Sequence[int | None] = (None,)) -> Booleans:
    """An array of yes and no: booleans, or the numbers 0 and 1.

    Raises:
        ValueError: as `floats`, and a number other than 0 and 1.

    >>> booleans([1, 0, True], "right")
    array([ True, False,  True])
    """
    array = floats(values, name, shape=shape)
    _refuse(array, (array != 0) & (array != 1), name, "must be 0 or 1")
    return array.astype(np.bool_)


def counts(values: ArrayLike, name: str, *, shape: Sequence[int | None] = (None,)) -> Integers:
    """An array of whole numbers of 0 or more, up to 2^53 (beyond it a float skips some).

    Raises:
        ValueError: as `floats`, and a number that is negative, not whole or too large.

    >>> counts([3, 0], "counts")
    array([3, 0])
    """
    array = floats(values, name, shape=shape)
    _refuse(array, (array < 0) | (array != np.floor(array)), name, "must be a whole number of 0 or more")
    _refuse(array, array > LARGEST_WHOLE, name, "must be at most 2**53")
    return array.astype(np.int64)


def confidence_level(value: float, name: str = "confidence") -> float:
    """A confidence strictly between 0 and 1.

    Raises:
        ValueError: it is not.

    >>> confidence_level(0.95)
    0.95
    """
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie strictly between 0 and 1, not {value}")
    return value


def _refuse(array: Floats, bad: Booleans, name: str, rule: str) -> None:
    if bad.any():
        place = tuple(int(index) for index in np.argwhere(bad)[0])
        where = f"[{', '.join(map(str, place))}]" if place else ""
        raise ValueError(f"{name}{where} {rule}, not {array[place]:g}")


def _shape(shape: Sequence[int | None]) -> str:
    return "(" + ", ".join("any" if one is None else str(one) for one in shape) + ("," if len(shape) == 1 else "") + ")"
