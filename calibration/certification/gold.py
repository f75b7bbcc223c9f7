"""Gold: what is taken as the truth about an item, and how it came to be. Derived, never stored over raw answers."""

from dataclasses import dataclass
from enum import StrEnum

from calibration.certification.items import Answer, Item


class Standing(StrEnum):
    """How an item stands. The first three are gold; `disputed` and `unsure` wait for an adjudicator."""

    SINGLE = "single"
    AGREED = "agreed"
    ADJUDICATED = "adjudicated"
    DISPUTED = "disputed"
    UNSURE = "unsure"
    NOT_BLIND = "not blind"


@dataclass(frozen=True, slots=True)
class Gold:
    """The truth about an item, None where there is none yet."""

    right: bool | None
    standing: Standing


def settle(item: Item) -> Gold:
    """A blind answer that nobody contradicted, or the adjudicated one; anything else waits for a person.

    People who contradict each other, or themselves on a hidden repeat, make a dispute. 'Not sure' contradicts nobody,
    but is no answer either. Answers that were not blind count for nothing here. An adjudicated one settles a dispute
    or a doubt among blind answers; against answers that nobody contradicted it makes a dispute, which wants another
    blind answer first: else whoever sees the model's answer could overrule the people who did not.

    Source: the adjudication scheme of R. Artstein and M. Poesio, "Inter-coder agreement for computational
    linguistics", Computational Linguistics 34 (2008), section 5; the restriction to blind answers is ours.

    >>> said = (Answer("ana", True, True, False), Answer("jan", False, True, False))
    >>> settle(Item(("r-1",), "Late", 0.9, "audit", None, "", "", said)).standing.value
    'disputed'
    >>> verdict = Answer("eva", True, False, True)
    >>> settle(Item(("r-1",), "Late", 0.9, "audit", None, "", "", (*said, verdict))).right
    True
    """
    verdicts = [answer for answer in item.answers if answer.adjudicated]
    blind = [answer for answer in item.answers if answer.blind and not answer.adjudicated]
    if not blind:
        return Gold(None, Standing.NOT_BLIND)
    if verdicts and len({answer.right for answer in blind} - {None}) != 1:
        return _one_voice(verdicts, Standing.ADJUDICATED)
    people = {answer.rater for answer in blind if answer.right is not None}
    return _one_voice([*blind, *verdicts], Standing.AGREED if len(people) > 1 else Standing.SINGLE)


def _one_voice(answers: list[Answer], standing: Standing) -> Gold:
    said = {answer.right for answer in answers} - {None}
    if len(said) > 1:
        return Gold(None, Standing.DISPUTED)
    return Gold(said.pop(), standing) if said else Gold(None, Standing.UNSURE)
