"""What is wrong with an installation and how to mend it; one finding does not hide the next."""

from collections.abc import Callable
from contextlib import closing

from pydantic import BaseModel
from sqlmodel import Session, col, select

from models.taxonomies.folder import HeadRefused
from service.classify import Reader
from service.deliver.addresses import parse_targets
from service.deliver.outbox import open_secrets
from service.health import checked
from service.installation import WrongSecretKey, open_vault
from service.settings import Settings
from service.store import audit
from service.store.database import Database, DatabaseUnusable, check
from service.store.tables import AuditEvent, Destination, Installation
from service.store.vault import SecretKeyUnusable, Unreadable, Vault


class Finding(BaseModel):
    """One thing looked at; `detail` says what is fine, or what is wrong and how to mend it."""

    name: str
    ok: bool
    detail: str


def examine(settings: Settings, database: Database) -> list[Finding]:
    """Look at the database, the schema, the key, the model, the workers, the destinations and the audit chain."""
    findings = [_look("model", lambda: _model(settings)), _look("targets", lambda: _targets(settings))]
    server = _look("server", lambda: _server(database))
    findings.append(server)
    if not server.ok:
        return findings
    for name, told in checked(database).items():
        findings.append(Finding(name=name, ok=told.ok, detail=told.reason or "fine"))
    if all(finding.ok for finding in findings if finding.name == "schema"):
        vault = _look("secret key", lambda: _key(settings, database))
        findings.append(vault)
        findings.append(_look("audit chain", lambda: _chain(database)))
        if vault.ok:
            findings.append(_look("destination secrets", lambda: _secrets(database, open_vault(settings))))
    return findings


class _Wrong(Exception):
    pass


def _look(name: str, examination: Callable[[], str]) -> Finding:
    try:
        return Finding(name=name, ok=True, detail=examination())
    except (_Wrong, DatabaseUnusable, SecretKeyUnusable, WrongSecretKey, HeadRefused, ValueError) as error:
        return Finding(name=name, ok=False, detail=str(error))


def _model(settings: Settings) -> str:
    reader = Reader(settings.model, settings.taxonomy)
    reader.warm_up()
    if reader.trouble is not None:
        raise _Wrong(f"{reader.trouble} Until then keywords read in its place, and no rule acts on what they find.")
    return f"{reader.classifier.name} reads, topics of {reader.taxonomy.identity}"


def _targets(settings: Settings) -> str:
    allowed = parse_targets(settings.allow_targets)
    return f"{len(allowed)} private targets may be called" if allowed else "no private target may be called"


def _server(database: Database) -> str:
    check(database)
    with database.engine.connect() as connection:
        return f"PostgreSQL {connection.exec_driver_sql('SHOW server_version').scalar_one()} answers"


def _key(settings: Settings, database: Database) -> str:
    vault = open_vault(settings)
    with Session(database.engine) as session:
        known = session.get(Installation, 1)
    if known is not None and known.key_id != vault.key_id:
        raise WrongSecretKey(
            "The database was set up with another secret key: restore it, or set HEED_SECRET_KEY to it. Until then "
            "API keys are refused and nothing sealed can be read."
        )
    return f"key {vault.key_id} is the one the database knows"


def _chain(database: Database) -> str:
    previous = audit.GENESIS
    events = select(AuditEvent).order_by(col(AuditEvent.sequence)).execution_options(yield_per=1_000)
    number = 0
    with Session(database.engine) as session, closing(session.exec(events)) as rows:
        for number, row in enumerate(rows, start=1):
            expected = audit.link(previous, row.sequence, row.at, row.actor, row.action, row.object, row.data)
            if row.sequence != number or row.previous_hash != previous or row.hash != expected:
                raise _Wrong(f"Event {number} of the audit chain was changed or removed: compare with a backup.")
            previous = row.hash
    return f"{number} events, each in its place"


def _secrets(database: Database, vault: Vault) -> str:
    with Session(database.engine) as session:
        rows = session.exec(select(Destination)).all()
    wrong = [row.name for row in rows if not _opens(row, vault)]
    if wrong:
        raise _Wrong(f"The secrets of {', '.join(wrong)} cannot be read: set them again with PATCH /v1/destinations.")
    return f"{len(rows)} set up"


def _opens(row: Destination, vault: Vault) -> bool:
    try:
        open_secrets(vault, row)
    except Unreadable:
        return False
    return True
