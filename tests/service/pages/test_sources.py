"""`/sources`: how each source stands, and how to send to it."""

import re

import pytest
from builders import record
from sqlalchemy import text


@pytest.fixture(scope="module")
def stocked(site):
    assert "No feedback has come in yet." in site.visitor("admin").get("/sources").text
    site.push([record("a-1", source="app"), record("a-2", source="app"), record("b-1", source="branch")])
    return site


def block(page: str, name: str) -> str:
    """What stands in the line of a source, as a person reads it."""
    (found,) = [li for li in re.findall(r"<li>.*?</li>", page, re.DOTALL) if f"<bdi>{name}</bdi>" in li]
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def test_each_source_says_how_it_stands(stocked):
    page = stocked.visitor("auditor").get("/sources").text
    line = block(page, "app")
    assert "Newest record under a minute ago" in line
    assert "2 records" in line
    assert "2 waiting now" in line
    assert "1 record 1 waiting" in block(page, "branch")


def test_the_command_names_the_real_address_and_the_source(stocked):
    line = block(stocked.visitor("admin").get("/sources").text, "branch")
    assert f"curl {stocked.url}/v1/feedback" in line
    assert 'heed keys create --name "branch" --role source --source branch' in line


def test_what_was_set_aside_is_told(stocked):
    with stocked.database.session() as session:
        session.execute(text("UPDATE feedback SET stage = 'quarantined' WHERE external_id = 'b-1'"))
    line = block(stocked.visitor("admin").get("/sources").text, "branch")
    assert "1 record set aside" in line
    assert "0 waiting now" in line


def test_a_source_that_is_refused_says_so_and_until_when(stocked, monkeypatch):
    monkeypatch.setattr("service.ingest.sources.MOST_WAITING", 4)
    assert "full: refused for now" in block(stocked.visitor("admin").get("/sources").text, "app")


def test_the_list_goes_on(stocked, monkeypatch):
    monkeypatch.setattr("service.pages.sources.A_PAGE", 1)
    first = stocked.visitor("admin").get("/sources").text
    assert "<bdi>branch</bdi>" not in first
    assert "<bdi>branch</bdi>" in stocked.visitor("admin").get(re.search(r'href="([^"]*)" rel="next"', first)[1]).text


@pytest.mark.parametrize("role", ["supervisor", "product", "source", "reviewer"])
def test_it_is_open_to_operators_alone(stocked, role):
    assert stocked.visitor(role).get("/sources").status_code == 403
