"""A small file of labels with everything in it: a promise, a refusal, people who differ, and hostile texts."""

from dataclasses import replace

import pytest

from calibration.labels.label import Label
from calibration.promise import Promise
from calibration.report.report import report
from calibration.simulation import World

HOSTILE = "<script>alert(1)</script>\u202ekcab =HYPERLINK('x')\x00"


@pytest.fixture(scope="session")
def labels():
    rows = []
    for seed, name in enumerate(("negative", "positive"), start=3):
        scores, right = World().draw(800, seed=seed)
        for number, (score, said) in enumerate(zip(scores.tolist(), right.tolist(), strict=True)):
            source = "app" if number % 3 else "store"
            text = f"Our kettle number {number} leaks" if number else HOSTILE
            first = Label(
                f"r-{number}", text, "sentiment", name, round(score, 4), said, "ana", "audit", None, True, source
            )
            rows.append(first)
            if number % 4 == 0:
                rows.append(replace(first, rater="jan", human=said if number % 200 else not said))
    few = Label("d-1", "Where is my parcel?", "topic", "delivery <b>", 0.9, True, "ana", "audit", None, True)
    rows += [replace(few, id=f"d-{number}", text=f"Where is parcel {number}?") for number in range(18)]
    return rows


@pytest.fixture(scope="session")
def found(labels):
    return report(labels, Promise(precision=0.90, confidence=0.95))
