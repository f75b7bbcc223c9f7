"""A YAML 1.2 document as plain values; whatever it cannot be, it is refused in one sentence."""

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError


class NotYaml(ValueError):
    """A document that is not YAML; the message says why and, where that can be told, at which line and column."""


def load_yaml(document: str) -> object:
    """The values of a document; no tag of it builds anything but those of YAML itself.

    Raises:
        NotYaml: it cannot be read.
    """
    try:
        return YAML(typ="safe", pure=True).load(document.removeprefix("\ufeff"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise NotYaml(place + _in_one_line(str(error.problem or error.context))) from error
    except RecursionError as error:
        raise NotYaml("its lists lie too deep in each other") from error
    except (YAMLError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        # a scalar that is not what its tag or its form promises, such as the date 2026-99-99
        raise NotYaml(f"a value is not what it seems to be: {_in_one_line(str(error))}") from error


def _in_one_line(words: str) -> str:
    return " ".join(words.split())[:200]
