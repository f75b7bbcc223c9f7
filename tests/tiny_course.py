"""A course of our own, small enough to learn in seconds: answers, texts with topics, a recipe, a vocabulary."""

import json
from itertools import product
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from models.taxonomies.taxonomy import default_taxonomy

_BAD = ("terrible", "rude", "broken", "awful", "late again")
_GOOD = ("lovely", "kind", "perfect", "excellent", "on time")
_PLAIN = ("on the second floor", "blue", "as on the list", "open on Monday", "from last year")
_THINGS = ("the driver", "the nurse", "your agent", "the parcel", "the courier", "my order")
_OPENINGS = ("", "honestly, ", "today ", "as I said, ")

RECIPE = """
name: heed-tiny
version: 3
numbers: {epochs: 3, batch_tokens: 256, learning_rate: 0.002, head_rate: 0.01, tokens: 64, question_tokens: 16}
files:
  - {file: answers.jsonl, source: The heed authors, licence: Apache-2.0, repeat: 2}
  - {file: topics.jsonl, source: The heed authors, licence: Apache-2.0, topic_list: default, feedback: true}
"""


def answers() -> list[dict[str, object]]:
    """A text for each opening, thing and word, every fourth of them for dev; some with a question, some with doubts."""
    found: list[dict[str, object]] = []
    for label, words in (("negative", _BAD), ("neutral", _PLAIN), ("positive", _GOOD)):
        for opening, thing, word in product(_OPENINGS, _THINGS, words):
            line: dict[str, object] = {"text": f"{opening}{thing} was {word}", "sentiment": label}
            line["type"] = {"complaint": float(label == "negative"), "praise": float(label == "positive")}
            line["urgency"] = "normal" if label == "negative" else "low"
            if len(found) % 3 == 0:
                line["question"] = "What should we know?"
            if len(found) % 5 == 0 and label != "neutral":
                line["sentiment"] = {label: 0.8, "neutral": 0.2}
            line["split"] = "dev" if len(found) % 4 == 3 else "train"
            found.append(line)
    return found


def topics() -> list[dict[str, object]]:
    """Texts with each of the topics heed brings."""
    found: list[dict[str, object]] = []
    for topic in default_taxonomy().topics:
        for keyword in topic.keywords[:8]:
            split = "dev" if len(found) % 4 == 3 else "train"
            found.append({"text": f"it was about the {keyword}", "topics": [topic.name], "split": split})
    return found


def written(folder: Path) -> None:
    """The files of the recipe, and the recipe as `tiny.yaml`."""
    for name, lines in (("answers.jsonl", answers()), ("topics.jsonl", topics())):
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "tiny.yaml").write_text(RECIPE)


def vocabulary(texts: list[str]) -> Tokenizer:
    """A WordPiece tokenizer that was taught by these texts alone."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=marks, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
