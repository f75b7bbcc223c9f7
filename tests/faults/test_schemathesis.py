"""Generated requests by the hundred to every operation, others in every run."""

from collections.abc import Iterator

import pytest
from generated import ask, kinds, things
from sites import Site, opened

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def site(migrated, vault, reader, http) -> Iterator[Site]:
    with opened(migrated, vault, reader, http) as running:
        yield running


def test_no_operation_answers_what_its_document_does_not_tell(site, figure):
    known, asked = things(site), 0
    for operation, mode in (one.values for one in kinds()):
        ask(operation, mode, site.api(), known, examples=300)
        asked += 1
    figure("operations, each with up to 300 fitting or unfitting requests", asked)
