"""Gold: what is taken as the truth about an item, and how it came to be. Derived, never stored over raw answers."""

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from calibration.certification.items import Answer, Item

LEAST_MAJORITY = 3  # of two who differ neither is the majority


class Standing(StrEnum):
    """How an item stands. The first four are gold; `disputed` and `unsure` wait for an adjudicator."""

    SINGLE = "single"
    AGREED = "agreed"
    MAJORITY = "majority"
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
    """A blind answer that nobody contradicted, the majority's or the adjudicated one; anything else waits for a person.

    Of three or more people who were sure, more than half decide; two who differ make a dispute. Who contradicts
    themselves on a hidden repeat was not sure: they are out and the others decide, and alone they make a dispute. 'Not
    sure' contradicts nobody, but is no answer either. Answers that were not blind count for nothing here. An
    adjudicated one settles a dispute or a doubt among blind answers, also against their majority, and against the one
    who was sure where the others doubted. Against answers that nobody contradicted or doubted, and against two who
    agree, it makes a dispute, which wants another blind answer first: else whoever sees the model's answer could
    overrule the people who did not.

    Source: the adjudication scheme of R. Artstein and M. Poesio, "Inter-coder agreement for computational
    linguistics", Computational Linguistics 34 (2008), section 5; the majority of three or more, R. Snow et al., "Cheap
    and fast, but is it good?", EMNLP (2008); the restriction to blind answers is ours.

    >>> said = (Answer("ana", True, True, False), Answer("jan", False, True, False))
    >>> settle(Item(("r-1",), "Late", 0.9, "audit", None, "", "", said)).standing.value
    'disputed'
    >>> third = Answer("kim", False, True, False)
    >>> settle(Item(("r-1",), "Late", 0.9, "audit", None, "", "", (*said, third)))
    Gold(right=False, standing=<Standing.MAJORITY: 'majority'>)
    >>> verdict = Answer("eva", True, False, True)
    >>> settle(Item(("r-1",), "Late", 0.9, "audit", None, "", "", (*said, verdict))).right
    True
    """
    verdicts = {answer.right for answer in item.answers if answer.adjudicated} - {None}
    blind = [answer for answer in item.answers if answer.blind and not answer.adjudicated]
    if not blind:
        return Gold(None, Standing.NOT_BLIND)
    voices = _voices(blind)
    if len(set(voices)) == 1:
        return _uncontradicted(voices, verdicts, doubted=len({answer.rater for answer in blind}) > len(voices))
    if verdicts:
        return Gold(verdicts.pop(), Standing.ADJUDICATED) if len(verdicts) == 1 else Gold(None, Standing.DISPUTED)
    yes = sum(voices)
    if len(voices) >= LEAST_MAJORITY and 2 * yes != len(voices):
        return Gold(2 * yes > len(voices), Standing.MAJORITY)
    nobody_was_sure = all(answer.right is None for answer in blind)
    return Gold(None, Standing.UNSURE if nobody_was_sure else Standing.DISPUTED)


def _voices(blind: list[Answer]) -> list[bool]:
    """What each person said who was sure and never said otherwise."""
    said: defaultdict[str, set[bool]] = defaultdict(set)
    for answer in blind:
        if answer.right is not None:
            said[answer.rater].add(answer.right)
    return [right for answers in said.values() if len(answers) == 1 for right in answers]


def _uncontradicted(voices: list[bool], verdicts: set[bool | None], *, doubted: bool) -> Gold:
    if verdicts - set(voices):
        if doubted and len(voices) == len(verdicts) == 1:
            return Gold(not voices[0], Standing.ADJUDICATED)
        return Gold(None, Standing.DISPUTED)
    return Gold(voices[0], Standing.AGREED if len(voices) > 1 else Standing.SINGLE)
