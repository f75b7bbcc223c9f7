"""`/health`: one sentence on top, what needs somebody, what to do about it, and the buttons that do it."""

import re
from html import unescape

import pytest
from builders import record
from sqlalchemy import text

from service.health import Health
from service.pages.health import Need, summary

POLICY = """
name: delivers
rules:
  - {name: low, when: scores.nps <= 6, then: {create: follow_up, deliver: [desk]}}
"""


def read(answer) -> str:
    body = answer.text[answer.text.index("<main") :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(autouse=True)
def calm(site):
    """Nothing needs anybody."""
    with site.database.session() as session:
        session.execute(text("TRUNCATE feedback, work_item, delivery, import, destination, procrastinate_jobs CASCADE"))
        session.execute(text("DELETE FROM procrastinate_workers"))
        session.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))


@pytest.fixture(scope="module")
def admin(site):
    return site.visitor("admin")


def change(site, statement: str, **values: int) -> None:
    with site.database.session() as session:
        session.execute(text(statement), values)


def test_all_is_well(admin):
    told = read(admin.get("/health"))
    assert "heed takes feedback; nothing needs you." in told
    assert "to be read 0 – to be decided 0 – to be sent 0 –" in told
    assert "PostgreSQL" in told
    assert re.search(r"Schema \d{4}, up to date", told)
    assert re.search(r"\d+ of [\d,]+ went wrong here", told)


def test_without_a_worker_it_says_what_to_start(site, admin):
    change(site, "DELETE FROM procrastinate_workers")
    told = read(admin.get("/health"))
    assert "heed takes feedback; 1 thing needs you." in told
    assert "No worker runs, so nothing is read, decided or sent." in told
    assert "heed worker" in told


def test_a_wait_that_is_too_long_names_the_noisy_source(site, admin, monkeypatch):
    monkeypatch.setattr("service.pages.health.NOISY", 3)
    site.push([record("q-1"), *(record(f"n-{number}", source="noisy") for number in range(4))])
    assert "nothing needs you" in read(admin.get("/health"))
    change(site, "UPDATE feedback SET stage_since = now() - interval '1 hour 20 minutes'")
    told = read(admin.get("/health"))
    assert "The oldest record has waited for 1 h 20 m. Most of it, 4 records, comes from noisy." in told
    assert "to be read 5 1 h 20 m" in told


def test_what_was_set_aside_can_try_again_one_or_all(site, admin):
    first, *_ = site.push([record(f"aside-{number}") for number in range(3)])
    change(site, "UPDATE feedback SET stage = 'quarantined', reason = 'classify failed with <i>Boom</i>, 3 times'")
    page = admin.get("/health")
    assert "3 records were set aside." in read(page)
    assert "classify failed with <i>Boom</i>, 3 times" in read(page)
    answer = site.form(admin, f"/health/retry/{first}")
    assert answer.headers["location"] == "/health?done=retried"
    assert "2 records were set aside." in read(admin.get("/health"))
    assert site.form(admin, f"/health/retry/{first}").status_code == 409
    assert site.form(admin, "/health/retry").status_code == 303
    assert "Nothing: every record could be read." in read(admin.get("/health"))
    assert "to be read 3" in read(admin.get("/health"))


def test_dead_letters_are_put_away_or_sent_again(site, admin):
    site.use(POLICY)
    site.push([record(f"dead-{number}", scores={"nps": 1}) for number in range(2)])
    site.drain()
    change(site, "UPDATE delivery SET state = 'dead', next_at = NULL, last_error = 'answered 400: no such queue'")
    told = read(admin.get("/health"))
    assert "2 deliveries were given up." in told
    assert "heed deliveries list --state dead" in told
    assert "answered 400: no such queue" in told
    assert "The destination desk is not set up, but the rules send work there" in told
    with site.database.session() as session:
        one, _ = session.execute(text("SELECT id FROM delivery ORDER BY id")).scalars()
    assert site.form(admin, f"/deliveries/{one}/put-away", back="health").headers["location"] == "/health?done=put_away"
    assert "1 delivery was given up." in read(admin.get("/health"))
    assert site.form(admin, "/health/replay").status_code == 303
    assert "given up." not in read(admin.get("/health")).split("What waits")[0]
    with site.database.session() as session:
        states = session.execute(text("SELECT state FROM delivery ORDER BY id")).scalars().all()
    assert states == ["dead", "pending"]


