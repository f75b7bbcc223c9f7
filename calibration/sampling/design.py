"""A sampling design as a value: what is written down before anything is drawn, and the strata it means."""

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, Integers, counts, floats


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every item of the pool with the same chance. What is drawn may certify a promise.

    Raises:
        ValueError: fewer than 1 label.
    """

    labels: int

    def __post_init__(self) -> None:
        _at_least_one(self.labels)


@dataclass(frozen=True, slots=True)
class Stratified:
    """A uniform part first, then more where the model is unsure: strata are score bins, times topics.

    `edges` cut the scores into bins `[edge, next edge)`; take them from the candidate thresholds, so that no stratum
    lies on both sides of one. `uniform_share` of the labels (at least 0.3, to catch confident errors) is drawn from
    the whole pool; each stratum then gets `floor` items or all it holds, and the rest follows Neyman's allocation. So
    no item has a chance below `uniform_share * labels / pool`, however large the pool: nothing is unlabelable, and no
    weight is above `1 / uniform_share` times the average. `least_probability` asks for a higher chance (0.01, say);
    a draw is refused where the labels do not reach for it, `least_probability * pool` at the least.

    Raises:
        ValueError: a figure lies outside its range.
    """

    labels: int
    edges: tuple[float, ...]
    uniform_share: float = 0.3
    floor: int = 10
    least_probability: float | None = None

    def __post_init__(self) -> None:
        _at_least_one(self.labels)
        if not np.isfinite(self.edges).all() or any(right <= left for left, right in itertools.pairwise(self.edges)):
            raise ValueError(f"edges must be finite and rise, not {self.edges}")
        if not 0.3 <= self.uniform_share <= 1:
            raise ValueError(f"uniform_share must be from 0.3 to 1, not {self.uniform_share}")
        if self.floor < 0:
            raise ValueError(f"floor must be 0 or more, not {self.floor}")
        if self.least_probability is not None and not 0 < self.least_probability <= 1:
            raise ValueError(f"least_probability must be above 0 and at most 1, not {self.least_probability}")

    def uniform_labels(self) -> int:
        """How many of the labels the uniform part takes: its share, rounded up.

        >>> Stratified(labels=400, edges=(0.5, 0.9)).uniform_labels()
        120
        """
        return _share_of(self.labels, self.uniform_share)


@dataclass(frozen=True, slots=True)
class AtLine:
    """A uniform part first, then all other labels uniformly among the items scored `line` or more.

    For a promise at thresholds from `line` up, on which items below it say nothing: there every item has the same
    chance, and below the line every item has the (smaller) chance that the uniform part gives it, so that what is
    missed can be measured too. `line` is the lowest candidate threshold. `uniform_share` of the labels, rounded up,
    is drawn from the whole pool.

    Raises:
        ValueError: fewer than 1 label, a line outside 0 to 1, or a share that is not above 0 and at most 1.
    """

    labels: int
    line: float
    uniform_share: float = 0.3

    def __post_init__(self) -> None:
        _at_least_one(self.labels)
        if not 0 <= self.line <= 1:
            raise ValueError(f"line must be from 0 to 1, not {self.line}")
        if not 0 < self.uniform_share <= 1:
            raise ValueError(f"uniform_share must be above 0 and at most 1, not {self.uniform_share}")

    def uniform_labels(self) -> int:
        """How many of the labels the uniform part takes: its share, rounded up.

        >>> AtLine(labels=60, line=0.3).uniform_labels()
        18
        """
        return _share_of(self.labels, self.uniform_share)


@dataclass(frozen=True, slots=True)
class Targeted:
    """The items with the highest priority: for training and for finding bugs, never for a guarantee.

    Raises:
        ValueError: fewer than 1 label.
    """

    labels: int

    def __post_init__(self) -> None:
        _at_least_one(self.labels)


def design_id(design: Uniform | Stratified | AtLine | Targeted) -> str:
    """The name of a design: its kind and the first 12 digits of the SHA-256 of its JSON.

    Source: FIPS PUB 180-4, "Secure Hash Standard", NIST (2015).

    >>> design_id(Uniform(200)) == design_id(Uniform(labels=200)) != design_id(Targeted(200))
    True
    """
    says = json.dumps(asdict(design), sort_keys=True)
    return f"{type(design).__name__.lower()}-{hashlib.sha256(says.encode()).hexdigest()[:12]}"


def strata(scores: ArrayLike, edges: Sequence[float], topics: Sequence[str] | None = None) -> tuple[str, ...]:
    """The stratum of each item (scores: shape `(n,)`): its topic, where topics are given, and its score bin.

    A score on an edge belongs to the bin above it, as a score on a threshold passes it.

    Source: W. G. Cochran, "Sampling Techniques" (1977) (construction of strata).

    Raises:
        ValueError: scores that are no finite numbers, or another number of topics.

    >>> strata([0.2, 0.5, 0.95], (0.5, 0.9), ["billing", "billing", "app"])
    ('billing below 0.5', 'billing 0.5 to 0.9', 'app from 0.9')
    """
    known = floats(scores, "scores")
    names = _bins(edges)
    bins = np.searchsorted(np.asarray(edges, dtype=np.float64), known, side="right")
    if topics is None:
        return tuple(names[bin_] for bin_ in bins)
    if len(topics) != known.size:
        raise ValueError(f"topics must be one per score: {len(topics)} topics, {known.size} scores")
    return tuple(f"{topic} {names[bin_]}" for topic, bin_ in zip(topics, bins, strict=True))


def neyman(
    sizes: ArrayLike, spreads: ArrayLike, labels: int, *, least: ArrayLike = 0, already: ArrayLike = 0.0
) -> Integers:
    """How many of `labels` each stratum gets, so that an estimate of the whole varies least.

    In proportion to size times spread (`N_h S_h`, shapes `(H,)`), less what each gets `already` from elsewhere; at
    least `least`, never more than a stratum holds. Largest remainders round, ties go to the first.

    Source: J. Neyman, "On the two different aspects of the representative method", Journal of the Royal Statistical
    Society 97 (1934).

    Raises:
        ValueError: fewer labels than the strata need at the least, or more than they hold.

    >>> neyman([100_000, 500_000], [20, 12], 100)
    array([25, 75])
    """
    size = counts(sizes, "sizes")
    spread = floats(spreads, "spreads", shape=size.shape)
    if (spread < 0).any():
        raise ValueError(f"spreads[{int(spread.argmin())}] must be 0 or more, not {spread.min():g}")
    low = np.minimum(np.broadcast_to(counts(np.atleast_1d(least), "least"), size.shape), size)
    before = np.broadcast_to(floats(np.atleast_1d(already), "already"), size.shape)
    if not low.sum() <= labels <= size.sum():
        raise ValueError(
            f"{labels} labels cannot be shared out: the strata need {low.sum()} at the least and hold {size.sum()}; "
            "label more, merge strata, or lower the floor"
        )
    largest = float(spread.max(initial=0))
    relative = spread / largest if largest else np.ones(size.size)
    # a stratum without spread comes last, but must be able to take what the others cannot hold
    pull = np.asarray(size * np.maximum(relative, 1e-9), dtype=np.float64)
    return _rounded(_water_level(pull, before, low, size, labels), low, size)


def _water_level(pull: Floats, before: Floats, low: Integers, high: Integers, labels: int) -> Floats:
    def shares(level: float) -> Floats:
        return np.clip(level * pull - before, low, high)

    bottom, top = 0.0, float(((high + before) / np.maximum(pull, 1e-9)).max(initial=0))
    for _ in range(200):
        middle = (bottom + top) / 2
        bottom, top = (middle, top) if shares(middle).sum() < labels else (bottom, middle)
    return shares(top)


def _rounded(shares: Floats, low: Integers, high: Integers) -> Integers:
    total = round(float(shares.sum()))
    whole = np.clip(np.floor(np.round(shares, 6)).astype(np.int64), low, high)
    room = np.flatnonzero(whole < high)
    order = room[np.argsort(-np.round(shares - whole, 6)[room], kind="stable")]
    whole[order[: total - int(whole.sum())]] += 1
    return whole


def _bins(edges: Sequence[float]) -> list[str]:
    if not len(edges):
        return ["any score"]
    inner = [f"{left:g} to {right:g}" for left, right in itertools.pairwise(edges)]
    return [f"below {edges[0]:g}", *inner, f"from {edges[-1]:g}"]


def _share_of(labels: int, share: float) -> int:
    return int(np.ceil(round(labels * share, 9)))


def _at_least_one(labels: int) -> None:
    if not labels >= 1:
        raise ValueError(f"labels must be 1 or more, not {labels}")
