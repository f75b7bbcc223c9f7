"""Every operation of the OpenAPI document, asked with what fits it and what does not: nothing undocumented."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from generated import ask, kinds, things
from sites import Site, opened


@pytest.fixture(scope="module")
def site(migrated, vault, reader, http) -> Iterator[Site]:
    with opened(migrated, vault, reader, http) as running:
        yield running


@pytest.fixture(scope="module")
def known(site) -> Mapping[str, Any]:
    return things(site)


@pytest.mark.parametrize(("operation", "mode"), kinds())
def test_operation(site, known, operation, mode):
    ask(operation, mode, site.api(), known, examples=8)
