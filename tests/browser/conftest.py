"""A site full of the demo's feedback, and a Chromium in which somebody of each role has signed in."""

import json
import os
import re
from collections.abc import Callable, Iterator
from importlib.resources import files

import pytest
from cards import ask
from chromium import Watched, started
from playwright.sync_api import Browser, BrowserContext
from sites import NAMES, Site, opened
from sqlalchemy import text

from service.classify import Reader
from service.deliver.http import Client
from service.demo.helpdesk import HelpDesk
from service.store.database import connect
from service.store.migrate import migrate
from service.store.vault import Vault

ANSWERS = b"""answer_id,comment,nps,colour
s-1,The kettle arrived late and its handle came off.,2,red
s-2,"Lovely, thank you!",10,green
s-3,It would be great to have a gift card.,eleven,blue
"""
CHOSEN = re.compile(r'<select[^>]* name="([^"]+)".*?value="([^"]*)" selected', re.DOTALL)
# What goes wrong in the best of houses, for the pages that tell of it.
TROUBLE = (
    """UPDATE feedback SET stage = 'quarantined', reason = 'the classifier failed three times: out of memory'
    WHERE external_id IN ('app-0001', 'app-0002')""",
    """UPDATE delivery SET state = 'dead', last_error = 'the help desk answered 404 Not Found'
    WHERE id IN (SELECT id FROM delivery ORDER BY id LIMIT 3)""",
)

WRONG = {
    "type": "wrong_routing",
    "axis": "sentiment",
    "label": "negative",
    "right": "positive",
    "comment": "It is irony: they liked it.",
}

# A card that three people answered in three ways.
DIFFERING = (
    "UPDATE label_card SET state = 'disputed' WHERE id = (SELECT id FROM label_card ORDER BY id LIMIT 1)",
    """INSERT INTO human_label (id, card_id, rater, labels, unsure, flag, blind, adjudicated, at)
    SELECT gen_random_uuid(), c.id, 'former', ARRAY[one], false, 'half and half', true, false, now()
    FROM label_card c, unnest(ARRAY['negative', 'neutral', 'positive']) AS one WHERE c.state = 'disputed'""",
)


@pytest.fixture(scope="session")
def filled(server_url: str, vault: Vault, reader: Reader, http: Client, desk: HelpDesk) -> Iterator[Site]:
    """A site on a database of its own, with what the demo's policy made of the demo's feedback."""
    name = f"heed_browser_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    server = connect(server_url, pool=1)
    plain = server.engine.execution_options(isolation_level="AUTOCOMMIT")
    with plain.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    database = connect(server.engine.url.set(database=name).render_as_string(hide_password=False), pool=20)
    migrate(database)
    with opened(database, vault, reader, http) as site:
        fill(site, desk)
        yield site
    database.engine.dispose()
    with plain.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.engine.dispose()


def fill(site: Site, desk: HelpDesk) -> None:
    demo = files("service.demo")
    site.use((demo / "policy.yaml").read_text())
    made = {"name": "helpdesk", "kind": "webhook", "secrets": [desk.secret], "settings": {"base_url": desk.url}}
    assert site.api().post("/v1/destinations", json=made).status_code == 201
    site.push([json.loads(line) for line in (demo / "feedback.ndjson").read_text().splitlines()])
    importer = site.visitor("source")
    for name in ("done.csv", "waiting.csv"):
        kept = site.form(importer, "/imports", source="shop", files={"file": (name, ANSWERS)})
        assert kept.status_code == 303, kept.text
        if name == "done.csv":
            page = kept.headers["location"]
            chosen = dict(CHOSEN.findall(importer.get(page).text))
            assert site.form(importer, f"{page}/start", page=page, **chosen).status_code == 303
    period = {"since": "2020-01-01", "until": "2099-12-31", "against": "1"}
    asked = site.form(site.visitor("admin"), "/policies/2/backtest", "/settings", **period)
    assert asked.status_code == 303, asked.text
    site.drain()
    for item in site.api().get("/v1/work-items", params={"kind": "ticket", "limit": 2}).json()["items"]:
        site.api("supervisor").post(f"/v1/work-items/{item['id']}/events", json=WRONG).raise_for_status()
    ask(site, None, "sentiment", "topic")
    with site.database.session() as session:
        for statement in (*TROUBLE, *DIFFERING):
            session.execute(text(statement))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """To be asked for after a site whose jobs are run: its driver's event loop leaves no room for theirs."""
    with started() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def contexts(filled: Site, browser: Browser) -> Callable[..., BrowserContext]:
    """`contexts("supervisor")` is a browser in which one has signed in; the same one every time."""
    made: dict[str | None, BrowserContext] = {}

    def context(role: str | None) -> BrowserContext:
        if role not in made:
            made[role] = browser.new_context(base_url=filled.url)
            if role is not None:
                cookie = filled.signed_in(NAMES[role]).cookies["heed_session"]
                made[role].add_cookies([{"name": "heed_session", "value": cookie, "url": filled.url}])
        return made[role]

    return context


@pytest.fixture
def look(contexts: Callable[..., BrowserContext]) -> Iterator[Callable[..., Watched]]:
    """`look("supervisor")` is a new page in that role's browser."""
    pages: list[Watched] = []

    def opening(role: str | None) -> Watched:
        pages.append(Watched(contexts(role).new_page()))
        return pages[-1]

    yield opening
    for watched in pages:
        watched.page.close()
