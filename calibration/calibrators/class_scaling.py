"""Maps for K classes: temperature, temperature plus class biases, vector scaling; each a scale and bias per class."""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, Integers, counts
from calibration.arrays import weights as checked_weights
from calibration.calibrators.logits import class_logits
from calibration.calibrators.newton import newton
from calibration.result import Degenerate, Undefined

RIDGE = 2.5  # 0.05 of the mean log loss of 50 labels, where it was measured; kept as a prior, it fades as labels grow


@dataclass(frozen=True, slots=True)
class ClassScaling:
    """p = softmax(scales * logits + biases), one scale above 0 and one bias per class."""

    scales: tuple[float, ...]
    biases: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.scales) != len(self.biases) or len(self.scales) < 2:
            raise ValueError(f"2 or more classes need as many scales as biases, not {self.scales} and {self.biases}")
        if not min(self.scales) > 0:
            raise ValueError(f"every scale must be above 0, not {self.scales}")

    def apply(self, logits: ArrayLike) -> Floats:
        """Probabilities of shape (n, K) from logits of shape (n, K); each row sums to 1.

        Source: Guo et al. (2017), as `fit_vector_scaling`.

        Raises:
            ValueError: another number of classes, nan or infinity.

        >>> ClassScaling((1.0, 1.0), (0.0, 0.0)).apply([[0, 0]])
        array([[0.5, 0.5]])
        """
        scores = class_logits(logits)
        if scores.shape[1] != len(self.scales):
            raise ValueError(f"logits must have {len(self.scales)} columns, as the map, not {scores.shape[1]}")
        return np.asarray(scipy.special.softmax(scores * self.scales + self.biases, axis=1), dtype=np.float64)


def fit_class_identity(logits: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None) -> ClassScaling:
    """The map that changes nothing, for K classes.

    Source: the uncalibrated model of Guo et al. (2017), table 1.

    Raises:
        ValueError: as `fit_vector_scaling`.

    >>> fit_class_identity([[1, 0, 0]], [0])
    ClassScaling(scales=(1.0, 1.0, 1.0), biases=(0.0, 0.0, 0.0))
    """
    classes = _sample(logits, labels, weights)[0].shape[1]
    return ClassScaling((1.0,) * classes, (0.0,) * classes)


def fit_class_temperature(
    logits: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None
) -> ClassScaling | Undefined:
    """Temperature scaling for K classes: one scale 1 / T for all, no bias. The ranking of classes never changes.

    Shapes (n, K) and (n,), labels 0 to K - 1, a weight counts as that many items. Undefined for one class only, where
    the top score is always right (T to 0), and for scores no better than chance (T to infinity).

    Source: Guo et al. (2017), as `fit_vector_scaling`.

    Raises:
        ValueError: as `fit_vector_scaling`.

    >>> fitted = fit_class_temperature([[2, 0], [2, 0], [2, 0], [2, 0]], [0, 0, 0, 1])
    >>> round(1 / fitted.scales[0], 4)  # T = 2 / ln 3
    1.8205
    """
    sample = _sample(logits, labels, weights)
    one_scale = np.zeros((2 * sample[0].shape[1], 1))
    one_scale[: sample[0].shape[1], 0] = 1
    return _fit(*sample, one_scale, np.zeros(1), "temperature scaling over classes")


def fit_temperature_and_biases(
    logits: ArrayLike, labels: ArrayLike, *, ridge: float = RIDGE, weights: ArrayLike | None = None
) -> ClassScaling | Undefined:
    """One scale for all classes and a bias for each: what repairs a new domain from 50 labels on.

    Minimises total log loss + `ridge` * sum of biases^2, so the biases sum to 0. Shapes and refusals as
    `fit_class_temperature`; also undefined where a class has no label.

    Source: A. Alexandari, A. Kundaje and A. Shrikumar, "Maximum likelihood with bias-corrected calibration is
    hard-to-beat at label shift adaptation", ICML (2020): "bias-corrected temperature scaling".

    Raises:
        ValueError: as `fit_vector_scaling`.

    >>> fitted = fit_temperature_and_biases([[2, 0], [2, 0], [0, 2], [0, 2]], [0, 1, 1, 1])
    >>> fitted.biases[0] < 0 < fitted.biases[1]
    True
    """
    sample = _sample(logits, labels, weights)
    classes = sample[0].shape[1]
    shared = np.zeros((2 * classes, 1 + classes))
    shared[:classes, 0] = 1
    shared[classes:, 1:] = np.eye(classes)
    penalty = np.append(0.0, np.full(classes, _checked(ridge)))
    return _fit(*sample, shared, penalty, "temperature scaling with class biases")


