"""CLASSIFIERS: the one list of what can read text; a classifier is built when it is first asked for."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from models.classifier import Classifier
from models.keywords import KeywordClassifier


def _heed_en() -> Classifier:
    from models.encoder.heed_en import HeedEn  # noqa: PLC0415 (ONNX Runtime is loaded for those who use it)

    return HeedEn()


CLASSIFIERS: Mapping[str, Callable[[], Classifier]] = {
    "heed-en": _heed_en,
    "keywords": KeywordClassifier,
}


_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")


class UnknownClassifier(ValueError):
    """The name is in no line of the catalog and names no folder; the message lists what there is."""


def check_name(name: str) -> None:
    """Refuse a name that `load` would not know, without loading anything.

    Raises:
        UnknownClassifier: no classifier has this name, and it is neither a folder nor the id of a checkpoint.
    """
    if name.partition("@")[0] not in CLASSIFIERS and not _is_checkpoint(name):
        raise UnknownClassifier(
            f"There is no classifier {name!r}; there are: {', '.join(sorted(CLASSIFIERS))}. A model of your own is "
            "named by its folder, or as owner/name on the Hugging Face hub."
        )


@lru_cache(maxsize=8)
def load(name: str) -> Classifier:
    """The classifier of that name, built once per process; `keywords@1` may name its version.

    What holds a `/`, or is a folder, is a model of your own: one that `heed train` made, else a Hugging Face
    sequence classifier, by its folder or its id.

    Raises:
        UnknownClassifier: no classifier has this name, or not in this version.
        WeightsRefused: its files cannot be used; one sentence says why.
    """
    check_name(name)
    plain = name.partition("@")[0]
    if plain not in CLASSIFIERS:
        return _own(name)
    classifier = CLASSIFIERS[plain]()
    if "@" in name and classifier.name != name:
        raise UnknownClassifier(f"There is no classifier {name!r}, only {classifier.name}.")
    return classifier


def _is_checkpoint(name: str) -> bool:
    try:
        return bool(name) and (Path(name).is_dir() or "/" in name)
    except OSError:  # longer than a name can be
        return False


def _own(place: str) -> Classifier:
    if any((Path(place) / name).is_file() for name in ("manifest.json", "model.onnx")):
        from models.encoder.heed_en import HeedEn  # noqa: PLC0415 (as above)

        return HeedEn(Path(place))
    reason = _no_model(Path(place))
    if reason is not None:
        from models.encoder.weights import WeightsRefused  # noqa: PLC0415 (as above)

        raise WeightsRefused(reason)
    try:
        from models.huggingface import HuggingFaceClassifier  # noqa: PLC0415 (torch: gigabytes, in an extra of its own)

        return HuggingFaceClassifier(place)
    except ModuleNotFoundError as error:
        from models.encoder.weights import WeightsRefused  # noqa: PLC0415 (as above)

        raise WeightsRefused(
            f"The model {place} needs {error.name}, which is not installed: pip install 'heed[train]' brings it."
        ) from error


def _no_model(place: Path) -> str | None:
    """Why there can be no model in a place, before anybody installs gigabytes to find out."""
    if place.is_dir():
        held = (place / "config.json").is_file()
        return (
            None if held else f"The folder {place} holds no model: name one that `heed train` made, or a checkpoint's."
        )
    return None if _HUB_ID.fullmatch(str(place)) else f"There is no folder {place}: correct HEED_MODEL."
