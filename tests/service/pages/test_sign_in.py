"""Signing in and out, what protects forms, and the headers of every page."""

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from urllib.parse import quote, urlsplit

import httpx
import pytest
from sites import PASSWORD, serving
from sqlmodel import col, select

from service.api.dependencies import Wiring
from service.app import create_app
from service.ingest.group import GroupedIntake
from service.people.access import ROLES
from service.store.tables import User, UserSession, now

FIRST_ROOM = {
    "supervisor": "/inbox",
    "product": "/backlog",
    "auditor": "/inbox",
    "source": "/imports",
    "admin": "/inbox",
}


def said(answer):
    """A page's text as a person reads it."""
    body = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def attempt(client, name="ana", password=PASSWORD, **fields):
    return client.post("/sign-in", data={"username": name, "password": password, **fields})


def cookie(answer):
    name, *attributes = answer.headers["set-cookie"].split("; ")
    return name, {one.lower() for one in attributes}


@pytest.mark.parametrize("role", FIRST_ROOM)
def test_everybody_lands_in_their_first_room(site, role):
    answer = site.visitor(role).get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, FIRST_ROOM[role])


def test_the_cookie_is_kept_from_scripts_and_other_sites(site):
    name, attributes = cookie(attempt(site.browser()))
    assert re.fullmatch(r"heed_session=[\w-]{43}", name)
    assert attributes == {"httponly", "max-age=43200", "path=/", "samesite=lax"}


def secured(site, public_url):
    parts = site.wiring
    return create_app(
        Wiring(
            database=parts.database,
            vault=parts.vault,
            intake=GroupedIntake(parts.database, parts.vault),
            reader=parts.reader,
            http=parts.http,
            require_approval=False,
            public_url=public_url,
        )
    )


def test_behind_https_the_cookie_is_secure_and_other_processes_know_it(site):
    with (
        serving(secured(site, "https://heed.example.com")) as url,
        httpx.Client(base_url=url, trust_env=False) as browser,
    ):
        answer = browser.post(
            "/sign-in",
            data={"username": "pia", "password": PASSWORD},
            headers={"Origin": "https://heed.example.com"},
        )
        token, attributes = cookie(answer)
        assert "secure" in attributes
    elsewhere = site.browser().get("/", headers={"Cookie": token})
    assert elsewhere.headers["location"] == "/backlog"


def test_signing_in_changes_the_cookie_and_ends_the_old_session(site):
    browser = site.browser()
    browser.cookies.set("heed_session", "chosen-by-somebody-else")
    first = cookie(attempt(browser))[0]
    second = cookie(attempt(browser, "pia"))[0]
    assert len({"heed_session=chosen-by-somebody-else", first, second}) == 3
    assert site.browser().get("/", headers={"Cookie": second}).headers["location"] == "/backlog"
    for dead in (first, "heed_session=chosen-by-somebody-else"):
        assert site.browser().get("/", headers={"Cookie": dead}).headers["location"] == "/sign-in"


