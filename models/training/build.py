"""The whole of a training: from a folder of labelled texts to a run folder, and on from where it was killed."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import BertModel
from transformers.utils import logging

from models.taxonomies.fitting import TooFewLabels
from models.taxonomies.taxonomy import default_taxonomy
from models.training import base_weights, run_card
from models.training.batches import MARKS, Batches
from models.training.corpus import digest
from models.training.export import export, seal
from models.training.lessons import Course, prepare
from models.training.network import WIDTH, Network, encoder_from
from models.training.order import CannotTrain, Order
from models.training.recipe import Numbers
from models.training.run import seeded, train
from models.training.run_card import Progress, RunCard

_BASE_FILES = ("tokenizer.json", "config.json", "model.safetensors")
_FEWEST_ASIDE = 3  # the cut is a quantile of them: these few make it coarse, none make it meaningless


@dataclass(frozen=True, slots=True)
class _Base:
    name: str
    folder: Path
    sha256: str


def build(order: Order, tell: Callable[[Progress], None]) -> RunCard:
    """Train as the recipe says, and export the folder that serves, with its card.

    The run's folder then holds `network.safetensors`, `lists.json` (the topics of each list), `run.json`, `run.md`,
    `curves.svg` and the checkpoint.

    Raises:
        CannotTrain: the folder holds the run of another recipe or other data, the device or base is unusable, or no
            file teaches the topics heed brings.
        NoBaseWeights: the pretrained encoder is not there, or not the one we know.
        BadCorpus: a file changed since it was checked, and cannot be used any more.
    """
    base = _base(order.base)
    _same_run(order, base)
    torch.set_num_threads(order.threads)
    _usable(order.device)
    numbers = order.recipe.numbers
    seeded(numbers.seed)
    logging.disable_progress_bar()  # it counts tensors; what people wait for is told below
    logging.set_verbosity_error()  # or it reports the pooler we leave out
    tokenizer, encoder = _opened(base, numbers.dropout)
    course = prepare(order.recipe, order.data, tokenizer, encoder)
    _can_be_exported(course)
    network = _network(encoder, course)
    batches = _batches(tokenizer, numbers)
    told = train(network, course.epoch, batches, numbers, folder=order.run, on=order.device, tell=tell)
    _keep(network.cpu(), course, order.run)
    tokens = (base.folder / "tokenizer.json").read_bytes()
    try:
        figures = export(network, course, batches, order.recipe, tokens, order.model)
    except TooFewLabels as error:
        raise CannotTrain(f"The topics heed brings cannot be learned from these texts: {error}") from error
    card = _card(order, base, network, told, figures)
    _publish(card, order)
    return card


def _base(folder: Path | None) -> _Base:
    if folder is None:
        return _Base(base_weights.PACKAGE, base_weights.base_folder(), base_weights.SHA256)
    missing = [name for name in _BASE_FILES if not (folder / name).is_file()]
    if missing:
        raise CannotTrain(f"The base encoder {folder} has no {', '.join(missing)}: name a folder that holds them.")
    return _Base(folder.name, folder, digest(folder / "model.safetensors"))


def _same_run(order: Order, base: _Base) -> None:
    """Refuse to go on from the checkpoint of another recipe, other data or another base."""
    what = [order.recipe.model_dump(mode="json"), [[one.file, one.sha256] for one in order.files], base.sha256]
    mark = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    begun, told = order.run / "begun.json", json.dumps({"sha256": mark}).encode()
    if begun.exists() and begun.read_bytes() != told:
        raise CannotTrain(
            f"{order.out} holds a run of another recipe, other data or another base: name another folder with "
            "--out, or delete this one."
        )
    order.run.mkdir(parents=True, exist_ok=True)
    begun.write_bytes(told)


def _usable(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        raise CannotTrain("torch finds no GPU here: leave --device out to train on the processor.")


def _opened(base: _Base, dropout: float) -> tuple[Tokenizer, BertModel]:
    try:
        config = json.loads((base.folder / "config.json").read_bytes())
        tokenizer = Tokenizer.from_file(str(base.folder / "tokenizer.json"))
        _fits(base, config, tokenizer)
        encoder = encoder_from(base.folder, dropout)
    except CannotTrain:
        raise
    except Exception as error:  # the tokenizers library raises nothing narrower
        said = " ".join(str(error).split())[:200]
        raise CannotTrain(
            f"The base encoder {base.name} cannot be opened ({said}): fetch its {', '.join(_BASE_FILES)} again."
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer, encoder


def _fits(base: _Base, config: Mapping[str, object], tokenizer: Tokenizer) -> None:
    width, words = config.get("hidden_size"), config.get("vocab_size")
    if width != WIDTH:
        raise CannotTrain(f"The base encoder {base.name} is {width} wide, and heed's heads need {WIDTH}.")
    missing = [mark for mark in MARKS if tokenizer.token_to_id(mark) is None]
    if missing or not isinstance(words, int) or tokenizer.get_vocab_size() > words:
        raise CannotTrain(
            f"The tokenizer of the base encoder {base.name} is not its own: it has {tokenizer.get_vocab_size():,} "
            f"words, the encoder {words}, and needs {', '.join(MARKS)}. Name a BERT with its WordPiece tokenizer."
        )


def _network(encoder: BertModel, course: Course) -> Network:
    try:
        return Network(encoder, {name: len(labels) for name, labels in course.topic_lists.items()})
    except KeyError as error:  # torch keeps such names for itself
        raise CannotTrain(
            f"A `topic_list` of the recipe has a name that cannot be used ({error.args[0]}): give it another."
        ) from error


def _batches(tokenizer: Tokenizer, numbers: Numbers) -> Batches:
    return Batches(
        tokenizer,
        batch_tokens=numbers.batch_tokens,
        question_dropout=numbers.question_dropout,
        joined=numbers.joined,
        seed=numbers.seed,
    )


def _can_be_exported(course: Course) -> None:
    """What is fitted after the training needs texts: said before anybody has waited for an hour."""
    if not any(course.train[file.file] for file in course.files_about(default_taxonomy().labels)):
        raise CannotTrain(
            "No file of the recipe teaches the topics heed brings: add {file: own/topics.jsonl, source: The heed "
            "authors, licence: Apache-2.0, topic_list: default}."
        )
    aside = sum(len(course.held[file.file]) for file in course.files if file.feedback)
    if aside < _FEWEST_ASIDE:
        raise CannotTrain(
            f"Of the texts that `feedback: true` marks as customers' words {aside} are set aside (one in 25), and "
            f"cut-offs need {_FEWEST_ASIDE}: mark the files that hold what customers write, or add more texts."
        )


def _keep(network: Network, course: Course, folder: Path) -> None:
    weights = {name: value.detach().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, folder / "network.safetensors")
    lists = {name: list(labels) for name, labels in course.topic_lists.items()}
    (folder / "lists.json").write_text(json.dumps(lists, indent=2, ensure_ascii=False), encoding="utf-8")


def _publish(card: RunCard, order: Order) -> None:
    """The card beside the run and, as the model card, beside the weights; then the manifest over all of them."""
    run_card.write(card, order.run)
    told = (order.run / "run.md").read_text(encoding="utf-8")
    (order.model / "README.md").write_text(f"{order.about}\n\n{told}".lstrip(), encoding="utf-8")
    shutil.copyfile(order.run / "curves.svg", order.model / "curves.svg")
    data = [{"file": one.file, "source": one.source, "licence": one.licence, "sha256": one.sha256} for one in card.data]
    base = {"name": card.base, "sha256": card.base_sha256}
    seal(order.model, {"model": card.model, "base": base, "data": data, "figures": dict(card.figures)})


def _card(order: Order, base: _Base, network: Network, told: list[Progress], figures: Mapping[str, float]) -> RunCard:
    return RunCard(
        model=f"{order.recipe.name}@{order.recipe.version}",
        finished=date.today(),  # noqa: DTZ011 (the day it was for whoever trained it)
        seconds=round(told[-1].seconds, 1),
        steps=told[-1].steps,
        weights=sum(one.numel() for one in network.parameters() if one.requires_grad),
        base=base.name,
        base_sha256=base.sha256,
        machine=run_card.machine(order.device, order.threads),
        numbers=order.recipe.numbers,
        data=order.files,
        reports=told,
        figures=figures,
    )
