"""CLASSIFIERS: the one list of what can read text; a classifier is built when it is first asked for."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from models.classifier import Classifier
from models.keywords import KeywordClassifier

CLASSIFIERS: Mapping[str, Callable[[], Classifier]] = {
    "keywords": KeywordClassifier,
}


class UnknownClassifier(ValueError):
    """The name is in no line of the catalog; the message lists those that are."""


def check_name(name: str) -> None:
    """Refuse a name that `load` would not know, without loading anything.

    Raises:
        UnknownClassifier: no classifier has this name.
    """
    if name.partition("@")[0] not in CLASSIFIERS:
        raise UnknownClassifier(f"There is no classifier {name!r}; there are: {', '.join(sorted(CLASSIFIERS))}.")


@lru_cache(maxsize=8)
def load(name: str) -> Classifier:
    """The classifier of that name, built once per process; `keywords@1` may name its version.

    Raises:
        UnknownClassifier: no classifier has this name, or not in this version.
    """
    check_name(name)
    classifier = CLASSIFIERS[name.partition("@")[0]]()
    if "@" in name and classifier.name != name:
        raise UnknownClassifier(f"There is no classifier {name!r}, only {classifier.name}.")
    return classifier
