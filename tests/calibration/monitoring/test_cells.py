"""The audit alarm everywhere and by cell: who is broken, who is watched, and how often falsely."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.monitoring.cells import Cell, CellWeeks, watch_cells

DE, EN, PL = Cell("shop", "de"), Cell("shop", "en"), Cell("app", "pl")


def weeks(cell, wrong, n):
    return CellWeeks(cell, tuple(wrong), tuple(n))


def cells_of(found):
    return [one.cell for one in found]


def test_a_cell_that_breaks_is_found_alone_and_the_others_go_on():
    found = watch_cells([weeks(DE, [9, 10, 12], [30] * 3), weeks(EN, [0, 1, 0], [60] * 3)], 0.9)

    assert cells_of(found.broken) == [DE]
    assert (
        found.broken[0].sentence == "shop, de: the promise is broken since week 2; 31 of 90 audit answers were wrong."
    )
    assert found.everywhere.sentence == (
        "Everywhere: nothing speaks against the promise; 32 of 270 audit answers were wrong."
    )


def test_where_the_promise_breaks_everywhere_that_is_the_one_finding():
    found = watch_cells([weeks(DE, [12] * 6, [30] * 6), weeks(EN, [10] * 6, [30] * 6)], 0.9)

    assert cells_of(found.broken) == [None]
    assert found.broken[0].sentence.startswith("Everywhere: the promise is broken since week ")


def test_evidence_that_builds_up_is_watched():
    found = watch_cells([weeks(DE, [3, 9, 8], [40] * 3), weeks(PL, [0] * 3, [0] * 3)], 0.9)

    assert cells_of(found.watched) == [None]
    assert found.broken == ()
    assert "evidence against the promise is building up; 20 of 120" in found.everywhere.sentence


def test_the_level_of_a_cell_never_changes_when_others_come_later():
    first = [weeks(DE, [1, 1], [30, 30]), weeks(EN, [0, 1], [30, 30])]
    later = [weeks(DE, [1] * 3, [30] * 3), weeks(EN, [0, 1, 1], [30] * 3), weeks(PL, [0, 0, 1], [0, 0, 9])]

    before, after = watch_cells(first, 0.9), watch_cells(later, 0.9)

    assert [one.alarm.alpha for one in before.cells] == [one.alarm.alpha for one in after.cells[:2]]
    assert after.cells[2].alarm.alpha == pytest.approx(0.05 / 2 / 4)


def test_a_late_label_of_a_cell_that_was_drawn_early_changes_no_level():
    waits = CellWeeks(PL, (0, 0), (0, 0), since=0)
    came = CellWeeks(PL, (1, 0), (9, 0), since=0)
    others = [weeks(DE, [1, 1], [30, 30]), weeks(EN, [0, 1], [0, 30])]

    before, after = watch_cells([*others, waits], 0.9), watch_cells([*others, came], 0.9)

    assert [one.alarm.alpha for one in before.cells] == [one.alarm.alpha for one in after.cells]
    assert [one.alarm.alpha for one in before.cells] == pytest.approx([0.05 / 2 / 4, 0.05 / 2 / 4, 0.05 / 2 / 4])


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 9), st.integers(0, 6))
def test_all_levels_together_stay_within_alpha(data, many, length):
    n = [data.draw(st.lists(st.integers(0, 5), min_size=length, max_size=length)) for _ in range(many)]
    cells = [weeks(Cell("shop", str(place)), [0] * length, one) for place, one in enumerate(n)]

    found = watch_cells(cells, 0.9, alpha=0.05)

    levels = [found.everywhere.alarm.alpha, *(one.alarm.alpha for one in found.cells)]
    assert min(levels) > 0
    assert sum(levels) <= 0.05 + 1e-12
    assert found.everywhere.alarm.broken.n == sum(map(sum, n))


@pytest.mark.parametrize("sizes", [[40], [20, 15, 5], [8] * 5])
def test_any_alarm_at_all_is_false_no_more_often_than_said(sizes):
    # the promise kept by a hair in every cell: nowhere are false alarms more frequent
    generator = np.random.default_rng(20261122)
    worlds, length, alpha = 120, 26, 0.2
    n = np.repeat(np.array(sizes)[:, None], length, axis=1)
    false = 0
    for _ in range(worlds):
        wrong = generator.binomial(n, 0.1)
        cells = [weeks(Cell("shop", str(place)), k, m) for place, (k, m) in enumerate(zip(wrong, n, strict=True))]
        false += bool(watch_cells(cells, 0.9, alpha=alpha).broken)

    assert false / worlds <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / worlds)


def test_a_bad_cell_is_found_within_weeks():
    generator = np.random.default_rng(5)
    rates = np.array([0.04, 0.04, 0.35])
    first = []
    for _ in range(20):
        wrong = generator.binomial(20, rates[:, None], (3, 26))
        found = watch_cells([weeks(cell, k, [20] * 26) for cell, k in zip((DE, EN, PL), wrong, strict=True)], 0.9)
        assert found.cells[2].level == "alarm"
        first.append(found.cells[2].alarm.alarm_week)

    assert np.median(first) <= 5


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([], "at least one cell"),
        ([weeks(DE, [0], [1]), weeks(DE, [0], [1])], "each cell must be given once"),
        ([weeks(DE, [0], [1]), weeks(EN, [0, 0], [1, 1])], "every cell must have the same weeks"),
        ([weeks(DE, [2], [1])], "wrong must not exceed n"),
    ],
)
def test_weeks_that_do_not_fit_are_refused(cells, says):
    with pytest.raises(ValueError, match=says):
        watch_cells(cells, 0.9)
