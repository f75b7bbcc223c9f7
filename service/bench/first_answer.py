"""A fresh heed process up to its first answer, then its peak memory in KiB: `encoder FOLDER` or `whole FOLDER`."""

import os
import sys
from pathlib import Path

TEXT = "The parcel came two weeks late, and nobody told us why."


def encoder(folder: Path) -> None:
    """The encoder path alone: tokens in, beliefs out; spaCy is not loaded."""
    from models.encoder.session import Encoder  # noqa: PLC0415 (the start of each path loads what it needs)
    from models.encoder.weights import open_weights  # noqa: PLC0415 (as above)

    made = Encoder(open_weights(folder))
    made.run(made.tokens(TEXT).ids, (), ())


def whole(folder: Path) -> None:
    """Everything that a reading holds: language, segments, spans and topics too."""
    from models.catalog import load  # noqa: PLC0415 (as above)
    from models.prediction import Verbatim  # noqa: PLC0415 (as above)
    from models.taxonomies.taxonomy import default_taxonomy  # noqa: PLC0415 (as above)

    load(str(folder)).read([Verbatim(TEXT)], default_taxonomy())


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as service/cli/main.py does
    {"encoder": encoder, "whole": whole}[sys.argv[1]](Path(sys.argv[2]))
    print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line))
