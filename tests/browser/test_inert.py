"""What strangers write is text on every page: it runs nothing, opens nothing, hides nothing and turns nothing round."""

from pathlib import Path
from urllib.parse import quote

import pytest
from builders import record
from chromium import Watched
from sites import NAMES, opened
from sqlalchemy import text

from service.deliver.plain_text import visible

PAYLOADS = (Path(__file__).parents[1] / "corpora" / "markup.txt").read_text().splitlines()
IN_A_RECORD = 16
POLICY = """
name: everything
fields: {context.site: text, context.lot: text}
rules:
  - {name: call, when: scores.nps <= 10, then: {create: follow_up, tags: topics}}
  - {name: ticket, when: scores.nps <= 10, then: {create: ticket, tags: topics}}
  - {name: idea, when: scores.nps <= 10, then: {create: backlog_item, tags: topics}}
  - {name: defect, when: scores.nps <= 10, then: {create: quality_case, key: [context.site, context.lot]}}
"""


def parts(payloads):
    return [payloads[start : start + IN_A_RECORD] for start in range(0, len(payloads), IN_A_RECORD)]


def hostile(number, payloads):
    """A record with these in every place that takes words."""
    first, second, third, fourth, fifth, sixth, *_, last = payloads
    return record(
        f"x-{number} {first}"[:256],
        text=None,
        scores={"nps": 1},
        verbatims=[{"question": one, "text": f"{one} broken and late"} for one in payloads],
        customer={
            "id": second,
            "email": "a@example.com",
            "tier": third,
            "region": fourth,
            "attributes": {"note": first},
        },
        context={"site": fifth, "lot": sixth, first[:60]: last},
    )


@pytest.fixture(scope="module")
def site(migrated, vault, reader, http):
    with opened(migrated, vault, reader, http) as running:
        running.use(POLICY)
        running.push([hostile(number, part) for number, part in enumerate(parts(PAYLOADS))])
        running.drain()
        yield running


@pytest.fixture(scope="module")
def context(site, browser):
    context = browser.new_context(base_url=site.url)
    cookie = site.signed_in(NAMES["admin"]).cookies["heed_session"]
    context.add_cookies([{"name": "heed_session", "value": cookie, "url": site.url}])
    yield context
    context.close()


@pytest.fixture(scope="module")
def watched(context):
    return Watched(context.new_page())


@pytest.fixture
def visit(site, watched):
    """Open a page, press what opens more of it, and give its text without what marks say to the ear."""

    def opening(path):
        watched.page.goto(path)
        assert watched.page.url == site.url + path
        watched.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        watched.page.keyboard.press("Tab")
        inert(watched)
        watched.page.evaluate("for (const one of document.querySelectorAll('mark .unseen')) one.remove()")
        return " ".join(watched.page.locator("body").text_content().split())

    return opening


def inert(watched):
    seen = {
        "ran": watched.page.evaluate("window.__xss"),
        "dialogs": watched.dialogs,
        "forbidden by the content policy": watched.reports(),
        "console": watched.heard,
        "scripts": watched.page.locator("script:not([src^='/assets/'])").count(),
        "frames": len(watched.page.frames) - 1,
        "elements that are not ours": watched.page.locator(
            "xss, iframe, object, embed, marquee, math, base, video, audio, style, main [onerror], main [onfocus]"
        ).count(),
        "forms elsewhere": watched.page.locator("form:not([action^='/']):not([method='dialog'])").count(),
    }
    assert not any(seen.values()), {name: found for name, found in seen.items() if found}


def ids(site, query, **values):
    with site.database.session() as session:
        return [str(row[0]) for row in session.execute(text(query), values)]


def as_read(payload):
    return " ".join(visible(payload).split())


def test_the_corpus_is_large_enough():
    assert len(set(PAYLOADS)) >= 60


@pytest.mark.parametrize("number", range(len(parts(PAYLOADS))))
def test_in_a_story(site, visit, number):
    (story,) = ids(site, "SELECT id FROM feedback WHERE external_id LIKE :begins", begins=f"x-{number} %")
    shown = visit(f"/feedback/{story}")
    assert [one for one in parts(PAYLOADS)[number] if as_read(one) not in shown] == []


@pytest.mark.parametrize("kind", ["follow_up", "ticket", "quality_case"])
def test_in_a_work_item(site, visit, kind):
    items = ids(site, "SELECT id FROM work_item WHERE kind = :kind", kind=kind)
    assert items
    for item in items:
        assert "broken and late" in visit(f"/work-items/{item}")


def test_in_a_backlog_item(site, visit):
    items = ids(site, "SELECT id FROM work_item WHERE kind = 'backlog_item'")
    assert items
    for item in items:
        assert "broken and late" in visit(f"/backlog/{item}")


@pytest.mark.parametrize("path", ["/inbox", "/backlog", "/sources", "/health", "/search?q=broken"])
def test_in_a_list(visit, path):
    visit(path)


def test_in_an_address(watched):
    for payload in PAYLOADS[::8]:
        assert watched.page.goto(f"/search?q={quote(payload)}").status == 200
        inert(watched)
        assert watched.page.locator("#find").input_value() == payload.strip()


def test_typed_into_a_form_and_shown_again(site, browser):
    watched = Watched(browser.new_page(base_url=site.url))
    page = watched.page
    for payload in PAYLOADS[::16]:
        page.goto("/sign-in")
        page.fill("[name=username]", payload)
        page.fill("[name=password]", payload)
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert]")
        inert(watched)
        assert page.input_value("[name=username]") == payload.strip()
    page.close()