def test_a_destination_that_is_switched_off_and_failing_attempts_are_told(site, admin):
    change(
        site,
        "INSERT INTO destination (name, kind, settings, failures, created_at, disabled_at, disabled_reason)"
        " VALUES ('desk', 'webhook', '{}', 0, now(), now(), 'answered 410: gone')",
    )
    site.use(POLICY)
    site.push([record("fails", scores={"nps": 1})])
    site.drain()
    change(
        site,
        "INSERT INTO delivery_attempt (delivery_id, number, started_at, finished_at, outcome)"
        " SELECT id, n, now(), now(), CASE n WHEN 1 THEN 'delivered' ELSE 'trylater' END"
        " FROM delivery, generate_series(1, 4) n",
    )
    told = read(admin.get("/health"))
    assert "The destination desk is switched off: answered 410: gone." in told
    assert "To desk last 24 hours: 3 of 4 attempts failed" in told


@pytest.mark.parametrize(
    ("attempts", "delivered", "told"),
    [
        (3, 0, "desk has taken nothing: 3 of 3 attempts failed. The last one: answered 401: who are you."),
        (2, 0, "nothing needs you."),
        (4, 1, "nothing needs you."),
    ],
)
def test_a_destination_that_takes_nothing_needs_somebody(site, admin, attempts, delivered, told):
    change(
        site,
        "INSERT INTO destination (name, kind, settings, failures, created_at)"
        " VALUES ('desk', 'webhook', '{}', 0, now())",
    )
    site.use(POLICY)
    site.push([record("fails", scores={"nps": 1})])
    site.drain()
    change(site, "TRUNCATE delivery_attempt")
    change(site, "UPDATE delivery SET state = 'pending'")
    change(
        site,
        "INSERT INTO delivery_attempt (delivery_id, number, started_at, finished_at, outcome, detail)"
        " SELECT id, n, now(), now(), CASE WHEN n <= :delivered THEN 'delivered' ELSE 'trylater' END,"
        " 'answered 401: who are you' FROM delivery, generate_series(1, :attempts) n",
        delivered=delivered,
        attempts=attempts,
    )
    page = admin.get("/health")
    nothing = "has taken nothing" in told
    assert told in read(page)
    assert ('href="/destinations/desk"' in page.text) == nothing
    for path in ("/destinations", "/destinations/desk"):
        assert ("nothing arrives" in read(admin.get(path))) == nothing


def test_an_import_under_way_is_shown(site, admin):
    change(
        site,
        "INSERT INTO import (id, source, file_name, layout, mapping, history, digest, size, state, position, rows, new,"
        " duplicate, revision, stale, rejected, errors, created_by, created_at, updated_at) VALUES"
        " (gen_random_uuid(), 's', 'december.csv', '{}', '{}', false, '', 1, 'running', 2000, 2000, 2000, 0, 0, 0, 0,"
        " '[]', 'ana', now(), now())",
    )
    assert "december.csv 2,000 rows done" in read(admin.get("/health"))


def test_an_auditor_looks_and_touches_nothing(site):
    site.push([record("audited")])
    change(site, "UPDATE feedback SET stage = 'quarantined'")
    auditor = site.visitor("auditor")
    page = auditor.get("/health")
    assert "1 record was set aside." in read(page)
    assert "/health/retry" not in page.text
    assert site.form(auditor, "/health/retry").status_code == 403
    assert site.form(auditor, "/health/replay").status_code == 403


def test_it_is_open_to_operators_alone(site):
    assert site.visitor("supervisor").get("/health").status_code == 403


@pytest.mark.parametrize(
    ("ready", "number", "told"),
    [
        (True, 0, "heed takes feedback; nothing needs you."),
        (True, 1, "heed takes feedback; 1 thing needs you."),
        (True, 2, "heed takes feedback; 2 things need you."),
        (False, 0, "heed cannot take feedback."),
        (False, 2, "heed cannot take feedback; 2 things need you."),
    ],
)
def test_one_sentence_says_it(ready, number, told):
    assert summary(Health(ready=ready, degraded=[], checks={}), [Need("x", "y")] * number) == told
