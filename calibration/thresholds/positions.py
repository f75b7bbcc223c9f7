"""Where a threshold may stand, and where it goes: the positions that a certificate proved."""

from collections.abc import Sequence

from calibration.thresholds.precision import Certified, passed


def proved(certified: Certified) -> tuple[float, ...]:
    """Every threshold at which the promise holds, rising; the certified one is the first.

    The promise holds at all of them at once, not only at the lowest. The rungs are tested in an order that was fixed
    before the labels were seen, each at the full error rate, and the walk stops at the first that fails. To pass a
    false rung, the walk must pass the first false rung of that order, which happens with probability
    `1 - confidence` at most; until then everything passed is true. So the family-wise error rate covers whatever
    passed, and a person may choose among those rungs with the answers in hand. Rungs that are "unseen", since no label
    has a score there, are left out. So are all rungs that were too few to test: a precision proved at one threshold
    implies none at a stricter one.

    Source: A. N. Angelopoulos et al., "Learn then Test", Annals of Applied Statistics 19 (2025), fixed-sequence
    testing; W. Maurer, L. A. Hothorn and W. Lehmacher, "Multiple comparisons in drug clinical trials and preclinical
    assays: a-priori ordered hypotheses", in J. Vollmar (editor), "Biometrie in der chemisch-pharmazeutischen
    Industrie" 6 (1995).

    >>> import numpy as np
    >>> from calibration.promise import Promise
    >>> from calibration.thresholds.precision import certify_precision
    >>> scores, answers = np.repeat([0.9, 0.8, 0.4], [40, 20, 40]), np.repeat([1, 0], [60, 40])
    >>> outcome = certify_precision(scores, answers, Promise(precision=0.90, confidence=0.95), grid=[0.4, 0.8, 0.9])
    >>> proved(outcome)
    (0.8, 0.9)
    """
    return tuple(rung.threshold for rung in reversed(passed(certified.ladder)))


def where(positions: Sequence[float], in_use: float | None) -> float:
    """The proved position at which a new certificate puts its threshold.

    The lowest at or above the threshold in use, so that nothing loosens by itself; where all lie below it, the highest,
    which loosens least. Where no threshold is in use, the lowest: it catches most.

    Source: none of its own; every position is proved (`proved`), and the rule is fixed before the labels are seen.

    Raises:
        ValueError: no position.

    >>> where([0.62, 0.7, 0.85], 0.65), where([0.62, 0.7, 0.85], 0.9), where([0.62, 0.7, 0.85], None)
    (0.7, 0.85, 0.62)
    """
    if not len(positions):
        raise ValueError("a certificate without a proved position puts no threshold anywhere")
    return min((one for one in positions if in_use is None or one >= in_use), default=max(positions))
