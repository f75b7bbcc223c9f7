"""From labelled texts to tensors: the question as a second part, texts joined to teach clauses, little padding."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from models.training.corpus import Labelled

MARKS = ("[CLS]", "[SEP]", "[PAD]")
_POOL = 4_096  # texts among which those of like length are put together


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text ready to learn from: tokens, labels, its topics as places in which list, the pretrained encoder's vector.

    `topics` are places in the list named `topic_list`, which is None where nobody judged topics. `vector` [384] has
    length 1: both halves of the trained one are held against it.
    """

    tokens: tuple[int, ...]
    question: tuple[int, ...]
    labels: Labelled
    topic_list: str | None
    topics: tuple[int, ...]
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors [B, T] and [B, S, T], and for each segment the lesson it teaches (None where a text has only one)."""

    input_ids: Tensor
    token_type_ids: Tensor
    attention_mask: Tensor
    segments: Tensor
    lessons: tuple[tuple[Lesson | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a batch: tokens, their types, and which part of them teaches which lesson."""

    ids: list[int]
    types: list[int]
    parts: list[tuple[int, int]]
    lessons: list[Lesson]


class Batches:
    """Makes the batches of an epoch; the same seed and epoch give the same batches."""

    def __init__(
        self, tokenizer: Tokenizer, *, batch_tokens: int, question_dropout: float, joined: float, seed: int
    ) -> None:
        self._open, self._close, self._pad = (_mark(tokenizer, mark) for mark in MARKS)
        self._joints = [
            tokenizer.encode(joint, add_special_tokens=False).ids
            for joint in (" but ", ", ", ". ", " and ", " - ", " however ", "")
        ]
        self._budget, self._question_dropout, self._joined, self._seed = batch_tokens, question_dropout, joined, seed

    def epoch(self, lessons: Sequence[Lesson], epoch: int) -> list[list[Row]]:
        """All lessons once, in groups of about `batch_tokens` tokens, padding included, shuffled."""
        chance = random.Random(f"{self._seed}/{epoch}")  # noqa: S311 (an order, no secret)
        order = list(lessons)
        chance.shuffle(order)
        rows = list(self._rows(order, chance))
        groups: list[list[Row]] = []
        for start in range(0, len(rows), _POOL):
            pool = sorted(rows[start : start + _POOL], key=lambda row: len(row.ids))
            groups.extend(self._cut(pool))
        chance.shuffle(groups)
        return groups

    def plain(self, lessons: Sequence[Lesson]) -> Iterator[tuple[list[int], Batch]]:
        """Every lesson as it is, for measuring, with the places it has in `lessons`."""
        places = sorted(range(len(lessons)), key=lambda i: len(lessons[i].tokens) + len(lessons[i].question))
        for start in range(0, len(places), 64):
            chosen = places[start : start + 64]
            yield chosen, self.tensors([self._single(lessons[i], lessons[i].question) for i in chosen])

    def _rows(self, order: Sequence[Lesson], chance: random.Random) -> Iterator[Row]:
        waiting: Lesson | None = None
        for lesson in order:
            question = () if chance.random() < self._question_dropout else lesson.question
            fits = not question and len(lesson.tokens) <= 40 and lesson.labels.sentiment is not None
            if fits and chance.random() < 2 * self._joined:
                if waiting is None:
                    waiting = lesson
                    continue
                yield self._pair(waiting, lesson, chance.choice(self._joints))
                waiting = None
            else:
                yield self._single(lesson, question)
        if waiting is not None:
            yield self._single(waiting, ())

    def _single(self, lesson: Lesson, question: tuple[int, ...]) -> Row:
        ids = [self._open, *lesson.tokens, self._close]
        types = [0] * len(ids)
        if question:
            types += [1] * (len(question) + 1)
        return Row([*ids, *question, *([self._close] if question else [])], types, [(0, len(ids))], [lesson])

    def _pair(self, one: Lesson, other: Lesson, joint: list[int]) -> Row:
        ids = [self._open, *one.tokens, *joint, *other.tokens, self._close]
        middle = 1 + len(one.tokens)
        return Row(ids, [0] * len(ids), [(1, middle), (middle + len(joint), len(ids) - 1)], [one, other])

    def _cut(self, pool: Sequence[Row]) -> Iterator[list[Row]]:
        group: list[Row] = []
        for row in pool:
            if group and len(row.ids) * (len(group) + 1) > self._budget:
                yield group
                group = []
            group.append(row)
        if group:
            yield group

    def tensors(self, rows: Sequence[Row]) -> Batch:
        """The rows padded to the longest of them."""
        width, depth = max(len(row.ids) for row in rows), max(len(row.parts) for row in rows)
        ids = torch.full((len(rows), width), self._pad)
        types, mask = torch.zeros(len(rows), width, dtype=torch.long), torch.zeros(len(rows), width, dtype=torch.long)
        segments = torch.zeros(len(rows), depth, width)
        for i, row in enumerate(rows):
            size = len(row.ids)
            ids[i, :size], types[i, :size], mask[i, :size] = torch.tensor(row.ids), torch.tensor(row.types), 1
            for j, (start, end) in enumerate(row.parts):
                segments[i, j, start:end] = 1 / max(1, end - start)
        taught = tuple((*row.lessons, *[None] * (depth - len(row.lessons))) for row in rows)
        return Batch(ids, types, mask, segments, taught)


def _mark(tokenizer: Tokenizer, mark: str) -> int:
    found = tokenizer.token_to_id(mark)
    if found is None:
        raise ValueError(f"The tokenizer has no {mark}: a WordPiece tokenizer of a BERT is needed.")
    return found
