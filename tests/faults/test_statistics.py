"""The promises of the statistics, at full count."""

import pytest

from service.bench.promise import measure

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("seed", [0, 1_000_000, 2_000_000])
def test_promises_alarms_and_promotions_hold_in_two_thousand_worlds(seed, figure):
    report = measure(worlds=2_000, seed=seed)

    for line in report.lines:
        figure(f"{line.what}, {line.by}", round(line.figure, 4))
    assert [line for line in report.lines if line.holds is False] == []
