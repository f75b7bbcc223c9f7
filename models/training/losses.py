"""What a network is told about its beliefs: one loss per axis, each over the segments that carry such a label."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.prediction import TYPES
from models.training.batches import Batch, Lesson
from models.training.network import Network
from models.training.recipe import Numbers


def loss(network: Network, batch: Batch, numbers: Numbers) -> dict[str, Tensor]:
    """The weighted losses by name; their sum is what is minimised."""
    pooled = network.pool(batch.input_ids, batch.token_type_ids, batch.attention_mask, batch.segments)
    places = [(i, j, one) for i, row in enumerate(batch.lessons) for j, one in enumerate(row) if one is not None]
    rows = torch.tensor([i for i, _, _ in places])
    columns = torch.tensor([j for _, j, _ in places])
    taught = [one for _, _, one in places]
    said = network.heads(pooled[rows, columns])
    losses = {
        "sentiment": sentiment_loss(said["sentiment"], taught, numbers.label_smoothing),
        "type": numbers.type_weight * type_loss(said["type"], taught),
        "urgency": numbers.urgency_weight * urgency_loss(said["urgency"], taught),
        "likeness": numbers.likeness_weight * turned(said["likeness"], taught),
        "subject": numbers.subject_weight * turned(said["subject"], taught),
    }
    for name in network.topics:
        losses[f"topics {name}"] = numbers.topic_weight * topic_loss(network, name, said["subject"], taught)
    return losses


def sentiment_loss(logits: Tensor, taught: Sequence[Lesson], smoothing: float) -> Tensor:
    """Cross-entropy against the distribution of what people said; `sides_only` lessons compare two labels."""
    among = [i for i, one in enumerate(taught) if one.labels.sentiment is not None]
    if not among:
        return logits.sum() * 0
    target = torch.tensor([taught[i].labels.sentiment for i in among])
    target = target * (1 - smoothing) + smoothing / target.shape[1]
    chosen = logits[among]
    sides = torch.tensor([taught[i].labels.sides_only for i in among])
    chosen = chosen.masked_fill(sides[:, None] & torch.tensor([False, True, False]), -30.0)
    target = torch.where(sides[:, None], torch.tensor([taught[i].labels.sentiment for i in among]), target)
    return -(target * nn.functional.log_softmax(chosen, dim=-1)).sum(-1).mean()


def type_loss(logits: Tensor, taught: Sequence[Lesson]) -> Tensor:
    """Binary cross-entropy over the types that were judged, each on its own."""
    places, values = [], []
    for i, one in enumerate(taught):
        for j, label in enumerate(TYPES):
            if one.labels.types is not None and label in one.labels.types:
                places.append((i, j))
                values.append(one.labels.types[label])
    if not places:
        return logits.sum() * 0
    chosen = logits[[i for i, _ in places], [j for _, j in places]]
    return nn.functional.binary_cross_entropy_with_logits(chosen, torch.tensor(values))


def urgency_loss(log_odds: Tensor, taught: Sequence[Lesson]) -> Tensor:
    """Binary cross-entropy of 'above low' and 'above normal'."""
    among = [i for i, one in enumerate(taught) if one.labels.urgency is not None]
    if not among:
        return log_odds.sum() * 0
    shares = torch.tensor([taught[i].labels.urgency for i in among])
    above = torch.stack([shares[:, 1] + shares[:, 2], shares[:, 2]], dim=1).clamp(0, 1)
    return nn.functional.binary_cross_entropy_with_logits(log_odds[among], above)


def turned(vectors: Tensor, taught: Sequence[Lesson]) -> Tensor:
    """How far vectors have turned from those of the pretrained encoder: the mean of 1 - cosine."""
    before = torch.stack([torch.from_numpy(one.vector) for one in taught]).to(vectors.device)
    return (1 - (vectors * before).sum(-1)).mean()


def topic_loss(network: Network, name: str, subjects: Tensor, taught: Sequence[Lesson]) -> Tensor:
    """Binary cross-entropy over one list of topics; the heads are left behind, what they taught stays in `subject`."""
    among = [i for i, one in enumerate(taught) if one.topic_list == name]
    if not among:
        return subjects.sum() * 0
    logits = network.topic_logits(name, subjects[among])
    target = torch.zeros_like(logits)
    for row, i in enumerate(among):
        target[row, list(taught[i].topics)] = 1
    return nn.functional.binary_cross_entropy_with_logits(logits, target)
