"""The promise of the rule language, at full count: CEL says the same."""

import pytest
from disagreement import ASKED, OF, disagreements
from hypothesis import HealthCheck, given, settings

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_800)]


def test_heed_and_cel_agree_on_a_hundred_thousand_conditions_and_records(figure):
    compared = []

    @settings(max_examples=1_000, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ASKED, OF)
    def compare(written, of):
        found, asked = disagreements(written, of)
        compared.append(asked)
        assert found == []

    compare()

    figure("answers compared", f"{sum(compared):,}")
    assert sum(compared) >= 100_000
