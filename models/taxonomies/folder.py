"""A fitted head as a folder: the taxonomy, the words, the weights and the SHA-256 of each. No pickle."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as write_tensors

from models.taxonomies.taxonomy import BadTaxonomy, parse_taxonomy
from models.taxonomies.terms import Terms
from models.taxonomies.topic_head import Kind, Mix, TopicHead, with_thresholds

TAXONOMY, HEAD, WEIGHTS, MANIFEST = "taxonomy.yaml", "head.json", "head.safetensors", "manifest.json"
FILES = (TAXONOMY, HEAD, WEIGHTS)
_TENSORS = ("idf", "vector_weights", "vector_bias", "word_weights", "word_bias", "directions")


class HeadRefused(RuntimeError):
    """A folder that cannot be used as a topic head; the message says which file and what to do, in one sentence."""


class _Mixed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    vector: float
    words: float
    told: float
    offset: float


class _HeadShape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    encoder: str
    versions: tuple[int, ...]
    kind: Kind
    classes: tuple[str, ...]
    thresholds: dict[str, Annotated[float, Field(gt=0, lt=1)]]
    mix: _Mixed
    vocabulary: tuple[str, ...]


class _ManifestShape(BaseModel):
    sha256: dict[str, str]


def save(head: TopicHead, document: str, folder: Path) -> None:
    """Write a head, with the document its taxonomy was read from, into a folder, which is made.

    The manifest comes last: a folder left half-written is refused.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    shape = _HeadShape(
        encoder=head.encoder,
        versions=(*(step.version for step in head.taxonomy.replaces), head.taxonomy.version),
        kind=head.kind,
        classes=head.classes,
        thresholds={topic.name: topic.threshold for topic in head.taxonomy.topics},
        mix=_Mixed(**asdict(head.mix)),
        vocabulary=head.terms.vocabulary,
    )
    tensors = {"idf": head.terms.idf} | {name: getattr(head, name) for name in _TENSORS[1:]}
    contents = {
        TAXONOMY: document.encode(),
        HEAD: shape.model_dump_json().encode(),
        WEIGHTS: write_tensors({name: np.ascontiguousarray(one, dtype=np.float32) for name, one in tensors.items()}),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    (folder / MANIFEST).write_text(json.dumps({"sha256": digests}, indent=2) + "\n", encoding="utf-8")


def load(folder: Path, encoder: str | None = None) -> TopicHead:
    """The head in a folder; with `encoder`, the digest of the model in use, only one fitted on that model.

    Raises:
        HeadRefused: a file is missing, changed or not what it should hold, or the head belongs to another model.
    """
    files = _checked(folder)
    try:
        shape = _HeadShape.model_validate_json(files[HEAD])
        taxonomy = parse_taxonomy(files[TAXONOMY].decode())
        tensors = read_tensors(files[WEIGHTS])
        head = TopicHead(
            with_thresholds(taxonomy, shape.thresholds),
            shape.encoder,
            shape.kind,
            shape.classes,
            Terms(shape.vocabulary, tensors["idf"]),
            **{name: tensors[name] for name in _TENSORS[1:]},
            mix=Mix(**shape.mix.model_dump()),
        )
    except (ValidationError, BadTaxonomy, SafetensorError, KeyError, UnicodeDecodeError) as error:
        raise HeadRefused(f"{folder} holds a head of another version of heed: fit it again.") from error
    if encoder is not None and head.encoder != encoder:
        raise HeadRefused(
            f"{folder} was fitted on another model ({head.encoder[:12]}, in use is {encoder[:12]}): fit it again."
        )
    return head


def _checked(folder: Path) -> Mapping[str, bytes]:
    try:
        manifest = _ManifestShape.model_validate_json(_bytes(folder / MANIFEST))
    except ValidationError as error:
        raise HeadRefused(f"{folder / MANIFEST} is not readable: fit the head again.") from error
    files = {name: _bytes(folder / name) for name in FILES}
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != manifest.sha256.get(name):
            raise HeadRefused(f"{folder / name} is not the file its manifest names: fit the head again.")
    return files


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise HeadRefused(f"{file} cannot be read ({error.strerror}): fit the head again.") from error
