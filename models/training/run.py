"""One training run: epochs over the lessons, weights averaged over its later part, checkpoints it can resume from."""

import json
import math
import random
import shutil
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.training.batches import Batches, Lesson
from models.training.losses import loss
from models.training.network import Network
from models.training.recipe import Numbers
from models.training.run_card import Progress

_REPORT_EVERY = 50  # steps
_OLD = "checkpoint.old"


def train(
    network: Network,
    course: Callable[[int], Sequence[Lesson]],
    batches: Batches,
    numbers: Numbers,
    *,
    folder: Path,
    on: str,
    tell: Callable[[Progress], None],
) -> list[Progress]:
    """Train, leaving in the network the mean of the weights of the later steps.

    AdamW with a linear warm-up and decay, lower layers slower (Howard and Ruder, 2018), bfloat16 products, weights
    averaged (Izmailov et al., 2018). After each epoch a checkpoint is written to `folder`; a run that finds one there
    goes on from it, and on a processor ends with the same weights as one that was never interrupted.

    Args:
        network: changed in place.
        course: the lessons of an epoch.
        batches: makes the epochs.
        numbers: the recipe's.
        folder: for checkpoints.
        on: the torch device.
        tell: called every 50 steps and at the end of each epoch.

    Returns:
        what was told, from the first step on.
    """
    torch.manual_seed(numbers.seed)
    network.to(on)
    optimiser = torch.optim.AdamW(_groups(network, numbers), betas=(0.9, 0.98))
    mean = _Mean(network)
    lengths = [len(batches.epoch(course(epoch), epoch)) for epoch in range(numbers.epochs)]
    steps, ends = sum(lengths), set(accumulate(lengths))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps, numbers.warm_up))
    told: list[Progress] = []
    begun, first = time.monotonic(), 0
    state = _whole(folder / "checkpoint")
    if (state / "state.json").exists():
        first, told = _resume(state, network, mean, optimiser, schedule)
    spent = told[-1].seconds if told else 0.0
    step = sum(lengths[:first])
    since = _Losses()
    for epoch in range(first, numbers.epochs):
        network.train()
        for rows in batches.epoch(course(epoch), epoch):
            with torch.device(on), torch.autocast(on, dtype=torch.bfloat16):
                parts = loss(network, batches.tensors(rows), numbers)
            _descend(network, parts, optimiser, numbers.clip)
            schedule.step()
            step += 1
            if step >= numbers.averaged_from * steps and step % 10 == 0:
                mean.add(network)
            since.add(parts)
            if since.counted == _REPORT_EVERY or step in ends:
                told.append(Progress(step, steps, since.means(), spent + time.monotonic() - begun))
                tell(told[-1])
                since = _Losses()
        _save(state, network, mean, optimiser, epoch + 1, told)
    mean.into(network)
    return told


def _descend(network: Network, parts: Mapping[str, Tensor], optimiser: torch.optim.Optimizer, clip: float) -> None:
    total = torch.stack(list(parts.values())).sum()
    optimiser.zero_grad(set_to_none=True)
    total.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimiser.step()