def test_signing_out_ends_the_session_on_the_server(site):
    browser = site.signed_in("ana")
    held = f"heed_session={browser.cookies['heed_session']}"
    answer = site.form(browser, "/sign-out", page="/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "heed_session" not in browser.cookies
    assert site.browser().get("/", headers={"Cookie": held}).headers["location"] == "/sign-in"


def test_whoever_has_signed_in_is_not_asked_again(site):
    answer = site.visitor("product").get("/sign-in", params={"next": "/backlog?tag=price"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/backlog?tag=price")


def test_an_expired_session_leads_to_the_sign_in_page_and_back(site):
    site.person("late", "supervisor")
    browser = site.signed_in("late")
    with site.database.session() as session:
        late = session.exec(select(User).where(col(User.name) == "late")).one()
        for row in session.exec(select(UserSession).where(col(UserSession.user_id) == late.id)):
            row.expires_at = now()
            session.add(row)
    answer = browser.get("/")
    assert answer.headers["location"] == "/sign-in"
    form = browser.get("/sign-in", params={"next": "/inbox?owner=late"})
    assert 'value="/inbox?owner=late"' in form.text
    assert attempt(browser, "late", next="/inbox?owner=late").headers["location"] == "/inbox?owner=late"


def test_a_closed_account_is_out_at_once(site):
    site.person("leaver", "supervisor")
    browser = site.signed_in("leaver")
    with site.database.session() as session:
        leaver = session.exec(select(User).where(col(User.name) == "leaver")).one()
        leaver.active = False
        session.add(leaver)
    assert browser.get("/").headers["location"] == "/sign-in"
    assert attempt(site.browser(), "leaver").status_code == 401


def test_several_roles_open_the_rooms_of_all(site):
    site.person("both", "source", "product")
    page = site.signed_in("both").get("/nowhere")
    rail = re.findall(r'<a href="(/\w+)"', page.text.partition('class="rail"')[2].partition("</nav>")[0])
    assert rail == ["/backlog", "/imports"]
    assert "product, source" in said(page)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_a_first_page(site, role):
    answer = site.visitor(role).get("/", follow_redirects=True)
    assert (answer.status_code, answer.url.path != "/") == (200, True)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("pia", "wrong password"),
        ("nobody", PASSWORD),
        ("", ""),
        ("\u202eaip", PASSWORD),
        ("'; DROP TABLE user; --", "x"),
        ("x" * 400_000, "y" * 400_000),  # as much as a form may hold
        ("\ud800".encode("utf-8", "surrogatepass"), "x"),
    ],
)
def test_a_wrong_password_says_so_beside_the_form(site, name, password):
    answer = attempt(site.browser(), name, password)
    assert answer.status_code == 401
    assert "The name or the password is wrong." in said(answer)
    assert password not in answer.text or password in {"", "x"}
    assert "set-cookie" not in answer.headers
    assert len(answer.content) < 10_000


@pytest.mark.parametrize("field", ["username", "password", "next"])
def test_a_nul_is_refused_with_its_place(site, field):
    answer = site.browser().post("/sign-in", data={"username": "ana", "password": "x", field: "a\0b"})
    assert answer.status_code == 422
    assert f"The field '{field}' holds a character that cannot be kept" in said(answer)


def test_a_name_is_shown_inert(site):
    answer = attempt(site.browser(), '"><script>alert(1)</script>', "x")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text


def test_five_wrong_passwords_make_an_account_wait(site):
    site.person("forgetful", "supervisor")
    browser = site.browser()
    assert [attempt(browser, "forgetful", "wrong").status_code for _ in range(5)] == [401] * 5
    answer = attempt(browser, "forgetful")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 30
    assert re.search(r"Too many wrong passwords: wait \d+ seconds, then try again\.", said(answer))


def test_a_flood_of_guesses_is_bounded_and_other_pages_answer(site):
    """Forty guess at once; twelve find a place. The others are told so, and the signed-in notice nothing."""
    browsers = [site.browser() for _ in range(40)]
    visitor = site.visitor("product")
    with ThreadPoolExecutor(len(browsers)) as pool:
        guesses = [pool.submit(attempt, browser, f"nobody{n}", "x") for n, browser in enumerate(browsers)]
        pages = [visitor.get("/").status_code for _ in range(10)]
        answers = [guess.result() for guess in guesses]
    assert set(pages) == {303}
    assert {answer.status_code for answer in answers} <= {401, 429}
    for answer in answers:
        if answer.status_code == 429:
            assert answer.headers["retry-after"] == "2"
            assert "try again in a moment" in said(answer)


def missing(token, other):
    return {}, {}


def wrong(token, other):
    return {"csrf": token[::-1]}, {}


def not_ascii(token, other):
    return {"csrf": "ü" * 64}, {}


def another_sessions(token, other):
    return {"csrf": other}, {}


def foreign_origin(token, other):
    return {"csrf": token}, {"Origin": "https://evil.example"}


def no_origin_at_all(token, other):
    return {"csrf": token}, {"Origin": "null"}


def broken_origin(token, other):
    return {"csrf": token}, {"Origin": "http://["}


def look_alike(token, other):
    return {"csrf": token}, {"Origin": "http://127.0.0.1"}


def cross_site(token, other):
    return {"csrf": token}, {"Sec-Fetch-Site": "cross-site"}


def same_site(token, other):
    return {"csrf": token}, {"Sec-Fetch-Site": "same-site"}


FORGED = [
    missing,
    wrong,
    not_ascii,
    another_sessions,
    foreign_origin,
    no_origin_at_all,
    broken_origin,
    look_alike,
    cross_site,
    same_site,
]


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_a_forged_form_changes_nothing(site, forge):
    visitor = site.visitor("admin")
    token, other = site.token(visitor, "/nowhere"), site.token(site.visitor("product"), "/nowhere")
    data, headers = forge(token, other)
    answer = visitor.post("/sign-out", data=data, headers=headers)
    assert answer.status_code == 403
    assert "open the page" in said(answer)
    assert visitor.get("/").headers["location"] == "/inbox", "still signed in"


@pytest.mark.parametrize("forge", FORGED[4:], ids=lambda forge: forge.__name__)
def test_another_site_signs_nobody_in(site, forge):
    _, headers = forge("", "")
    answer = site.browser().post("/sign-in", data={"username": "ana", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", ""])
def test_what_is_no_form_is_refused(site, kind):
    answer = site.visitor("admin").post("/sign-out", content=b'{"csrf": 1}', headers={"Content-Type": kind})
    assert answer.status_code in {400, 403}
    assert answer.headers["content-type"].startswith("text/html")


def test_getting_never_signs_out(site):
    visitor = site.visitor("admin")
    answer = visitor.get("/sign-out")
    assert answer.status_code == 405
    assert "This is no page" in said(answer)
    assert visitor.get("/").status_code == 303


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "///evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https://evil.example",
        "HTTPS://evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\nLocation: https://evil.example",
        "%2f%2fevil.example",
        " //evil.example",
        "evil.example",
        "@evil.example",
        "",
        "/%0d%0aSet-Cookie:%20a=b",
        "/.//evil.example",
        "/\u202e//evil.example",
    ],
)
@pytest.mark.parametrize("way", ["form", "link"])
def test_nobody_is_sent_to_another_site(site, address, way):
    if way == "form":
        answer = attempt(site.browser(), next=address)
    else:
        answer = site.visitor("supervisor").get(f"/sign-in?next={quote(address)}")
    assert answer.status_code == 303
    target = httpx.URL(site.url).join(answer.headers["location"])
    assert target.netloc == httpx.URL(site.url).netloc
    assert target.scheme == "http"
    assert not answer.headers["location"].startswith(("//", "/\\"))
    assert "a" not in answer.cookies


def test_a_page_tells_the_browser_to_allow_only_what_is_ours(site):
    for path in ("/sign-in", "/nowhere"):
        headers = site.visitor("admin").get(path, follow_redirects=True).headers
        policy = dict(one.split(" ", 1) for one in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"


def test_files_of_ours_are_kept_for_ever_under_an_address_that_changes_with_them(site):
    found = re.findall(r'"(/assets/[^"]+)"', site.browser().get("/sign-in").text)
    assert {path.rpartition("/")[2] for path in found} == {"heed.css", "heed.js", "icon.svg"}
    for path in found:
        answer = site.browser().get(path)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        stale = path.replace(path.split("/")[2], "0" * 12)
        assert site.browser().get(stale).status_code == 404
    for path in ("/assets/x/../../../etc/passwd", "/assets/x/..%2f..%2fetc%2fpasswd", "/assets/x/base.html.j2"):
        assert site.browser().get(path).status_code == 404


def test_a_page_holds_no_script_and_no_style_of_its_own(site):
    for path in ("/sign-in", "/nowhere"):
        text = site.browser().get(path).text
        assert not re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", text)


@pytest.mark.parametrize("path", ["/nowhere", "/inbox/nowhere/at/all", "/..%2f", "/%ff", "/favicon.ico"])
def test_an_unknown_address_is_a_page_for_a_browser(site, path):
    answer = site.browser().get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "No page has this address" in said(answer)
    program = site.browser().get(path, headers={"Accept": "*/*"})
    assert (program.status_code, program.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/", "/v1/feedback/nowhere"])
def test_an_unknown_address_of_the_api_stays_a_problem(site, path):
    answer = site.browser().get(path)
    assert answer.status_code in {401, 404}
    assert answer.headers["content-type"] == "application/problem+json"


def test_who_has_not_signed_in_is_asked_to_and_comes_back(site):
    for path in [urlsplit(room).path for room in FIRST_ROOM.values()]:
        if site.visitor("admin").get(path).status_code == 404:
            continue
        answer = site.browser().get(f"{path}?limit=5")
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"/sign-in?next={quote(path, safe='')}%3Flimit%3D5",
        )
