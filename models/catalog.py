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


@lru_cache(maxsize=8)
def load(name: str) -> Classifier:
    """The classifier of that name, built once per process; `keywords@1` may name its version.

    Raises:
        UnknownClassifier: no classifier has this name, or not in this version.
    """
    factory = CLASSIFIERS.get(name.partition("@")[0])
    classifier = factory() if factory else None
    if classifier is None or ("@" in name and classifier.name != name):
        raise UnknownClassifier(f"There is no classifier {name!r}; there are: {', '.join(sorted(CLASSIFIERS))}.")
    return classifier
