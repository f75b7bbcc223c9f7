import pytest
from pydantic import SecretStr
from sqlalchemy import text

from service.doctor import examine
from service.installation import open_installation
from service.people.access import create_key
from service.settings import Settings
from service.store.database import Database, connect
from service.store.tables import Destination, now

ALL = [
    *("model", "targets", "server", "database", "schema", "workers", "progress", "dead_letters", "destinations"),
    *("secret key", "audit chain", "destination secrets"),
]


@pytest.fixture
def settings(empty_database, tmp_path) -> Settings:
    """An installation with a worker that lives."""
    settings = Settings(home=tmp_path, database_url=SecretStr(empty_database.conninfo_url), model="keywords")
    with open_installation(settings, pool=2) as opened, opened.database.session() as session:
        for name in ("first", "second"):
            create_key(session, opened.vault, name=name, role="admin", actor="test")
        session.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    return settings


def wrong(settings: Settings, database: Database) -> dict[str, str]:
    return {finding.name: finding.detail for finding in examine(settings, database) if not finding.ok}


def change(database: Database, statement: str) -> None:
    with database.session() as session:
        session.execute(text(statement))


def test_nothing_is_wrong(settings, empty_database):
    findings = examine(settings, empty_database)
    assert [finding.name for finding in findings] == ALL
    assert all(finding.ok for finding in findings), findings
    told = {finding.name: finding.detail for finding in findings}
    assert told["model"] == "keywords@1 reads, topics of default@1"
    assert told["server"].startswith("PostgreSQL 1")
    assert told["audit chain"] == "4 events, each in its place"


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE audit_event SET data = jsonb_set(data, '{name}', '\"mallory\"') WHERE sequence = 3", 3),
        ("UPDATE audit_event SET actor = 'mallory' WHERE sequence = 1", 1),
        ("UPDATE audit_event SET at = at + interval '1 microsecond' WHERE sequence = 2", 2),
        ("UPDATE audit_event SET hash = previous_hash WHERE sequence = 4", 4),
        ("DELETE FROM audit_event WHERE sequence = 2", 2),
        ("UPDATE audit_event SET sequence = 5 WHERE sequence = 4", 4),
    ],
)
def test_an_audit_event_cannot_be_edited_unseen(settings, empty_database, statement, number):
    change(empty_database, statement)
    assert wrong(settings, empty_database) == {
        "audit chain": f"Event {number} of the audit chain was changed or removed: compare with a backup."
    }


def test_another_key_is_found(settings, empty_database):
    other = settings.model_copy(update={"secret_key": SecretStr("another secret key, which is long enough")})
    found = wrong(other, empty_database)
    assert set(found) == {"secret key"}
    assert "set up with another secret key" in found["secret key"]


def test_a_key_file_that_was_cut_short_is_found(settings, empty_database):
    (settings.home / "secret.key").write_text("short")
    assert "holds no secret key" in wrong(settings, empty_database)["secret key"]


def test_every_destination_that_cannot_be_used_is_named(settings, empty_database):
    with empty_database.session() as session:
        session.add(Destination(name="desk", kind="webhook", secrets=b"x" * 40, key_id="another"))
        session.add(Destination(name="jira", kind="webhook", disabled_at=now(), disabled_reason="answered 410"))
        session.add(Destination(name="well", kind="webhook"))
    found = wrong(settings, empty_database)
    assert set(found) == {"destinations", "destination secrets"}
    assert "The secrets of desk cannot be read" in found["destination secrets"]
    assert "'jira' is switched off (answered 410): mend it there, then PATCH it" in found["destinations"]
    assert "well" not in found["destinations"]


def test_one_finding_does_not_hide_the_next(settings, empty_database):
    change(empty_database, "DELETE FROM procrastinate_workers")
    change(empty_database, "UPDATE audit_event SET actor = 'mallory'")
    odd = settings.model_copy(update={"model": "crystal-ball", "allow_targets": "no port"})
    assert set(wrong(odd, empty_database)) == {"model", "targets", "workers", "audit chain"}


def test_a_model_that_cannot_be_used_is_found_with_what_reads_meanwhile(settings, empty_database, tmp_path):
    (tmp_path / "model").mkdir()
    found = wrong(settings.model_copy(update={"model": str(tmp_path / "model")}), empty_database)
    assert set(found) == {"model"}
    assert str(tmp_path / "model") in found["model"]
    assert found["model"].endswith("Until then keywords read in its place, and no rule acts on what they find.")


def test_topics_that_cannot_be_read_are_found(settings, empty_database, tmp_path):
    found = wrong(settings.model_copy(update={"taxonomy": tmp_path / "none.yaml"}), empty_database)
    assert set(found) == {"model"}
    assert "none.yaml cannot be read (No such file or directory)" in found["model"]


def test_a_schema_that_is_missing_is_found(empty_database, tmp_path):
    found = wrong(Settings(home=tmp_path, model="keywords"), empty_database)
    assert set(found) == {"schema"}
    assert "run `heed migrate`" in found["schema"]


def test_a_server_that_cannot_be_reached_is_found(tmp_path):
    found = wrong(Settings(home=tmp_path, model="keywords"), connect("postgresql://heed:top-secret@127.0.0.1:1/heed"))
    assert set(found) == {"server"}
    assert "is not listening there" in found["server"]
    assert "top-secret" not in found["server"]
