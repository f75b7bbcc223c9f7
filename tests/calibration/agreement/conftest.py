"""Published tables that more than one coefficient was worked out on."""

import numpy as np
import pytest

NONE = np.nan


@pytest.fixture
def twelve_units():
    """Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), example C: 12 units, 4 observers, 5 values."""
    return (
        np.array(
            [
                [1, 1, NONE, 1],
                [2, 2, 3, 2],
                [3, 3, 3, 3],
                [3, 3, 3, 3],
                [2, 2, 2, 2],
                [1, 2, 3, 4],
                [4, 4, 4, 4],
                [1, 1, 2, 1],
                [2, 2, 2, 2],
                [NONE, 5, 5, 5],
                [NONE, NONE, 1, 1],
                [NONE, NONE, 3, NONE],
            ]
        )
        - 1
    )


@pytest.fixture
def thirty_patients():
    """Fleiss, Psychological Bulletin 76 (1971), table 1: 30 patients, 6 psychiatrists, 5 diagnoses."""
    rows = (
        "444444 222555 233335 555555 222444 113333 333355 113334 114444 555555 144444 124444 222333 144444 224445 "
        "333335 111455 111112 224444 133555 555555 244444 224555 114444 144445 222224 111155 224444 133333 555555"
    )
    return np.array([[int(digit) for digit in row] for row in rows.split()]) - 1


@pytest.fixture
def dialogue_acts():
    """Artstein and Poesio, Computational Linguistics 34 (2008): 100 utterances, 2 coders; Stat, IReq, Chck."""
    return pairs([[46, 6, 0], [0, 32, 0], [0, 6, 10]])


def pairs(table):
    """The (items, 2) ratings of a table, row by row."""
    cells = [[row, column] for row, line in enumerate(table) for column, n in enumerate(line) for _ in range(n)]
    return np.array(cells)
