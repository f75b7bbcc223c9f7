"""The published list of what rules may use: every example in it can be written in a rule."""

import pytest

from service.route.case import FIELDS
from service.route.conditions import parse
from service.route.names import FUNCTIONS, TEXT, Names, published

NAMES = Names({"context.site": "text"}, ["negative"], ["delivery"])
LISTED = published(NAMES.fields)


def test_it_lists_fields_declared_fields_the_text_and_functions():
    assert [one.written for one in LISTED] == [
        *FIELDS,
        "context.site",
        TEXT.written,
        *(one.written for one in FUNCTIONS.values()),
    ]
    assert all(one.about for one in LISTED)


@pytest.mark.parametrize(
    "one", [one for one in LISTED if one.type in {"number", "condition"}], ids=lambda one: one.written
)
def test_what_it_lists_can_be_written(one):
    assert parse(f"{one.written} >= scores.nps" if one.type == "number" else one.written, NAMES)
