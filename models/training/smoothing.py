"""How far activations reach, channel by channel, and the factors that share the reach between them and the weights."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from models.training.batches import Batches, Lesson
from models.training.graph import Floats, Smoothing
from models.training.network import Network


@torch.inference_mode()
def reach(network: Network, lessons: Sequence[Lesson], batches: Batches) -> dict[str, Floats]:
    """The largest magnitude each input channel of each linear layer of the encoder takes over these lessons."""
    found: dict[str, Tensor] = {}

    def watch(name: str) -> object:
        def look(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            largest = inputs[0].detach().float().abs().flatten(0, -2).amax(0)
            found[name] = torch.maximum(found.get(name, largest), largest)

        return look

    layers = {name: module for name, module in network.encoder.encoder.named_modules() if isinstance(module, nn.Linear)}
    watching = [module.register_forward_pre_hook(watch(name)) for name, module in layers.items()]
    network.eval()
    for _, batch in batches.plain(lessons):
        network.pool(batch.input_ids, batch.token_type_ids, batch.attention_mask, batch.segments)
    for one in watching:
        one.remove()
    return {name: value.numpy() for name, value in found.items()}


def smooth(
    weights: Mapping[str, Floats], reached: Mapping[str, Floats], *, layers: int, strength: float
) -> list[Smoothing]:
    """SmoothQuant's factors, max|x|^a / max|w|^(1-a) per channel, of geometric mean 1; strength 0 smooths nothing."""
    made = []
    for number in range(layers):
        part = f"layer.{number}."
        three = [f"{part}attention.self.{one}" for one in ("query", "key", "value")]
        made.append(
            Smoothing(
                attend=_factors(weights, reached, three, strength),
                context=_factors(weights, reached, [f"{part}attention.output.dense"], strength),
                inner=_factors(weights, reached, [f"{part}intermediate.dense"], strength),
            )
        )
    return made


def _factors(
    weights: Mapping[str, Floats], reached: Mapping[str, Floats], names: Sequence[str], strength: float
) -> Floats:
    activation = np.maximum(reached[names[0]], 1e-5)
    if strength == 0:
        return np.ones_like(activation)
    weight = np.max([np.abs(weights[f"encoder.encoder.{name}.weight"]).max(0) for name in names], axis=0)
    factors = activation**strength / np.maximum(weight, 1e-5) ** (1 - strength)
    return (factors / np.exp(np.log(factors).mean())).astype(np.float32)