def fit_vector_scaling(
    logits: ArrayLike, labels: ArrayLike, *, ridge: float = RIDGE, weights: ArrayLike | None = None
) -> ClassScaling | Undefined:
    """A scale and a bias for every class, for more than about 100 labels a class.

    Minimises total log loss + `ridge` * (sum of biases^2 + sum of (scales - their mean)^2). Shapes and refusals as
    `fit_temperature_and_biases`; also undefined where the scale of some class would not be above 0. Keep a ridge: with
    none, a class that is told from the others without an error gets a scale without limit.

    Source: C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks", ICML (2017).

    Raises:
        ValueError: other shapes, a label that is no class, a negative weight or ridge, nan or infinity.

    >>> fitted = fit_vector_scaling([[2, 0], [2, 0], [0, 2], [0, 2]], [0, 1, 1, 1])
    >>> len(fitted.scales), fitted.biases[0] < 0
    (2, True)
    """
    sample = _sample(logits, labels, weights)
    classes = sample[0].shape[1]
    return _fit(*sample, np.eye(2 * classes), np.full(2 * classes, _checked(ridge)), "vector scaling")


def _fit(
    scores: Floats, labels: Integers, each: Floats, free: Floats, penalty: Floats, procedure: str
) -> ClassScaling | Undefined:
    """Fit scales and biases of the form `free` @ parameters; the columns of `free` span what may vary."""
    classes = scores.shape[1]
    if refused := _refusal(scores, labels, each, procedure, own_bias=bool(free[classes:].any())):
        return refused
    truth = np.eye(classes)[labels]
    spread = np.diag(penalty)
    if len(penalty) == 2 * classes:  # scales are drawn to their mean, not to 0
        spread[:classes, :classes] -= penalty[0] / classes

    def loss(parameters: Floats) -> tuple[float, Floats, Floats]:
        scales, biases = np.split(free @ parameters, 2)
        eta = scores * scales + biases
        p = scipy.special.softmax(eta, axis=1)
        value = (
            each @ (scipy.special.logsumexp(eta, axis=1) - np.sum(truth * eta, axis=1))
            + parameters @ spread @ parameters
        )
        error = each[:, np.newaxis] * (p - truth)
        gradient = np.concatenate([np.sum(error * scores, axis=0), error.sum(axis=0)])
        moves = np.hstack([p * scores, p])
        weighted = each[:, np.newaxis] * p
        own = [np.diag(np.sum(weighted * scores**power, axis=0)) for power in (2, 1, 0)]
        hessian = np.block([[own[0], own[1]], [own[1], own[2]]]) - moves.T @ (each[:, np.newaxis] * moves)
        return float(value), free.T @ gradient + 2 * spread @ parameters, free.T @ hessian @ free + 2 * spread

    try:
        scales, biases = np.split(free @ newton(loss, np.zeros(free.shape[1])), 2)
    except Degenerate as degenerate:
        return Undefined(str(degenerate), round(float(each.sum())), procedure)
    if scales.min() <= 1e-9:
        reason = "higher scores of a class are not more often right: the score is no better than chance"
        return Undefined(reason, round(float(each.sum())), procedure)
    return ClassScaling(tuple(scales.tolist()), tuple(biases.tolist()))


def _refusal(scores: Floats, labels: Integers, each: Floats, procedure: str, *, own_bias: bool) -> Undefined | None:
    n = round(float(each.sum()))
    if len(np.unique(labels)) < 2:
        few = {0: "there is no label", 1: "there is only one label"}.get(n, f"all {n} labels are of one class")
        return Undefined(f"{few}: a map needs two classes or more", n, procedure)
    if np.all(scores[np.arange(len(labels)), labels] == scores.max(axis=1)):
        return Undefined("the top score is always right: how often it errs cannot be learnt from them", n, procedure)
    missing = np.setdiff1d(np.arange(scores.shape[1]), labels)
    if own_bias and len(missing):
        return Undefined(f"class {missing[0]} has no label: its bias cannot be learnt", n, procedure)
    return None


def _sample(logits: ArrayLike, labels: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Integers, Floats]:
    """Scores, labels and weights above 0, in an order of their own: that of the items reaches no sum."""
    scores = class_logits(logits)
    classes = counts(labels, "labels", shape=(len(scores),))
    if len(classes) and classes.max() >= scores.shape[1]:
        place = int(classes.argmax())
        raise ValueError(f"labels[{place}] must be from 0 to {scores.shape[1] - 1}, not {classes[place]}")
    each = checked_weights(weights, len(scores))
    kept = np.lexsort((each, classes, *scores.T))
    kept = kept[each[kept] > 0]
    return scores[kept], classes[kept], each[kept]


def _checked(ridge: float) -> float:
    if not ridge >= 0:
        raise ValueError(f"ridge must be 0 or more, not {ridge}")
    return float(ridge)
