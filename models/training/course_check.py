"""The validator: every file of a recipe line by line, its mistakes as sentences, its labels counted; no torch."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.prediction import SENTIMENTS, URGENCIES
from models.training.corpus import BadCorpus, Labelled, Split, digest, line_object, raw_lines
from models.training.recipe import File, Recipe, place, read_line

_MOST_TROUBLES = 20  # sentences; who made one mistake in every line needs no more


@dataclass(frozen=True, slots=True)
class Counted:
    """How many texts of one file and split carry each label of one axis; of a shared one, the likeliest counts."""

    file: str
    split: Split
    axis: str
    texts: int
    labels: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file as it was read: where it comes from, its SHA-256, and how many texts it holds of each split."""

    file: str
    source: str
    licence: str
    sha256: str
    train: int
    dev: int


@dataclass(frozen=True, slots=True)
class CourseCheck:
    """What the validator found: `troubles` are the first mistakes, `left_out` the others, `notes` stop nobody."""

    troubles: tuple[str, ...]
    left_out: int
    notes: tuple[str, ...]
    files: tuple[DataFile, ...]
    counts: tuple[Counted, ...]


def check(recipe: Recipe, folder: Path) -> CourseCheck:
    """Read every file of the recipe, past its mistakes."""
    troubles: list[str] = []
    notes: list[str] = []
    files: list[DataFile] = []
    counts: list[Counted] = []
    train: set[str] = set()
    dev: dict[str, str] = {}
    for file in recipe.files:
        texts, wrong = _read(file, place(file, folder))
        troubles.extend(wrong or _useless(file, texts))
        if texts["train"] or texts["dev"]:
            sha256 = digest(place(file, folder))
            sizes = (len(texts["train"]), len(texts["dev"]))
            files.append(DataFile(file.file, file.source, file.licence, sha256, *sizes))
        for split, among in texts.items():
            counts.extend(_counted(file.file, split, among))
        notes.extend(_unheard(file, [*texts["train"], *texts["dev"]]))
        train.update(_same(one) for one in texts["train"])
        dev.update((_same(one), file.file) for one in texts["dev"])
    if not troubles and not train:
        troubles.append("No file of the recipe holds a text to learn from: leave `split` out, or write train.")
    notes.extend(_in_both(train, dev))
    kept = tuple(troubles[:_MOST_TROUBLES])
    return CourseCheck(kept, len(troubles) - len(kept), tuple(notes), tuple(files), tuple(counts))


def _read(file: File, path: Path) -> tuple[dict[Split, list[Labelled]], list[str]]:
    texts: dict[Split, list[Labelled]] = {"train": [], "dev": []}
    troubles: list[str] = []
    try:
        for number, line in raw_lines(path):
            try:
                labelled, split = read_line(file, path, number, line_object(path, number, line))
                texts[split].append(labelled)
            except BadCorpus as error:
                troubles.append(str(error))
    except BadCorpus as error:
        troubles.append(str(error))
    return texts, troubles


def _useless(file: File, texts: dict[Split, list[Labelled]]) -> Iterator[str]:
    """What no single line is wrong about, and nothing can be learned from."""
    every = [*texts["train"], *texts["dev"]]
    if not every:
        yield f"{file.file} holds no text: fill it, or take it out of the recipe."
    elif file.topic_list is not None and not any(one.topics for one in every):
        yield (
            f"{file.file} has `topic_list: {file.topic_list}` in the recipe, and no line names a topic: "
            "take `topic_list` out, or add `topics`."
        )


def _unheard(file: File, texts: Sequence[Labelled]) -> Iterator[str]:
    if file.topic_list is None and any(one.topics for one in texts):
        yield f"The topics of {file.file} teach nothing: its place in the recipe names no `topic_list`."


def _in_both(train: set[str], dev: dict[str, str]) -> Iterator[str]:
    for file, count in Counter(where for text, where in dev.items() if text in train).items():
        stand = "text of the dev split of {} also stands" if count == 1 else "texts of the dev split of {} also stand"
        yield f"{count} {stand.format(file)} in a train split: figures measured on them flatter."


def _same(labelled: Labelled) -> str:
    """Two texts that differ in spaces and capitals alone are one, if they answer the same question."""
    return " ".join(f"{labelled.question or ''}\n{labelled.text}".lower().split())


def _counted(file: str, split: Split, texts: Sequence[Labelled]) -> Iterator[Counted]:
    for axis, labels in (
        ("sentiment", [_likeliest(one.sentiment, SENTIMENTS) for one in texts if one.sentiment is not None]),
        ("type", [_likely(one.types.items()) for one in texts if one.types is not None]),
        ("urgency", [_likeliest(one.urgency, URGENCIES) for one in texts if one.urgency is not None]),
        ("topics", [sorted(one.topics) for one in texts if one.topics is not None]),
    ):
        if labels:
            found = Counter(label for among in labels for label in among)
            yield Counted(file, split, axis, len(labels), tuple(found.most_common()))


def _likeliest(shares: Sequence[float], labels: Sequence[str]) -> list[str]:
    return [labels[max(range(len(shares)), key=shares.__getitem__)]]


def _likely(shares: Iterable[tuple[str, float]]) -> list[str]:
    return [label for label, share in shares if share >= 0.5]
