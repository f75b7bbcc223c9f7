"""How like a text is to what the model learned from: its sentence vector against centres of the training vectors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from models.encoder.weights import Domain, WeightsRefused

Floats = NDArray[np.float32]
TENSOR = "centres"


@dataclass(frozen=True, slots=True)
class Centres:
    """Unit vectors [K, 768] in the middle of what was learned, and where they end to be near."""

    rows: Floats
    nearest: int
    cut: float

    @classmethod
    def open(cls, content: bytes, config: Domain) -> "Centres":
        """Read `domain.safetensors`.

        Raises:
            WeightsRefused: the file does not hold at least `nearest` rows under the name 'centres'.
        """
        try:
            rows = load(content)[TENSOR].astype(np.float32)
        except (SafetensorError, KeyError, ValueError) as error:
            raise WeightsRefused(
                f"domain.safetensors holds no readable centres ({error}): fetch the folder again."
            ) from error
        if rows.ndim != 2 or len(rows) < config.nearest or not np.isfinite(rows).all():
            raise WeightsRefused(
                f"domain.safetensors must hold {config.nearest} or more rows of finite numbers, not the shape "
                f"{rows.shape}: fetch the folder again."
            )
        return cls(rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-6), config.nearest, config.cut)

    def likeness(self, vector: Floats) -> float:
        """The mean cosine of a unit vector [768] to the centres nearest to it, from -1 to 1."""
        cosines = np.einsum("ij,j->i", self.rows, vector)  # adds in one order; a matrix product may not
        return float(np.partition(cosines, len(cosines) - self.nearest)[-self.nearest :].mean())

    def is_outside(self, vector: Floats) -> bool:
        """Whether a text with this vector is unlike anything the model has learned from."""
        return self.likeness(vector) < self.cut
