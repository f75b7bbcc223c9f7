"""The network: one encoder, a mean over the tokens of each segment, and a head per axis on top of it."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from models.prediction import SENTIMENTS, TYPES

WIDTH = 384  # of a token
VECTOR = 2 * WIDTH  # of the sentence vector: likeness and subject


class Network(nn.Module):
    """Reads tokens [B, T] and segments [B, S, T] (weights that sum to 1 per segment); every output is [B, S, ...].

    A segment's belief is a linear function of the mean of its tokens, so a whole text and each of its clauses are
    read in the same pass. Urgency is ordinal (McCullagh, "Regression models for ordinal data", 1980): one score and
    two cut-points, `urgency[..., k]` the log-odds of being above level k.

    The sentence vector has two halves. `likeness` is kept where the pretrained encoder put a text, so that texts that
    mean the same stay near each other; `subject` is free to learn what lists of topics tell apart.
    """

    def __init__(self, encoder: BertModel, topic_lists: Mapping[str, int]) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.sentiment = nn.Linear(WIDTH, len(SENTIMENTS))
        self.types = nn.Linear(WIDTH, len(TYPES))
        self.urgency = nn.Linear(WIDTH, 1)
        self.cuts = nn.Parameter(torch.tensor([0.0, 3.0]))
        self.likeness, self.subject = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        for half in (self.likeness, self.subject):
            nn.init.eye_(half.weight)
            nn.init.zeros_(half.bias)
        self.topics = nn.ModuleDict({name: nn.Linear(WIDTH, size) for name, size in topic_lists.items()})

    def pool(self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor, segments: Tensor) -> Tensor:
        """The mean of the tokens of each segment [B, S, WIDTH]."""
        hidden = self.encoder(
            input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask
        ).last_hidden_state
        return torch.bmm(segments.to(hidden.dtype), hidden).float()

    def heads(self, pooled: Tensor) -> dict[str, Tensor]:
        """Logits of sentiment and type, the two log-odds of urgency, and the halves of the vector, each of length 1."""
        kept = self.dropout(pooled)
        return {
            "sentiment": self.sentiment(kept),
            "type": self.types(kept),
            "urgency": self.urgency(kept) - self.cuts,
            "likeness": nn.functional.normalize(self.likeness(pooled), dim=-1),
            "subject": nn.functional.normalize(self.subject(pooled), dim=-1),
        }

    def topic_logits(self, name: str, subject: Tensor) -> Tensor:
        """Log-odds of the topics of one list; the scale lets a vector of length 1 be sure."""
        logits: Tensor = self.topics[name](subject * 10)
        return logits


def encoder_from(folder: Path, dropout: float) -> BertModel:
    """The pretrained encoder, its word table frozen: 12 of 23 million parameters that feedback alone would spoil."""
    config = BertConfig.from_pretrained(folder)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = dropout
    encoder = BertModel.from_pretrained(
        folder, config=config, add_pooling_layer=False, use_safetensors=True, attn_implementation="eager"
    )
    encoder.embeddings.word_embeddings.weight.requires_grad_(requires_grad=False)
    return encoder


def tiny_encoder(vocabulary: int, dropout: float) -> BertModel:
    """An untrained encoder of two layers for tests of the whole road; it learns little and takes a second."""
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=12,
        intermediate_size=256,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    config._attn_implementation = "eager"  # noqa: SLF001 (the argument only from_pretrained takes)
    return BertModel(config, add_pooling_layer=False)
