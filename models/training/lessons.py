"""The course: every labelled text in tokens, what our keyword baseline adds, and the pretrained encoder's vector."""

import hashlib
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import BertModel

from models.characters import normalise
from models.keywords import KeywordClassifier
from models.prediction import URGENCIES, Reading, Verbatim
from models.taxonomies.taxonomy import default_taxonomy
from models.training.batches import Lesson
from models.training.corpus import Labelled, Split
from models.training.network import WIDTH
from models.training.recipe import File, Numbers, Recipe, read


@dataclass(frozen=True, slots=True)
class Course:
    """The lessons of each file, by split, and the topics of each list.

    `held` are one in 25 of the training texts, chosen by their digest: never learned from, so that probabilities and
    cut-offs can be fitted on them. Of `dev` only half of the texts with types and urgency are fitted on, no others.
    """

    files: tuple[File, ...]
    train: Mapping[str, Sequence[Lesson]]
    held: Mapping[str, Sequence[Lesson]]
    dev: Mapping[str, Sequence[Lesson]]
    topic_lists: Mapping[str, Sequence[str]]
    seed: int

    def files_about(self, topics: Collection[str]) -> list[File]:
        """The files whose list of topics is exactly this."""
        return [file for file in self.files if set(self.topic_lists.get(file.topic_list or "", ())) == set(topics)]

    def epoch(self, number: int) -> list[Lesson]:
        """The lessons of one epoch: of large files another sample each time, of small ones all, some repeatedly."""
        chance = random.Random(f"{self.seed}/{number}")  # noqa: S311 (a sample, no secret)
        chosen: list[Lesson] = []
        for file in self.files:
            lessons = list(self.train[file.file])
            if file.per_epoch is not None and file.per_epoch < len(lessons):
                lessons = chance.sample(lessons, file.per_epoch)
            chosen.extend(lessons * file.repeat)
        return chosen


def prepare(recipe: Recipe, folder: Path, tokenizer: Tokenizer, encoder: BertModel) -> Course:
    """Read, tokenise and complete every text of the recipe.

    Raises:
        BadCorpus: a file or line cannot be used.
    """
    read_files = {file.file: read(file, folder) for file in recipe.files}
    lists = _topic_lists(recipe, read_files)
    train: dict[str, list[Lesson]] = {}
    held: dict[str, list[Lesson]] = {}
    dev: dict[str, list[Lesson]] = {}
    for file in recipe.files:
        texts = read_files[file.file]
        learned = [one for one in texts["train"] if not _is_held(one)]
        taught = [_completed(one) for one in learned] if file.feedback else learned
        aside = [one for one in texts["train"] if _is_held(one)]
        for into, chosen in ((train, taught), (held, aside), (dev, texts["dev"])):
            into[file.file] = _lessons(chosen, file, lists, tokenizer, encoder, recipe.numbers)
    return Course(recipe.files, train, held, dev, lists, recipe.numbers.seed)


def _is_held(labelled: Labelled) -> bool:
    return hashlib.sha256(normalise(labelled.text).lower().encode()).digest()[0] < 10


def _topic_lists(recipe: Recipe, read_files: Mapping[str, Mapping[Split, Sequence[Labelled]]]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for file in recipe.files:
        if file.topic_list is not None:
            labels = found.setdefault(file.topic_list, set())
            for texts in read_files[file.file].values():
                labels.update(label for one in texts for label in one.topics or ())
    return {name: sorted(labels) for name, labels in found.items()}


def _completed(labelled: Labelled) -> Labelled:
    """What nobody judged, our keyword baseline says: types and urgency, its doubt included.

    A complaint is also what people called negative, praise what they called positive.
    """
    reading = keywords(labelled)
    types = dict(labelled.types or reading.types)
    if labelled.types is None and labelled.sentiment is not None:
        negative, _, positive = labelled.sentiment
        types["complaint"] = (types["complaint"] + negative) / 2
        types["praise"] = (types["praise"] + positive) / 2
    low, normal, high = (reading.urgency[label] for label in URGENCIES)
    return replace(labelled, types=types, urgency=labelled.urgency or (low, normal, high))


def keywords(labelled: Labelled) -> Reading:
    """What the keyword baseline says of a text and its question, with the topics heed brings."""
    return KeywordClassifier().read([Verbatim(labelled.text, labelled.question)], default_taxonomy())[0]


def _lessons(
    texts: Sequence[Labelled],
    file: File,
    lists: Mapping[str, Sequence[str]],
    tokenizer: Tokenizer,
    encoder: BertModel,
    numbers: Numbers,
) -> list[Lesson]:
    tokens = [one.ids[: numbers.tokens] for one in _encode(tokenizer, [one.text for one in texts])]
    asked = _encode(tokenizer, [one.question or "" for one in texts])
    questions = [one.ids[: numbers.question_tokens] for one in asked]
    vectors = _vectors(encoder, tokenizer, tokens)
    places = {label: i for i, label in enumerate(lists.get(file.topic_list or "", ()))}
    return [
        Lesson(
            tokens=tuple(tokens[i]),
            question=tuple(questions[i]),
            labels=one,
            topic_list=file.topic_list if one.topics is not None else None,
            topics=tuple(sorted(places[label] for label in one.topics or ())) if file.topic_list else (),
            vector=vectors[i],
        )
        for i, one in enumerate(texts)
    ]


def _encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list:  # type: ignore[type-arg] # tokenizers has no types
    return list(tokenizer.encode_batch_fast([normalise(one) for one in texts], add_special_tokens=False))


@torch.inference_mode()
def _vectors(encoder: BertModel, tokenizer: Tokenizer, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    """Unit vectors [n, WIDTH] of the encoder as it stands: the mean of the tokens, marks included."""
    found = np.zeros((len(tokens), WIDTH), dtype=np.float32)
    encoder.eval()
    opening, closing = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
    for start in range(0, len(order), 64):
        chosen = order[start : start + 64]
        width = max(len(tokens[i]) for i in chosen) + 2
        ids, mask = torch.zeros(len(chosen), width, dtype=torch.long), torch.zeros(len(chosen), width, dtype=torch.long)
        for row, i in enumerate(chosen):
            line = [opening, *tokens[i], closing]
            ids[row, : len(line)], mask[row, : len(line)] = torch.tensor(line), 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        found[chosen] = torch.nn.functional.normalize(mean, dim=-1).numpy()
    return found
