"""A folder of weights: opened only if every file is the one its manifest names, and the graph one we can run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILES = ("config.json", "tokenizer.json", "model.onnx", "domain.safetensors", "topics/manifest.json")


class WeightsRefused(RuntimeError):
    """The weights cannot be trusted or run; the message says which file and what to do, in one sentence."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scaled(_Shape):
    """What turns scores into the probabilities of an exclusive axis: softmax(weights @ scores + biases).

    Matrix scaling (Guo et al., "On calibration of modern neural networks", 2017): a row of weights for each label.
    """

    weights: tuple[tuple[float, ...], ...]
    biases: tuple[float, ...]


LEAST = 1e-4  # how near 0 and 1 the chances of the words alone are taken, where they are blended


class Blend(_Shape):
    """What turns two log-odds, the encoder's and that of the words alone, into a probability (logistic regression)."""

    encoder: float
    words: float
    intercept: float


class Domain(_Shape):
    """When a text is unlike anything the model has learned from: mean cosine to the nearest centres below `cut`."""

    nearest: Annotated[int, Field(ge=1)]
    cut: Annotated[float, Field(ge=-1, le=1)]


class Config(_Shape):
    """What belongs to the graph and is no weight; every number was fitted on the int8 graph that ships."""

    name: str
    version: Annotated[int, Field(ge=1)]
    tokens: Annotated[int, Field(ge=8, le=256)]
    question_tokens: Annotated[int, Field(ge=0, le=64)]
    id2label: Mapping[str, tuple[str, ...]]
    sentiment: Scaled  # of the encoder's three logits and the three log-probabilities of the keyword baseline
    clause: Scaled  # the same from the encoder's logits alone
    type: tuple[Blend, ...]
    urgency: tuple[Blend, Blend]
    domain: Domain


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder whose files were read once and match its manifest.

    `topics` is the folder of the head for the topics heed brings; `digest` stands for all that makes a vector, `whole`
    for every file that is read with.
    """

    config: Config
    tokenizer: bytes
    model: bytes
    domain: bytes
    topics: Path
    digest: str
    whole: str


def open_weights(folder: Path) -> Weights:
    """Read and check a folder of weights.

    Raises:
        WeightsRefused: a file is missing, unreadable or not the one the manifest names, or the manifest or
            configuration is not what this version of heed reads.
    """
    manifest = _json(folder, "manifest.json", _bytes(folder, "manifest.json"))
    digests = manifest.get("sha256")
    if not isinstance(digests, dict) or not set(FILES) <= set(digests):
        raise WeightsRefused(f"{folder / 'manifest.json'} does not name every file: fetch the folder again.")
    found = {name: _checked(folder, name, digest) for name, digest in digests.items()}
    try:
        config = Config.model_validate(_json(folder, "config.json", found["config.json"]))
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"])) or "the file"
        raise WeightsRefused(
            f"{folder / 'config.json'} is of another version of heed (at {place}: {error.errors()[0]['msg']}): fetch "
            "the folder that belongs to this version."
        ) from error
    together = vector_digest(str(digests["tokenizer.json"]), str(digests["model.onnx"]))
    return Weights(
        config,
        found["tokenizer.json"],
        found["model.onnx"],
        found["domain.safetensors"],
        folder / "topics",
        together,
        hashlib.sha256(b"".join(bytes.fromhex(str(digests[name])) for name in FILES)).hexdigest(),
    )


def vector_digest(tokenizer: str, model: str) -> str:
    """What stands for a model in everything that was fitted on its vectors, from the SHA-256 of two of its files."""
    return hashlib.sha256(bytes.fromhex(tokenizer) + bytes.fromhex(model)).hexdigest()


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise WeightsRefused(f"{folder / name} cannot be read ({error.strerror}): fetch the folder again.") from error


def _checked(folder: Path, name: str, named: object) -> bytes:
    content = _bytes(folder, name)
    digest = hashlib.sha256(content).hexdigest()
    if digest != named:
        raise WeightsRefused(
            f"{folder / name} is not the file its manifest names (SHA-256 {digest[:12]}… instead of "
            f"{str(named)[:12]}…): fetch the folder again from a source you trust."
        )
    return content


def _json(folder: Path, name: str, content: bytes) -> dict[str, object]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise WeightsRefused(f"{folder / name} is not JSON ({error}): fetch the folder again.") from error
    if not isinstance(found, dict):
        raise WeightsRefused(f"{folder / name} is not a JSON object: fetch the folder again.")
    return found
