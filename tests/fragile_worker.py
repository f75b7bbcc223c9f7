"""A heed worker whose classifier stumbles over marked texts; run as a program by the tests that kill.

`fragile_worker.py [--fast]`: with `--fast` it beats, and is missed, five times as often as a real one. Texts that hold
`[ends the worker]`, `[raises]` or `[takes long]` do what they say until there is a file `healed` in HEED_HOME.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from service import pipeline, telemetry, worker
from service.classify import Answered, Reader, Understood
from service.deliver.addresses import parse_targets
from service.deliver.http import open_client
from service.installation import open_installation
from service.pipeline import Works
from service.settings import Settings
from service.store import jobs

ENDS, RAISES, TAKES_LONG = "[ends the worker]", "[raises]", "[takes long]"


class FragileReader(Reader):
    """The keyword classifier, with accidents."""

    def __init__(self, healed: Path) -> None:
        super().__init__("keywords")
        self._healed = healed

    def understand(self, answers: Sequence[Answered]) -> list[Understood | None]:
        words = " ".join(verbatim.text for answer in answers for verbatim in answer.verbatims)
        if not self._healed.exists():
            if ENDS in words:
                os._exit(9)
            if RAISES in words:
                raise ValueError(words)
            if TAKES_LONG in words:
                time.sleep(3600)
        return super().understand(answers)


def faster() -> None:
    """Let the clock of the engine run five times as fast."""
    jobs.HEARTBEAT, jobs.STALLED = 1, 4
    pipeline.EVERY = {"recover": "* * * * * */2", "reconcile": "* * * * * */6"}
    worker.EVERY = pipeline.EVERY


def main() -> None:
    if "--fast" in sys.argv:
        faster()
    settings = Settings()
    telemetry.configure("info")
    with open_installation(settings) as opened:
        reader = FragileReader(settings.home / "healed")
        targets = parse_targets(settings.allow_targets)
        works = Works(opened.database, opened.vault, reader, open_client(targets), settings.public_url)
        ended = worker.run(works, opened.database.conninfo, slots=settings.worker_slots)
    if not ended:
        os._exit(1)


if __name__ == "__main__":
    main()
