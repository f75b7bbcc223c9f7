"""Somebody else's model: a Hugging Face sequence-classification checkpoint, read through transformers and torch."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from models.beliefs import sigmoid, softmax
from models.characters import MAX_CODE_POINTS, normalise
from models.encoder.limits import limits
from models.encoder.weights import WeightsRefused
from models.keywords import KeywordClassifier, words_digest
from models.label_mapping import OURS, BadMapping, LabelMapping, by_their_names, parse_mapping
from models.prediction import Axis, Reading, Verbatim
from models.taxonomies.taxonomy import Taxonomy
from models.text import tokenise

_BESIDE = ("*.json", "*.txt", "*.model", "heed.yaml")
_FETCHED = ["*.safetensors", *_BESIDE]  # never a pickle, never code
_MOST_TOKENS = 512  # where a checkpoint does not say what it can take
_LEAST = 1e-9  # a probability of 0 has no logarithm
_AXES: Mapping[str, Axis] = {"sentiment": "sentiment", "type": "type", "urgency": "urgency", "topics": "topic"}


@dataclass(frozen=True, slots=True)
class _Tokens:
    """What a checkpoint is given of a text, which code points its pieces stand for, and whether the end was cut off."""

    ids: list[int]
    pieces: list[tuple[int, int]]
    cut: bool


class HuggingFaceClassifier:
    """One axis by the checkpoint, every other one by the keyword baseline, which also says what is mixed.

    `heed.yaml` beside the checkpoint says which axis (sentiment, type, urgency or topics) and what each of its labels
    means; without the file the labels' own names must be ours. A label of ours that none of its labels means has
    probability 0; on type and topics the baseline speaks for it. A checkpoint trained for several labels at once
    (`problem_type: multi_label_classification`) gives each its own probability, any other shares 1 among them. It
    reads the text alone, never the survey question, one text per run, and points at no words.
    """

    def __init__(self, source: str) -> None:
        """Open a folder, or fetch the id of a checkpoint (`owner/name`) from the Hugging Face hub first.

        Fetching an id is not tried where heed is built, for want of a way to the hub.

        Raises:
            WeightsRefused: it cannot be fetched or opened, holds no safetensors, is no trained sequence classifier,
                or its labels mean nothing to heed; one sentence says which and what to do.
        """
        folder = Path(source) if Path(source).is_dir() else _fetched(source)
        files = _safetensors(folder, source)
        weights = _digest(files)
        self._name = f"{Path(source).resolve().name}@{weights[:8]}"
        torch.set_num_threads(1)  # texts are read side by side; threads within one would only wait for each other
        self._model, self._tokenizer = _opened(folder, source)
        labels = [str(self._model.config.id2label[place]) for place in range(self._model.config.num_labels)]
        self._mapping = _mapping(folder, source, labels)
        beside = _digest(sorted(file for kind in _BESIDE for file in folder.glob(kind)))
        self._digest = hashlib.sha256(bytes.fromhex(weights + beside + words_digest())).hexdigest()
        self._apart = self._model.config.problem_type == "multi_label_classification"
        self._room = _room(self._model, self._tokenizer)
        self._keywords = KeywordClassifier()
        self._tokenizing = Lock()  # the tokenizer keeps how it was last asked to cut

    @property
    def name(self) -> str:
        """The folder's name and the first 8 digits of the SHA-256 of its weights: other weights, another name."""
        return self._name

    @property
    def digest(self) -> str:
        """That of its weights, of the files beside them and of our words, which judge the other axes."""
        return self._digest

    def read(self, verbatims: Sequence[Verbatim], taxonomy: Taxonomy) -> list[Reading]:
        """Read each verbatim on its own: the same text gives the same reading in any company."""
        words = self._keywords.read(verbatims, taxonomy)
        return [self._read(verbatim, said) for verbatim, said in zip(verbatims, words, strict=True)]

    def _read(self, verbatim: Verbatim, words: Reading) -> Reading:
        text = normalise(verbatim.text[:MAX_CODE_POINTS])
        tokens = self._tokens(text)
        limit = limits(verbatim, tokens.pieces)
        read = replace(
            words,
            truncated=words.truncated or tokens.cut,
            language=limit.language.code,
            language_probability=limit.language.probability,
            abstain=limit.abstain,
        )
        return _spoken(read, self._mapping.axis, self._probabilities(tokens.ids))

    def _tokens(self, text: str) -> _Tokens:
        """Pieces are where the tokenizer can tell; else every word counts as one it knows."""
        fast = bool(self._tokenizer.is_fast)
        with self._tokenizing:
            given = self._tokenizer(text, truncation=True, max_length=self._room, return_offsets_mapping=fast)
            whole = self._tokenizer(text, truncation=False, verbose=False)
        pieces = given["offset_mapping"] if fast else [(token.start, token.end) for token in tokenise(text)]
        cut = len(whole["input_ids"]) > len(given["input_ids"])
        return _Tokens(given["input_ids"], [(start, end) for start, end in pieces if end > start], cut)

    def _probabilities(self, ids: list[int]) -> dict[str, float]:
        """The probability of each of our labels that one of its labels means."""
        with torch.inference_mode():
            logits = self._model(input_ids=torch.tensor([ids])).logits[0].double().tolist()
        if self._apart:
            beliefs = [sigmoid(logit) for logit in logits]
        else:
            beliefs = list(softmax([str(place) for place in range(len(logits))], logits).values())
        return dict(_by_meaning(self._mapping, beliefs, apart=self._apart))


