"""Draws for the audit pool, with the chance every item had; guarantees come only from here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Booleans, Floats, Integers, probabilities
from calibration.sampling.design import AtLine, Stratified, Uniform, design_id, neyman, strata
from calibration.sampling.lots import distinct, lots, pool_digest


@dataclass(frozen=True, slots=True)
class AuditDraw:
    """What was drawn, one entry per item in each column, sorted by id.

    `inclusion_probability` is the chance the item had before anything was drawn, exact for the whole design.
    `sampled_share` is the share of its stratum that was drawn in the end: given how many the uniform part happened to
    hit, the draw is stratified random, so an estimate weighted by its inverse varies less; `estimators` and `shares`
    do so where they get it with `stratum`. `uniform` marks the uniform
    part, which may certify as it is; `thin` makes a uniform sample of the whole.
    """

    ids: tuple[str, ...]
    inclusion_probability: tuple[float, ...]
    sampled_share: tuple[float, ...]
    stratum: tuple[str, ...]
    uniform: tuple[bool, ...]
    seed: int
    pool_size: int
    pool_digest: str
    design_id: str


def draw_uniform(ids: Sequence[str], design: Uniform, *, seed: int = 0) -> AuditDraw:
    """Draw items of a pool, each with the same chance, none twice; all of it where the pool is not larger.

    The same pool (in any order), design and seed give the same draw: the items with the smallest `lots`.

    Source: W. G. Cochran, "Sampling Techniques" (1977), chapter 2; C. T. Fan et al., JASA 57 (1962) for sampling by
    random keys.

    Raises:
        ValueError: two items share an id, or the pool is empty.

    >>> draw = draw_uniform(["a", "b", "c", "d"], Uniform(2), seed=1)
    >>> draw.ids, draw.inclusion_probability
    (('b', 'c'), (0.5, 0.5))
    """
    names = _sorted(ids)
    drawn = _smallest(lots(names, seed=seed, purpose="uniform"), min(design.labels, len(names)))
    chance = np.full(len(names), drawn.mean())
    return _audit(names, drawn, drawn, chance, ("all",) * len(names), seed, design_id(design))


def draw_stratified(
    ids: Sequence[str], scores: ArrayLike, design: Stratified, *, topics: Sequence[str] | None = None, seed: int = 0
) -> AuditDraw:
    """Draw a uniform part, then from what is left in each stratum, with Neyman's allocation; no item twice.

    Fewer than `design.labels` are drawn only where a stratum holds no more. `scores` (shape `(n,)`, 0 to 1) are
    calibrated probabilities, in the order of `ids`, as are `topics`; with p their mean, a stratum's labels spread like
    `sqrt(p (1 - p))`. An item's chance is (u + m) / N_h, with u the uniform part's expected hits in its stratum and m
    the draws added there, less what a nearly exhausted stratum cannot give (exact, by the hypergeometric law of the
    hits). The same pool (in any order), design and seed give the same draw.

    Source: J. Neyman, Journal of the Royal Statistical Society 97 (1934); W. G. Cochran, "Sampling Techniques" (1977),
    section 5.5.

    Raises:
        ValueError: two items share an id; scores outside 0 to 1; too few labels for the floor, or for a least
            chance that was asked for.

    >>> pool, score = [f"item {i}" for i in range(1000)], np.linspace(0, 1, 1000)
    >>> draw = draw_stratified(pool, score, Stratified(labels=100, edges=(0.4, 0.6)))
    >>> sorted(set(zip(draw.stratum, np.round(draw.inclusion_probability, 3).tolist())))
    [('0.4 to 0.6', 0.12), ('below 0.4', 0.095), ('from 0.6', 0.095)]
    """
    chances = probabilities(scores, "scores", shape=(len(ids),))
    order = np.argsort(np.asarray(ids, dtype=object), kind="stable")
    names = _sorted(ids)
    chances = chances[order]
    stratum = strata(chances, design.edges, None if topics is None else [topics[i] for i in order])
    code, sizes = np.unique(np.asarray(stratum, dtype=object).astype(str), return_inverse=True, return_counts=True)[1:]
    first = min(design.uniform_labels(), len(names))
    more = _allocate(chances, code, sizes, first, design)
    uniform = _smallest(lots(names, seed=seed, purpose="uniform"), first)
    added = _smallest_within(lots(names, seed=seed, purpose="stratified"), code, more, uniform)
    chance = _expected(sizes, first, more) / sizes
    return _audit(names, uniform | added, uniform, chance[code], stratum, seed, design_id(design))


def draw_at_line(ids: Sequence[str], scores: ArrayLike, design: AtLine, *, seed: int = 0) -> AuditDraw:
    """Draw a uniform part, then uniformly among what is left of the items scored `design.line` or more; none twice.

    Where those run out, the rest is drawn uniformly from the others; the whole pool where it is not larger than the
    labels. `scores` (shape `(n,)`, 0 to 1) are in the order of `ids`. With N items, A of them from the line up, u
    uniform labels and m others, an item from the line up has the chance E[min(H + m, A)] / A, H being the
    hypergeometric hits of the uniform part there; all others share what remains. The strata are 'below <line>' and
    'from <line>'; within each, every item has the same chance. The same pool (in any order), design and seed give the
    same draw.

    Source: W. G. Cochran, "Sampling Techniques" (1977), chapters 2 and 5; C. T. Fan et al., JASA 57 (1962) for
    sampling by random keys.

    Raises:
        ValueError: two items share an id, the pool is empty, or scores outside 0 to 1.

    >>> pool, score = [f"item {i}" for i in range(1000)], np.linspace(0, 1, 1000)
    >>> draw = draw_at_line(pool, score, AtLine(labels=100, line=0.8))
    >>> sorted(set(zip(draw.stratum, np.round(draw.inclusion_probability, 3).tolist())))
    [('below 0.8', 0.03), ('from 0.8', 0.38)]
    """
    chances = probabilities(scores, "scores", shape=(len(ids),))
    order = np.argsort(np.asarray(ids, dtype=object), kind="stable")
    names = _sorted(ids)
    above = chances[order] >= design.line
    labels = min(design.labels, len(names))
    first = min(design.uniform_labels(), labels)
    uniform = _smallest(lots(names, seed=seed, purpose="uniform"), first)
    # the items below the line come last, whatever their lot
    later = lots(names, seed=seed, purpose="at line") + 2 * ~above + 4 * uniform
    added = _smallest(later, labels - first)
    stratum = strata(chances[order], (design.line,))
    chance = np.where(above, *_chances_at_line(int(above.sum()), len(names), first, labels))
    return _audit(names, uniform | added, uniform, chance, stratum, seed, design_id(design))


def thin(ids: Sequence[str], inclusion_probability: ArrayLike, *, seed: int = 0) -> Booleans:
    """Choose which items to keep (shape `(n,)`) so that all had the same chance: a uniform sample of the pool again.

    An item stays with probability `min(pi) / pi_i`, decided by its id and the seed alone; the order of the items
    changes nothing. An exact bound on what is left is valid; one on all items together is not.

    Source: P. A. W. Lewis and G. S. Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", Naval
    Research Logistics Quarterly 26 (1979).

    Raises:
        ValueError: two items share an id, or a probability is not above 0 and at most 1.

    >>> kept = thin([f"item {i}" for i in range(1000)], [0.1] * 500 + [0.2] * 500)
    >>> int(kept[:500].sum()), int(kept[500:].sum())
    (500, 241)
    """
    chance = probabilities(inclusion_probability, "inclusion_probability", shape=(len(ids),))
    if not chance.size:
        return np.zeros(0, dtype=np.bool_)
    if not chance.min() > 0:
        raise ValueError(f"inclusion_probability[{int(chance.argmin())}] must be above 0: the item was drawn")
    kept: Booleans = lots(ids, seed=seed, purpose="thin") * chance < chance.min()
    return kept


def _allocate(chances: Floats, code: Integers, sizes: Integers, first: int, design: Stratified) -> Integers:
    if design.labels >= sizes.sum():
        return sizes
    hits = first * sizes / sizes.sum()
    # one right and one wrong added: a stratum whose scores are all 0 or 1 still needs a look
    share = (np.bincount(code, weights=chances) + 1) / (sizes + 2)
    wanted = np.maximum(design.floor, np.ceil(np.round((design.least_probability or 0) * sizes - hits, 9)))
    least = np.minimum(wanted, sizes)
    if least.sum() > design.labels - first:
        raise ValueError(
            f"{design.labels} labels are too few: {first} are drawn uniformly, and {sizes.size} strata need "
            f"{least.sum():.0f} more for the floor and the least chance; label more, merge strata, or lower "
            "floor or least_probability"
        )
    spreads = np.sqrt(share * (1 - share))
    return neyman(sizes, spreads, design.labels - first, least=least, already=hits)


def _chances_at_line(above: int, pool: int, first: int, labels: int) -> tuple[float, float]:
    """The chance of an item from the line up, and of one below it; 0 on a side that holds none."""
    if labels == pool:
        return 1.0, 1.0
    below = pool - above
    sizes = np.array([above, below])
    drawn = float(_expected(sizes, first, np.array([labels - first, 0]))[0])
    return (drawn / above if above else 0.0, min((labels - drawn) / below, 1.0) if below else 0.0)


def _expected(sizes: Integers, first: int, more: Integers) -> Floats:
    """The expected number drawn per stratum: of the hits of the uniform part, and of what is added while it lasts."""
    pool = int(sizes.sum())
    expected = first * sizes / pool + more
    for stratum in np.flatnonzero(more + np.minimum(first, sizes) > sizes):
        hits, odds = _hits(int(sizes[stratum]), pool, first)
        expected[stratum] = float(odds @ np.minimum(hits + more[stratum], sizes[stratum]))
    return np.asarray(np.minimum(expected, sizes), dtype=np.float64)


def _hits(size: int, pool: int, first: int) -> tuple[Integers, Floats]:
    """How often `first` of a pool may hit a stratum of this size, and the chance of each: hypergeometric."""
    hits = np.arange(max(0, first - (pool - size)), min(first, size) + 1)
    fewer = hits[:-1]
    steps = np.log((size - fewer) * (first - fewer)) - np.log((fewer + 1) * (pool - size - first + fewer + 1))
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    odds = np.exp(logs - logs.max())
    return hits, odds / odds.sum()


def _sorted(ids: Sequence[str]) -> list[str]:
    if not len(ids):
        raise ValueError("the pool must hold 1 item or more")
    distinct(ids)
    return sorted(ids)


def _smallest(numbers: Floats, many: int) -> Booleans:
    chosen = np.zeros(numbers.size, dtype=np.bool_)
    chosen[np.argsort(numbers, kind="stable")[:many]] = True
    return chosen


def _smallest_within(numbers: Floats, code: Integers, many: Integers, taken: Booleans) -> Booleans:
    left = np.flatnonzero(~taken)
    order = left[np.lexsort((numbers[left], code[left]))]
    rank = np.arange(order.size) - np.searchsorted(code[order], code[order], side="left")
    chosen = np.zeros(numbers.size, dtype=np.bool_)
    chosen[order[rank < many[code[order]]]] = True
    return chosen


def _audit(
    names: list[str],
    drawn: Booleans,
    uniform: Booleans,
    chance: Floats,
    stratum: tuple[str, ...],
    seed: int,
    design: str,
) -> AuditDraw:
    rows = np.flatnonzero(drawn)
    sizes, many = Counter(stratum), Counter(stratum[row] for row in rows)
    return AuditDraw(
        ids=tuple(names[row] for row in rows),
        inclusion_probability=tuple(chance[rows].tolist()),
        sampled_share=tuple(many[stratum[row]] / sizes[stratum[row]] for row in rows),
        stratum=tuple(stratum[row] for row in rows),
        uniform=tuple(uniform[rows].tolist()),
        seed=seed,
        pool_size=len(names),
        pool_digest=pool_digest(names),
        design_id=design,
    )
