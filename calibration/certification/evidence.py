"""Which answers to a question may carry a promise: audit pool, blind, from the line up, thinned to a uniform sample."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.arrays import Booleans, Floats
from calibration.certification.gold import Gold, Standing, settle
from calibration.certification.items import Item, Question
from calibration.sampling.draw import thin


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sample a promise may rest on, and how much of the file it is.

    `sample` and `gold` run together. `audit` items were drawn for measuring, `blind` of them have a blind or an
    adjudicated answer. Of those, `below_line` score less than the `line` and say nothing about any threshold from there
    up; `sample` is what thinning to a uniform sample leaves of the others. An item without gold (disputed, or nobody
    was sure) stays in the sample and counts as wrong until somebody decides: to leave it out would be to leave out the
    hard ones.

    A file that does not say how items were drawn (`pool_stated`) or whether answers were blind (`blind_stated`) is
    read as if all was well, so that its reader can see what it would be worth; it must not certify.
    """

    sample: tuple[Item, ...]
    gold: tuple[Gold, ...]
    blind: tuple[Item, ...]
    audit: int
    pool_stated: bool
    blind_stated: bool
    inclusion_stated: bool
    line: float | None = None

    @property
    def below_line(self) -> int:
        return sum(not _from_line(item, self.line) for item in self.blind)

    @property
    def thinned(self) -> int:
        """How many items from the line up were left out again, so that all had the same chance."""
        return len(self.blind) - self.below_line - len(self.sample)

    @property
    def scores(self) -> Floats:
        return np.array([item.probability for item in self.sample], dtype=np.float64)

    @property
    def right(self) -> Booleans:
        return np.array([gold.right is True for gold in self.gold], dtype=np.bool_)

    def standing(self, standing: Standing) -> int:
        """How many items of the sample stand like this."""
        return sum(gold.standing is standing for gold in self.gold)

    @property
    def unsettled(self) -> int:
        return sum(gold.right is None for gold in self.gold)


def gather(question: Question, *, seed: int = 0, line: float | None = None) -> Evidence:
    """Everything of a question that may count, and nothing else.

    `line` is the lowest threshold that will be asked about (None: any). Precision at a threshold depends on the items
    from there up alone, so those below the line are left out and only the others are thinned: a draw that took many
    from the line up (`AtLine`) loses none of them. Where inclusion probabilities differ, items are thinned to a uniform
    sample by `seed`, since an exact promise cannot rest on weights. Where only some items of the audit pool state one,
    none is used and `inclusion_stated` is False.

    Source: Poisson sampling thinned to a constant rate, C.-E. Särndal, B. Swensson and J. Wretman, "Model Assisted
    Survey Sampling" (1992), section 3.5; the choice of answers is ours.

    >>> from calibration.certification.items import questions
    >>> from calibration.labels.label import Label
    >>> said = [Label(str(n), f"Late {n}", "topic", "delivery", 0.9, True, pool="audit", blind=n < 3) for n in range(5)]
    >>> evidence = gather(questions(said)[0])
    >>> evidence.audit, len(evidence.blind), len(evidence.sample)
    (5, 3, 3)
    """
    pool_stated = any(item.pool is not None for item in question.items)
    drawn = [item for item in question.items if item.pool == "audit" or not pool_stated]
    blind_stated = any(answer.blind is not None for item in question.items for answer in item.answers)
    read = drawn if blind_stated else [_as_if_blind(item) for item in drawn]
    settled = [(item, settle(item)) for item in read]
    counted = [(item, gold) for item, gold in settled if gold.standing is not Standing.NOT_BLIND]
    stated = [item.inclusion_probability is not None for item, _ in counted]
    weighted = bool(stated) and all(stated)
    above = [pair for pair in counted if _from_line(pair[0], line)]
    kept = _uniform([item for item, _ in above], seed) if weighted else np.ones(len(above), dtype=np.bool_)
    sample = [pair for pair, keep in zip(above, kept, strict=True) if keep]
    return Evidence(
        sample=tuple(item for item, _ in sample),
        gold=tuple(gold for _, gold in sample),
        blind=tuple(item for item, _ in counted),
        audit=len(drawn),
        pool_stated=pool_stated,
        blind_stated=blind_stated,
        inclusion_stated=all(stated) or not any(stated),
        line=line,
    )


def _from_line(item: Item, line: float | None) -> bool:
    return line is None or item.probability >= line


def _as_if_blind(item: Item) -> Item:
    return replace(item, answers=tuple(replace(answer, blind=not answer.adjudicated) for answer in item.answers))


def _uniform(items: Sequence[Item], seed: int) -> Booleans:
    return thin([item.ids[0] for item in items], [item.inclusion_probability or 1 for item in items], seed=seed)