def _by_meaning(mapping: LabelMapping, beliefs: Sequence[float], *, apart: bool) -> Iterator[tuple[str, float]]:
    """Labels that mean the same add up; of those that may hold together, the surest counts."""
    for meaning in dict.fromkeys(one for one in mapping.meanings if one is not None):
        shares = [beliefs[place] for place, one in enumerate(mapping.meanings) if one == meaning]
        yield meaning, max(shares) if apart else min(1.0, sum(shares))


def _spoken(words: Reading, axis: str, found: Mapping[str, float]) -> Reading:
    """The baseline's reading with the checkpoint's word on its axis; spans of that axis were the baseline's, and go."""
    spans = tuple(span for span in words.spans if span.axis != _AXES[axis])
    if axis == "type":
        types = {label: found.get(label, value) for label, value in words.types.items()}
        return replace(words, types=types, spans=spans, logits={**words.logits, "type": _log_odds(types)})
    if axis == "topics":
        topics = {label: found.get(label, value) for label, value in words.topics.items()}
        kept = tuple(span for span in words.spans if span.axis != "topic" or span.label not in found)
        return replace(words, topics=topics, spans=kept, logits={**words.logits, "topic": _log_odds(topics)})
    whole = sum(found.values()) or 1.0  # less than 1 where a label means none of ours
    shares = {label: found.get(label, 0.0) / whole for label in OURS[axis]}
    logs = tuple(math.log(max(share, _LEAST)) for share in shares.values())
    logits = {**words.logits, axis: logs}
    if axis == "sentiment":
        return replace(words, sentiment=shares, spans=spans, logits=logits)
    return replace(words, urgency=shares, spans=spans, logits=logits)


def _log_odds(beliefs: Mapping[str, float]) -> tuple[float, ...]:
    return tuple(math.log(max(one, _LEAST) / max(1 - one, _LEAST)) for one in beliefs.values())


def _fetched(source: str) -> Path:
    try:
        return Path(snapshot_download(source, allow_patterns=_FETCHED))
    except (OSError, HfHubHTTPError, HFValidationError) as error:
        raise WeightsRefused(
            f"The model {source} is no folder here, and cannot be fetched from the Hugging Face hub "
            f"({_in_one_line(error)}): fetch it yourself and name its folder."
        ) from error


def _safetensors(folder: Path, source: str) -> list[Path]:
    files = sorted(folder.glob("*.safetensors"))
    if files:
        return files
    if any(folder.glob("*.bin")):
        raise WeightsRefused(
            f"The model {source} holds its weights as a pickle, which could run anything on this machine: save "
            "it again with `save_pretrained`, which writes model.safetensors."
        )
    raise WeightsRefused(f"The model {source} holds no model.safetensors: fetch the whole folder again.")


def _digest(files: Sequence[Path]) -> str:
    together = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            together.update(hashlib.file_digest(opened, "sha256").digest())
    return together.hexdigest()


def _opened(folder: Path, source: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    logging.disable_progress_bar()
    logging.set_verbosity_error()  # what is missing is told below, in a sentence
    alone = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **alone)
        model, found = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, dtype=torch.float32, **alone
        )
    except Exception as error:  # whatever the files hold: the tokenizers library raises nothing narrower
        raise WeightsRefused(
            f"The model {source} cannot be opened as a sequence classifier by transformers ({_in_one_line(error)}): "
            "its folder needs config.json, model.safetensors and the files of its tokenizer, and no code of its own."
        ) from error
    if found["missing_keys"]:
        raise WeightsRefused(
            f"The model {source} is no trained sequence classifier, its weights lack "
            f"{', '.join(sorted(found['missing_keys'])[:3])}: name a checkpoint that was trained to classify."
        )
    return model.eval(), tokenizer


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _mapping(folder: Path, source: str, labels: Sequence[str]) -> LabelMapping:
    file = folder / "heed.yaml"
    try:
        if file.is_file():
            return parse_mapping(file.read_text(encoding="utf-8"), labels)
        return by_their_names(labels)
    except BadMapping as error:
        raise WeightsRefused(f"The model {source}: {error}") from error
    except UnicodeDecodeError as error:
        raise WeightsRefused(
            f"The model {source}: its heed.yaml is not UTF-8 (at byte {error.start}): save it as UTF-8."
        ) from error


def _room(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens, marks included, that both tokenizer and model can take; some models keep two places for themselves."""
    places = getattr(model.config, "max_position_embeddings", None) or _MOST_TOKENS
    return min(
        int(min(tokenizer.model_max_length, 1e9)), places if tokenizer.model_max_length <= places else places - 2
    )
