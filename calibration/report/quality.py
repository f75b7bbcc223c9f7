"""How good the model's probabilities are for one question, and the map that would mend them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from calibration.arrays import Booleans, Floats
from calibration.calibrators.in_the_large import InTheLarge, calibration_in_the_large
from calibration.calibrators.logits import to_logits
from calibration.calibrators.select import Selection, select_map
from calibration.metrics.calibration_error import debiased_calibration_error, expected_calibration_error
from calibration.metrics.murphy import BrierParts, murphy
from calibration.metrics.noise_floor import MeasuredError, NoiseFloor
from calibration.metrics.proper_scores import brier_losses, brier_score, log_loss, log_losses
from calibration.metrics.ranking import roc_auc
from calibration.metrics.reliability import ReliabilityBin, reliability_bins
from calibration.metrics.score_floor import score_floor
from calibration.metrics.smooth import smooth_calibration_error
from calibration.metrics.spiegelhalter import CalibrationTest, spiegelhalter
from calibration.result import Estimate, Undefined

BINS = 10


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures on `n` gold labels, `right` of which are yes; each error stands beside what chance alone would show.

    `log_loss_floor` and `brier_floor` are what honest probabilities of this spread would score. `map` is the
    calibration map chosen by label count and cross-validated log loss.
    """

    n: int
    right: int
    log_loss: Estimate | Undefined
    log_loss_floor: NoiseFloor | Undefined
    brier: Estimate | Undefined
    brier_floor: NoiseFloor | Undefined
    brier_parts: BrierParts | Undefined
    auc: Estimate | Undefined
    calibration_error: MeasuredError | Undefined
    debiased_error: MeasuredError | Undefined
    smooth_error: MeasuredError | Undefined
    calibration_test: CalibrationTest | Undefined
    bins: tuple[ReliabilityBin, ...]
    map: Selection


def quality(probability: Floats, right: Booleans, *, seed: int = 0) -> Quality:
    """Measure probabilities (n,) from 0 to 1 against gold (n,).

    Raises:
        ValueError: arrays of different lengths, or a probability outside 0 to 1.

    >>> import numpy as np
    >>> found = quality(np.array([0.2, 0.2, 0.8, 0.8]), np.array([False, False, True, True]))
    >>> round(found.brier.value, 2), found.map.name
    (0.04, 'identity')
    """
    return Quality(
        n=len(right),
        right=int(right.sum()),
        log_loss=log_loss(right, probability, seed=seed),
        log_loss_floor=score_floor(log_losses, probability, seed=seed),
        brier=brier_score(right, probability, seed=seed),
        brier_floor=score_floor(brier_losses, probability, seed=seed),
        brier_parts=murphy(right, probability),
        auc=roc_auc(right, probability),
        calibration_error=expected_calibration_error(right, probability, seed=seed),
        debiased_error=debiased_calibration_error(right, probability, seed=seed),
        smooth_error=smooth_calibration_error(right, probability, seed=seed),
        calibration_test=spiegelhalter(right, probability),
        bins=reliability_bins(right, probability, bins=BINS),
        map=select_map(to_logits(probability), right, seed=seed),
    )


@dataclass(frozen=True, slots=True)
class Segment:
    """Calibration in one source or language: does the model say yes as often there as people do?"""

    kind: str
    name: str
    n: int
    in_the_large: InTheLarge | Undefined


def segments(kind: str, names: Sequence[str], probability: Floats, right: Booleans) -> tuple[Segment, ...]:
    """One row per source or language; none where all items are from one.

    Raises:
        ValueError: as `calibration_in_the_large`.

    >>> import numpy as np
    >>> half = np.full(40, 0.5)
    >>> [(one.name, one.n) for one in segments("source", ["app"] * 30 + ["mail"] * 10, half, half > 0.4)]
    [('app', 30), ('mail', 10)]
    """
    if len(set(names)) < 2:
        return ()
    tested = calibration_in_the_large(probability, right, names)
    counted = Counter(names)
    return tuple(Segment(kind, name, counted[name], found) for name, found in tested.items())
