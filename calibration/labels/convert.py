"""Files of labels turned into one file of another format."""

from collections.abc import Sequence
from dataclasses import replace

from calibration.labels.catalog import FORMATS, read_labels
from calibration.labels.label import Fault, InvalidLabels


def convert(files: Sequence[tuple[str, bytes]], *, to: str) -> bytes:
    r"""The labels of all files, each with its name, in the format `to` of the catalog.

    Of several files, rows that name no rater get their file's name as one: doccano exports a file per annotator.

    Raises:
        InvalidLabels: a file cannot be read, with its name before the first place; two files share a name, which
            may stand for a person; or a label cannot be said in `to`.
        KeyError: no such format.

    >>> raw = b"id,text,axis,label,probability,human\nr-1,Late,topic,delivery,0.93,1"
    >>> convert([("labels.csv", raw)], to="csv").splitlines()[1]
    b'r-1,Late,topic,delivery,0.93,1,,,,,,,0,0'
    """
    names = [name for name, _ in files]
    labels = []
    for place, (name, raw) in enumerate(files):
        if name in names[:place]:
            twice = "another file has this name, which stands for the rater: give each a name of its own"
            raise InvalidLabels([Fault(0, "", twice)], file=name)
        try:
            read = read_labels(raw)
        except InvalidLabels as error:
            raise InvalidLabels(error.faults, file=name) from error
        labels += [replace(one, rater=name) if len(files) > 1 and not one.rater else one for one in read]
    return FORMATS[to].write(labels)
