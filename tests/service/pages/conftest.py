"""A site for a whole module of tests: each case brings records and names of its own."""

from collections.abc import Iterator

import pytest
from sites import Site, opened

from service.classify import Reader
from service.deliver.http import Client
from service.store.database import Database
from service.store.vault import Vault


@pytest.fixture(scope="module")
def site(migrated: Database, vault: Vault, reader: Reader, http: Client) -> Iterator[Site]:
    with opened(migrated, vault, reader, http) as running:
        yield running
