"""What the model benchmarks read: the demo's sentences, strung together to the lengths that customers write."""

import re
from collections.abc import Iterator
from functools import cache
from random import Random

from service.bench.corpus import records, texts

MEAN_WORDS = 24
_SPREAD = 0.59  # of the logarithm: one text in a hundred is longer than 80 words, which are about 109 tokens
_CENTRE = 3.004  # of the logarithm: e^(centre + spread^2 / 2) is the mean
_DEMO = 500
_ENDS = re.compile(r"(?<=[.!?])\s+")


def customer_texts(number: int) -> list[str]:
    """So many texts, the same at each call: word counts log-normal with a mean of 24, one in a hundred above 80."""
    chance = Random(1)  # noqa: S311 (texts, not secrets)
    return [" ".join(_words(chance)) for _ in range(number)]


def _words(chance: Random) -> list[str]:
    wanted = max(1, round(chance.lognormvariate(_CENTRE, _SPREAD)))
    words: list[str] = []
    while len(words) < wanted:
        words.extend(chance.choice(_sentences()).split())
    return words[:wanted]


@cache
def _sentences() -> tuple[str, ...]:
    return tuple(dict.fromkeys(_of(texts(records(_DEMO, "b")))))


def _of(written: list[str]) -> Iterator[str]:
    for text in written:
        plain = text.rpartition(" (b ")[0]  # the corpus gives each copy an ending of its own
        yield from (sentence for sentence in _ENDS.split(plain) if sentence)
