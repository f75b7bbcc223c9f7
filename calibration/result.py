"""What a statistic answers: an estimate with n, interval and procedure, or `undefined` with the reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure that never travels alone.

    `low` to `high` is its interval at `confidence` (two-sided), made by `procedure` from `n` items. `standard_error`
    is None where the procedure has none (exact and bootstrap intervals).
    """

    value: float
    low: float
    high: float
    confidence: float
    n: int
    procedure: str
    standard_error: float | None = None


@dataclass(frozen=True, slots=True)
class Undefined:
    """What a statistic answers when the data cannot define it: never 0, 1 or nan. `reason` is a sentence."""

    reason: str
    n: int
    procedure: str


class Degenerate(Exception):
    """Raised inside an estimator when the data cannot define a figure; leaves the package as `Undefined`."""
