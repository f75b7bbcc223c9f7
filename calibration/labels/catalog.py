"""The one list of formats that labels come in and go out to, and the reading of whichever a file is in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from calibration.labels.argilla import is_argilla, read_argilla, write_argilla
from calibration.labels.csv_file import read_csv, write_csv
from calibration.labels.doccano import is_doccano, read_doccano, write_doccano
from calibration.labels.label import Fault, InvalidLabels, Label
from calibration.labels.label_studio import is_label_studio, read_label_studio, write_label_studio
from calibration.labels.strict_json import is_json, tasks

_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file with labels: what people call it, how to tell it by its content, how to read and write it."""

    title: str
    recognises: Callable[[bytes], bool]
    read: Callable[[bytes], list[Label]]
    write: Callable[[Iterable[Label]], bytes]


def is_csv(raw: bytes) -> bool:
    """Whether the file may be CSV: it is nothing else that is known here.

    >>> is_csv(b"id,text"), is_csv(b"[]")
    (True, False)
    """
    return not is_json(raw) and not raw.startswith(_ZIP)


FORMATS: Mapping[str, Format] = {
    "csv": Format("CSV", is_csv, read_csv, write_csv),
    "label-studio": Format("Label Studio JSON", is_label_studio, read_label_studio, write_label_studio),
    "argilla": Format("Argilla JSON", is_argilla, read_argilla, write_argilla),
    "doccano": Format("doccano JSONL", is_doccano, read_doccano, write_doccano),
}


def read_labels(raw: bytes) -> list[Label]:
    r"""The labels of a file in any of the formats, told apart by what it holds.

    Raises:
        InvalidLabels: with the place of every mistake, or because the file is in none of the formats.

    >>> read_labels(b"id,text,axis,label,probability,human\nr-1,Late,topic,delivery,0.93,1")[0].human
    True
    """
    for one in FORMATS.values():
        if one.recognises(raw):
            return one.read(raw)
    raise InvalidLabels(_unknown(raw))


def _unknown(raw: bytes) -> list[Fault]:
    if raw.startswith(_ZIP):
        return [Fault(0, "", "is a ZIP: unpack it and read its files one by one, each with its annotator's name")]
    faults: list[Fault] = []
    found = list(tasks(raw, faults))
    known = ", ".join(one.title for one in FORMATS.values())
    told = f"is JSON, but of no tool known here ({known})" if found else "holds no tasks"
    return faults or [Fault(0, "", told)]
