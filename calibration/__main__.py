"""`python -m calibration labels.csv`: the whole report offline, with no service running."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from calibration.certification.agreement import AGREEMENT_FLOOR
from calibration.labels.label import InvalidLabels
from calibration.promise import Promise
from calibration.report.publish import fixed_thresholds, publish, told

DONE, FAILED = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Read a file of labels, print the verdicts, write page and JSON.

    0 when done, 1 when the file cannot be used; wrong arguments end the process with 2.
    """
    given = _parser().parse_args(arguments)
    try:
        published = publish(
            given.labels.read_bytes(),
            name=given.labels.name,
            on=datetime.now(UTC).date(),
            promise=Promise(given.precision, given.confidence),
            thresholds=given.threshold,
            agreement_floor=given.agreement,
            seed=given.seed,
        )
        if given.json:
            print(published.json)
            return DONE
        page, figures = published.write(given.out, given.labels.stem)
    except InvalidLabels as error:
        print(f"{given.labels} cannot be used:\n{error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # whoever reads has heard enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return FAILED
    print(told(published.report, page, figures))
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m calibration", description=__doc__)
    parser.add_argument("labels", type=Path, help="a file of labels: CSV, or JSON of Label Studio, Argilla or doccano")
    parser.add_argument("--precision", type=_from_half, default=0.90, help="the share that must be right (0.90)")
    parser.add_argument("--confidence", type=_from_half, default=0.95, help="how sure to be of it (0.95)")
    parser.add_argument(
        "--threshold",
        action=_Thresholds,
        metavar="[LABEL=]NUMBER",
        help="judge only this one, fixed before the labels were made",
    )
    parser.add_argument(
        "--agreement", type=_share, default=AGREEMENT_FLOOR, help=f"the least agreement of people ({AGREEMENT_FLOOR})"
    )
    parser.add_argument("--seed", type=_seed, default=0, help="of everything that is drawn (0)")
    parser.add_argument("--out", type=Path, default=Path(), help="the folder for page and JSON (this one)")
    parser.add_argument("--json", action="store_true", help="print the JSON and write nothing")
    return parser


class _Thresholds(argparse.Action):
    """Gathers thresholds by label."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 (argparse's signature)
        namespace: argparse.Namespace,
        values: str | Sequence[str] | None,
        option_string: str | None = None,  # noqa: ARG002 (argparse's signature)
    ) -> None:
        try:
            fixed = fixed_thresholds([str(values)])
        except ValueError as error:
            raise argparse.ArgumentError(self, str(error)) from error
        setattr(namespace, self.dest, {**(getattr(namespace, self.dest) or {}), **fixed})


def _from_half(word: str) -> float:
    value = _number(word)
    if not 0.5 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be from 0.5 to below 1, not {word!r}")
    return value


def _share(word: str) -> float:
    value = _number(word)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to 1, not {word!r}")
    return value


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a number, not {word!r}") from error


def _seed(word: str) -> int:
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number of 0 or more, not {word!r}")
    return int(word)


if __name__ == "__main__":
    sys.exit(main())
