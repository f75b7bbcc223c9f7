"""`python -m calibration.labels FILE --to FORMAT`: labels from one tool's format into another's."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from calibration.labels.catalog import FORMATS
from calibration.labels.convert import convert
from calibration.labels.label import InvalidLabels

DONE, FAILED = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the files, recognising their formats, and write them as one. 0 when done, 1 when one cannot be used."""
    given = _parser().parse_args(arguments)
    try:
        written = convert([(path.name, path.read_bytes()) for path in given.files], to=given.to)
        if given.out is None:
            sys.stdout.buffer.write(written)
        else:
            given.out.write_bytes(written)
    except (InvalidLabels, OSError) as error:
        print(error, file=sys.stderr)
        return FAILED
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m calibration.labels", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="labels in any of the formats")
    parser.add_argument("--to", choices=FORMATS, required=True, help="the format to write")
    parser.add_argument("--out", type=Path, help="the file to write (standard output)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
