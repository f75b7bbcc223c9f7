"""`heed demo`: the whole road on feedback of our own, with a help desk on loopback, in a folder of its own."""

import fcntl
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import httpx
import typer
import uvicorn
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from sqlalchemy import func
from sqlmodel import Session, col, select

from models.taxonomies.taxonomy import default_taxonomy
from service import telemetry
from service.api.connection import Connection
from service.app import create_app
from service.cli.serve import PortTaken, WorkerProcess, listen, web
from service.demo.blind import draw_once, unlabelled
from service.demo.helpdesk import HelpDesk
from service.demo.people import PEOPLE, let_people_in
from service.installation import Opened, open_installation
from service.people.access import ROLES, create_key, revoke_key
from service.route import versions
from service.settings import Settings
from service.standard_webhooks import new_secret
from service.store.tables import ApiKey, Classification, Delivery, Feedback, Policy, WorkItem

DESTINATION = "helpdesk"
PATIENCE = 180  # seconds until the demo says that something is wrong
_KINDS = {
    "follow_up": "follow-ups",
    "ticket": "tickets",
    "quality_case": "quality cases",
    "backlog_item": "backlog items",
    "review": "for review",
}


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the table instead of serving on.")] = False,
    port: Annotated[int | None, typer.Option(help="First port to try (HEED_PORT).", min=1, max=65535)] = None,
) -> None:
    """Show the whole road: our own feedback in, work items and delivered tickets out. Ctrl-C ends it."""
    console = Console()
    with ExitStack() as stack:
        home = Settings().home / "demo"
        stack.enter_context(_alone(home))
        desk = stack.enter_context(HelpDesk(new_secret(), file=home / "helpdesk.json"))
        settings = _own_settings(home, desk)
        telemetry.configure(settings.log_level)
        opened = stack.enter_context(open_installation(settings))
        keys = _make_keys(opened)
        with opened.database.session() as session:
            password = let_people_in(session)
        _use_demo_policy(opened)
        address = stack.enter_context(_serving(opened, port or settings.port))
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as http:
            _use_help_desk(http, keys["admin"], desk)
            _push(http, keys["source"])
            complete = _watch(opened, console)
        if complete:
            with opened.database.session() as session:
                draw_once(session)
        _show_keys(console, keys)
        _show_table(console, opened, address)
        if not complete:
            console.print("Not everything was done in time: `heed doctor` and the lines above say why.", style="red")
            raise typer.Exit(1)
        if not once:
            _show_ways_in(console, address, desk, keys["supervisor"])
            _show_sign_in(console, address, password)
            console.print("Serving until Ctrl-C.")
            _until_interrupted()
    if once:
        console.print(
            "The demo has ended, and its keys with the next one; start `heed demo` to look around.", highlight=False
        )


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """The demo's folder for one demo at a time: a second one would end the first one's keys and take its help desk."""
    try:
        # As the embedded PostgreSQL makes it: as root its own account must be able to pass through.
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        lock = os.open(home / "demo.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        _refuse(f"{home} cannot be used ({error.strerror}): set HEED_HOME to a folder heed may write to.")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        _refuse(f"A demo already runs in {home}: end it with Ctrl-C first, or set HEED_HOME to another folder.")
    try:
        yield
    finally:
        os.close(lock)


def _refuse(reason: str) -> NoReturn:
    typer.echo(reason, err=True)
    raise typer.Exit(1)


def _own_settings(home: Path, desk: HelpDesk) -> Settings:
    """The settings of an installation of the demo's own; its worker reads them from the same environment."""
    os.environ["HEED_HOME"] = str(home)
    os.environ["HEED_ALLOW_TARGETS"] = f"127.0.0.1:{desk.port}"
    os.environ.setdefault("HEED_LOG_LEVEL", "warning")
    for name in ("HEED_DATABASE_URL", "HEED_SECRET_KEY", "HEED_PUBLIC_URL", "HEED_REQUIRE_APPROVAL", "HEED_TAXONOMY"):
        os.environ.pop(name, None)
    return Settings()


def _make_keys(opened: Opened) -> dict[str, str]:
    """A key per role; those of an earlier demo end, since nobody can read them any more."""
    with opened.database.session() as session:
        earlier = select(ApiKey.id).where(col(ApiKey.revoked_at).is_(None), col(ApiKey.name).startswith("demo-"))
        for key_id in session.exec(earlier).all():
            revoke_key(session, key_id, actor="demo")
        return {
            role: create_key(session, opened.vault, name=f"demo-{role}", role=role, actor="demo").key for role in ROLES
        }


def _use_demo_policy(opened: Opened) -> None:
    document = _file("policy.yaml").read_text()
    with opened.database.session() as session:
        deciding = session.get_one(Policy, versions.active_version(session))
        if deciding.document != document:
            topics = default_taxonomy().labels
            published = versions.publish(session, document, topics, by="demo", comment="the demo's own rules")
            versions.activate(session, published.version, by="demo", comment="the demo's own rules")


def _file(name: str) -> Path:
    return Path(str(files("service.demo") / name))


@contextmanager
def _serving(opened: Opened, first: int) -> Iterator[str]:
    """The web process in a thread and a worker beside it, on the first free port."""
    with ExitStack() as stack:
        door = None
        for port in range(first, first + 50):
            try:
                door = stack.enter_context(listen("127.0.0.1", port))
                break
            except PortTaken:
                continue
        if door is None:
            raise PortTaken(f"All ports from {first} to {first + 49} are taken: choose another with --port.")
        config = uvicorn.Config(create_app(web(opened)), http=Connection, ws="none", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        worker = WorkerProcess()
        worker.start()
        thread.start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            worker.ask_to_stop()
            server.should_exit = True
            thread.join(15)
            worker.wait()


def _use_help_desk(http: httpx.Client, key: str, desk: HelpDesk) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    settings = {"secrets": [desk.secret], "settings": {"base_url": desk.url}}
    if http.get(f"/v1/destinations/{DESTINATION}", headers=headers).status_code == httpx.codes.OK:
        answer = http.patch(f"/v1/destinations/{DESTINATION}", headers=headers, json={**settings, "enabled": True})
    else:
        named = {"name": DESTINATION, "kind": "webhook", **settings}
        answer = http.post("/v1/destinations", headers=headers, json=named)
    answer.raise_for_status()
    for dead in http.get("/v1/deliveries", headers=headers, params={"state": "dead", "limit": 200}).json()["items"]:
        http.post(f"/v1/deliveries/{dead['id']}/replay", headers=headers).raise_for_status()


def _push(http: httpx.Client, key: str) -> None:
    records = [json.loads(line) for line in _file("feedback.ndjson").read_text().splitlines()]
    for start in range(0, len(records), 100):
        answer = http.post(
            "/v1/feedback", headers={"Authorization": f"Bearer {key}"}, json=records[start : start + 100]
        )
        if answer.status_code == httpx.codes.CONFLICT:
            _refuse(
                f"{Settings().home} holds the feedback of another version of the demo: delete it, then start again."
            )
        answer.raise_for_status()


def _watch(opened: Opened, console: Console) -> bool:
    """Until every record is routed and every delivery delivered; False when that takes too long."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    deadline = time.monotonic() + PATIENCE
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        routed, delivered = progress.add_task("routed"), progress.add_task("delivered")
        while time.monotonic() < deadline:
            with Session(opened.database.engine) as session:
                stages = _counted(session, Feedback.stage)
                states = _counted(session, Delivery.state)
            done = stages.get("routed", 0)
            progress.update(routed, completed=done, total=sum(stages.values()))
            progress.update(delivered, completed=states.get("delivered", 0), total=sum(states.values()) or None)
            if done == sum(stages.values()) and not states.get("pending"):
                return not states.get("dead")
            time.sleep(0.2)  # a person watches; the rows say when it is over
    return False


def _counted(session: Session, column: str) -> dict[str, int]:
    return dict(session.exec(select(column, func.count()).group_by(column)).all())


def _show_table(console: Console, opened: Opened, address: str) -> None:
    with Session(opened.database.engine) as session:
        received = session.exec(select(func.count()).select_from(Feedback)).one()
        classified = session.exec(select(func.count()).select_from(Classification)).one()
        kinds = _counted(session, WorkItem.kind)
        delivered = _counted(session, Delivery.state).get("delivered", 0)
        cards = unlabelled(session)
    table = Table("what became of the feedback", "", title="heed demo", box=None, title_justify="left")
    table.add_row("received", str(received))
    table.add_row("classified (the others hold scores only)", str(classified))
    for kind, words in _KINDS.items():
        table.add_row(words, str(kinds.get(kind, 0)))
    table.add_row("delivered to the help desk", str(delivered))
    table.add_row("to be labelled blind", str(cards))
    table.add_row("address", address)
    console.print(table)


def _show_keys(console: Console, keys: dict[str, str]) -> None:
    sign_in = Table("role", "key (Authorization: Bearer ...)", box=None, title="Keys", title_justify="left")
    for role, key in keys.items():
        sign_in.add_row(role, key)
    console.print(sign_in)
    console.print()


def _show_ways_in(console: Console, address: str, desk: HelpDesk, key: str) -> None:
    console.print()
    console.print(
        f"Help desk, with {len(desk.tickets)} tickets of all runs: {desk.url}", soft_wrap=True, highlight=False
    )
    if desk.lost_port:
        console.print(
            f"  Its port of the last run, {desk.lost_port}, is taken: links of earlier deliveries lead there.",
            soft_wrap=True,
            highlight=False,
        )
    console.print("Look at the follow-ups, each with the rule that asked for it:", highlight=False)
    console.print(
        f"  curl -s -H 'Authorization: Bearer {key}' '{address}/v1/work-items?kind=follow_up&limit=3'",
        soft_wrap=True,
        highlight=False,
    )


def _show_sign_in(console: Console, address: str, password: str) -> None:
    people = Table("sign in as", "to see", box=None, title="Pages", title_justify="left")
    for name, person in PEOPLE.items():
        people.add_row(name, person.sees)
    console.print()
    console.print(people)
    console.print(f"Open {address} and sign in; everybody's password is {password}", soft_wrap=True, highlight=False)
    console.print()


def _until_interrupted() -> None:
    over = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    over.wait()