class _Losses:
    """The sums of the losses since the last report, by name."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self.counted = 0

    def add(self, parts: Mapping[str, Tensor]) -> None:
        for name, value in parts.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value.detach())
        self.counted += 1

    def means(self) -> dict[str, float]:
        return {name: value / self.counted for name, value in self._sums.items()}


def _rate(step: int, steps: int, warm_up: float) -> float:
    rising = max(1, math.ceil(warm_up * steps))
    return min((step + 1) / rising, max(0.02, (steps - step) / max(1, steps - rising)))


def _groups(network: Network, numbers: Numbers) -> list[dict[str, object]]:
    layers = len(network.encoder.encoder.layer)
    groups: list[dict[str, object]] = []
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith("encoder.encoder.layer."):
            depth = layers - 1 - int(name.split(".")[3])
            rate = numbers.learning_rate * numbers.layer_decay**depth
        elif name.startswith("encoder."):
            rate = numbers.learning_rate * numbers.layer_decay**layers
        else:
            rate = numbers.learning_rate if name.startswith("vector.") else numbers.head_rate
        decay = 0.0 if parameter.ndim < 2 else numbers.weight_decay
        groups.append({"params": [parameter], "lr": rate, "weight_decay": decay})
    return groups


class _Mean:
    """The mean of the trained weights over the steps it was shown."""

    def __init__(self, network: Network) -> None:
        self.weights = {k: torch.zeros_like(v) for k, v in network.named_parameters() if v.requires_grad}
        self.shown = 0

    @torch.no_grad()
    def add(self, network: Network) -> None:
        self.shown += 1
        for name, parameter in network.named_parameters():
            if name in self.weights:
                self.weights[name] += (parameter - self.weights[name]) / self.shown

    @torch.no_grad()
    def into(self, network: Network) -> None:
        if self.shown:
            for name, parameter in network.named_parameters():
                if name in self.weights:
                    parameter.copy_(self.weights[name])


def _save(
    state: Path, network: Network, mean: _Mean, optimiser: torch.optim.Optimizer, epoch: int, told: list[Progress]
) -> None:
    """Everything the next epoch needs, as tensors and JSON; the old checkpoint stays until the new one is whole."""
    fresh = state.with_name("checkpoint.new")
    fresh.mkdir(parents=True, exist_ok=True)
    weights = {k: v.detach().contiguous().cpu() for k, v in network.state_dict().items()}
    save_file(weights, fresh / "network.safetensors")
    save_file({k: v.contiguous().cpu() for k, v in mean.weights.items()}, fresh / "mean.safetensors")
    moments: dict[str, Tensor] = {}
    for i, one in optimiser.state_dict()["state"].items():
        moments |= {f"{i}/{key}": value.contiguous().cpu() for key, value in one.items()}
    save_file(moments, fresh / "optimiser.safetensors")
    rng = {"rng": torch.get_rng_state()}
    save_file(rng, fresh / "chance.safetensors")
    history = [[one.step, one.steps, one.losses, one.seconds] for one in told]
    (fresh / "state.json").write_text(json.dumps({"epoch": epoch, "shown": mean.shown, "told": history}))
    old = state.with_name(_OLD)
    shutil.rmtree(old, ignore_errors=True)  # a run that was killed may have left it
    if state.exists():
        state.replace(old)
    fresh.replace(state)
    shutil.rmtree(old, ignore_errors=True)


def _whole(state: Path) -> Path:
    """The checkpoint's place; a run that was killed between two renamings left it under its other name."""
    old = state.with_name(_OLD)
    if old.exists() and not state.exists():
        old.replace(state)
    return state


def _resume(
    state: Path,
    network: Network,
    mean: _Mean,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
) -> tuple[int, list[Progress]]:
    facts = json.loads((state / "state.json").read_text())
    network.load_state_dict(load_file(state / "network.safetensors"))
    device = next(network.parameters()).device
    mean.weights, mean.shown = load_file(state / "mean.safetensors", device=str(device)), facts["shown"]
    kept = optimiser.state_dict()
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in load_file(state / "optimiser.safetensors").items():
        place, _, name = key.partition("/")
        moments.setdefault(int(place), {})[name] = value
    optimiser.load_state_dict({"state": moments, "param_groups": kept["param_groups"]})
    told = [Progress(*one) for one in facts["told"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the optimiser made these steps before the run was killed
        for _ in range(told[-1].step if told else 0):
            schedule.step()
    torch.set_rng_state(load_file(state / "chance.safetensors")["rng"])
    return facts["epoch"], told


def seeded(seed: int) -> None:
    """Fix every source of chance of this process."""
    random.seed(seed)
    np.random.seed(seed)  # libraries draw from it
    torch.manual_seed(seed)
