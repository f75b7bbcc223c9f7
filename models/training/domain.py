"""The centres of the training vectors, and the likeness below which a text counts as out of domain."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

from models.encoder.domain import TENSOR, Centres
from models.encoder.weights import Domain

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FittedDomain:
    """What ships: the file `domain.safetensors` and its part of `config.json`."""

    content: bytes
    config: Domain


def fit_domain(
    vectors: Floats,
    held_out: Floats,
    *,
    seed: int,
    centres: int = 512,
    nearest: int = 3,
    refused: float = 0.005,
) -> FittedDomain:
    """Cluster the vectors of feedback and cut where `refused` of the held-out feedback would be left to people.

    Both sets are texts on which `limits` does not abstain: 'boxy?' and 'None.' are unlike anything and would push
    the cut down. Feedback teaches the centres; tweets and forum talk hold news and poems and would blunt them.

    Args:
        vectors: unit vectors [n, 768] of texts the model was trained on, from the graph that ships.
        held_out: unit vectors [m, 768] of feedback it was not trained on.
        seed: of the clustering.
        centres: how many; as many as there are vectors at most. 512 make 0.4 MB.
        nearest: how many of them a text is compared with.
        refused: the share of held-out feedback below the cut.
    """
    count = min(centres, len(vectors))
    with threadpool_limits(1):  # the same sums in the same order, and no threads that spin on a busy machine
        clusters = MiniBatchKMeans(count, random_state=seed, batch_size=4096, n_init=1, max_iter=30).fit(vectors)
    rows = clusters.cluster_centers_ / np.linalg.norm(clusters.cluster_centers_, axis=1, keepdims=True).clip(1e-6)
    content = save({TENSOR: rows.astype(np.float16)})
    uncut = Domain(nearest=min(nearest, count), cut=-1.0)
    opened = Centres.open(content, uncut)
    cut = float(np.quantile([opened.likeness(row) for row in held_out], refused))
    rounded = math.floor(cut * 10_000) / 10_000  # down: the text at the cut is inside
    return FittedDomain(content, Domain(nearest=uncut.nearest, cut=max(rounded, -1.0)))
