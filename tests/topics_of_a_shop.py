"""A small shop: topics, texts we made up from a few phrases, and an encoder that needs no weights."""

import random
import re
import zlib
from collections.abc import Sequence

import numpy as np

from models.prediction import Verbatim
from models.taxonomies.fitting import Labelled
from models.taxonomies.taxonomy import Taxonomy, Topic

TOPICS = (
    Topic("delivery", "Whether parcels arrive, and when.", keywords=("parcel", "courier")),
    Topic("price", "What it costs.", keywords=("expensive", "price")),
    Topic("staff", "How people in the shop treat customers.", keywords=("rude", "friendly")),
    Topic("returns", "Sending things back."),
)
SHOP = Taxonomy("shop", 1, TOPICS)
PHRASES = {
    "delivery": ("the parcel came late", "the courier lost my box", "it arrived on the wrong day", "no parcel yet"),
    "price": ("far too expensive", "the price went up again", "cheaper elsewhere", "it costs a fortune"),
    "staff": ("the girl at the till was rude", "friendly people", "the manager shouted at us", "nobody greeted me"),
}
NOTHING = ("I have no opinion", "see you next summer", "my cat is asleep", "blue is a colour", "it rained a lot")


def embed(verbatims: Sequence[Verbatim]) -> np.ndarray:
    """Each word a fixed random direction: texts that share words lie near each other. (n, 384), of length 1."""
    return np.array([_vector(f"{one.text} {one.question or ''}") for one in verbatims])


def _vector(text: str) -> np.ndarray:
    words = re.findall(r"\w+", text.lower()) or [""]
    mean = np.mean([np.random.default_rng(zlib.crc32(word.encode())).normal(size=384) for word in words], axis=0)
    return (mean / np.linalg.norm(mean)).astype(np.float32)


def texts(number: int, most: int = 2, seed: int = 0) -> list[Labelled]:
    """Texts of up to `most` topics, a fifth of them of none."""
    draw = random.Random(seed)  # noqa: S311 (made-up texts, not secrets)
    made = []
    for place in range(number):
        topics = draw.sample(sorted(PHRASES), 0 if place % 5 == 0 else draw.randint(1, most))
        said = [draw.choice(PHRASES[topic]) for topic in topics] or [draw.choice(NOTHING)]
        text = ", ".join([*said, draw.choice(("honestly", "as ever", "today", "last week"))])
        made.append(Labelled(Verbatim(text, "Why?"), frozenset(topics)))
    return made
