"""`/destinations`: set up, test, change, switch, delete; what was sent there and what was given up."""

import re
from html import unescape

import pytest
from builders import record
from sqlalchemy import text

POLICY = """
name: delivers
rules:
  - {name: low, when: scores.nps <= 6, then: {create: follow_up, deliver: [desk]}}
"""


def read(answer) -> str:
    """A page as a person reads it."""
    body = answer.text[answer.text.index("<main") :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def wrong(answer) -> list[str]:
    """What stands in red beside the fields."""
    return [unescape(one) for one in re.findall(r'class="error">([^<]*)<', answer.text)]


@pytest.fixture(scope="module")
def admin(site, desk):
    site.use(POLICY)
    return site.visitor("admin")


@pytest.fixture
def set_up(site, admin, desk):
    """The desk is a destination; afterwards nothing is."""
    fields = {"name": "desk", "kind": "webhook", "base_url": desk.url, "secret": desk.secret}
    answer = site.form(admin, "/destinations", **fields)
    assert answer.status_code == 200, answer.text
    yield answer
    with site.database.session() as session:
        session.execute(text("DELETE FROM destination"))
        session.execute(text("TRUNCATE delivery, delivery_attempt CASCADE"))


def given_up(site, name: str) -> str:
    """A delivery to the desk that was given up; its id."""
    site.push([record(name, scores={"nps": 1})])
    site.drain()
    with site.database.session() as session:
        session.execute(text("UPDATE delivery SET state = 'dead', last_error = 'answered 500: <b>broken</b>'"))
        return str(session.execute(text("SELECT id FROM delivery ORDER BY created_at DESC LIMIT 1")).scalar_one())


def test_a_destination_that_the_rules_need_waits_to_be_set_up(admin):
    told = read(admin.get("/destinations"))
    assert "desk is waiting to be set up." in told
    assert 'value="desk"' in admin.get("/destinations").text


def test_a_secret_of_ours_is_shown_once(site, admin, desk):
    answer = site.form(admin, "/destinations", name="desk", kind="webhook", base_url=desk.url)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", answer.text)[0]
    assert "It is shown this once." in read(answer)
    shown = admin.get("/destinations/desk").text + admin.get("/destinations").text
    assert "whsec_" not in shown
    assert secret not in shown
    assert site.form(admin, "/destinations/desk/delete").headers["location"] == "/destinations?done=deleted"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "two words"}, "A name of 1 to 64 letters"),
        ({"name": "desk", "base_url": ""}, "The address that takes the work is needed here."),
        ({"name": "desk", "base_url": "http://example.com"}, "Only https is called"),
        ({"name": "desk", "secret": "short"}, "A signing secret is"),
        ({"name": "desk", "kind": "pigeon"}, "No destination is of this kind"),
    ],
)
def test_what_cannot_work_is_told_beside_its_field_and_nothing_is_lost(site, admin, desk, fields, told):
    sent = {"kind": "webhook", "base_url": "https://desk.example.com/x?a=1", **fields}
    answer = site.form(admin, "/destinations", **sent)
    assert answer.status_code == 422
    assert any(one.startswith(told) for one in wrong(answer)), wrong(answer)
    assert f'value="{sent["name"]}"' in answer.text
    assert "desk is waiting to be set up." in read(admin.get("/destinations"))


def test_a_name_is_taken_once(site, admin, desk, set_up):
    answer = site.form(admin, "/destinations", name="desk", kind="webhook", base_url=desk.url)
    assert wrong(answer) == ["There is already a destination called 'desk': choose another name."]


def test_a_test_says_in_words_whether_it_went_through(site, admin, desk, set_up):
    assert "The test went through." in read(site.form(admin, "/destinations/desk/test"))
    answer = site.form(admin, "/destinations/desk", base_url=desk.url, secret_change="make")
    assert "From now on calls are signed with the new secret only." in read(answer)
    assert "The test did not go through: answered 401" in read(site.form(admin, "/destinations/desk/test"))


def test_what_waits_goes_out_and_is_counted(site, admin, desk, set_up):
    site.push([record("goes-out", scores={"nps": 2})])
    site.drain()
    told = read(admin.get("/destinations/desk"))
    assert "Delivered 1 Waiting 0 Given up 0 Last 24 hours 0 of 1 attempt failed" in told
    assert "1 attempt" in told
    assert ": went through" in told
    assert "1 delivered 0 waiting" in read(admin.get("/destinations"))


def test_switched_off_it_keeps_what_is_to_be_sent_until_it_is_on(site, admin, set_up):
    assert site.form(admin, "/destinations/desk/switch", to="off").status_code == 303
    assert "Nothing is sent here: switched off by ada" in read(admin.get("/destinations/desk"))
    site.push([record("waits", scores={"nps": 2})])
    site.drain()
    assert "Waiting 1" in read(admin.get("/destinations/desk"))
    answer = site.form(admin, "/destinations/desk/switch", to="on")
    assert "Switched on: what waited is being sent." in read(admin.get(answer.headers["location"]))
    site.drain()
    assert "Delivered 1 Waiting 0" in read(admin.get("/destinations/desk"))


def test_a_change_that_cannot_work_is_told_beside_its_field(site, admin, desk, set_up):
    answer = site.form(admin, "/destinations/desk", base_url="ftp://x", secret_change="given")
    assert answer.status_code == 422
    assert wrong(answer) == ["The new secret is needed here."]
    assert 'value="ftp://x"' in answer.text
    assert desk.url in admin.get("/destinations/desk").text


def test_a_secret_that_a_browser_filled_in_changes_nothing(site, admin, desk, set_up):
    answer = site.form(admin, "/destinations/desk", base_url=desk.url, secret_change="keep", secret="s" * 40)
    assert answer.status_code == 303
    assert "The test went through." in read(site.form(admin, "/destinations/desk/test"))


def test_dead_letters_are_sent_again_or_put_away(site, admin, set_up):
    dead = given_up(site, "given-up")
    page = admin.get("/destinations/desk?state=dead")
    assert "<b>broken</b>" not in page.text
    assert "answered 500: <b>broken</b>" in read(page)
    answer = site.form(admin, f"/deliveries/{dead}/put-away")
    assert answer.headers["location"] == "/destinations/desk?done=put_away"
    assert "given up, put away" in read(admin.get("/destinations/desk"))
    assert site.form(admin, f"/deliveries/{dead}/replay").status_code == 303
    site.drain()
    assert "Delivered 1 Waiting 0 Given up 0" in read(admin.get("/destinations/desk"))
    again = site.form(admin, f"/deliveries/{dead}/replay")
    assert (again.status_code, "only a dead one can be replayed" in read(again)) == (409, True)


def test_the_list_of_deliveries_goes_on_in_order(site, admin, set_up, monkeypatch):
    monkeypatch.setattr("service.pages.deliveries.A_PAGE", 2)
    site.push([record(f"many-{number}", scores={"nps": 1}) for number in range(5)])
    site.drain()
    with site.database.session() as session:
        session.execute(
            text("UPDATE delivery SET state = 'dead' WHERE id = (SELECT max(id::text)::uuid FROM delivery)")
        )
        order = session.execute(text("SELECT work_item_id FROM delivery ORDER BY created_at DESC, id DESC")).scalars()
        wanted = [str(one) for one in order]
    seen, path = [], "/destinations/desk"
    while path:
        page = admin.get(path).text
        seen += re.findall(r'href="/work-items/([0-9a-f-]+)"', page)
        following = re.search(r'href="([^"]*)" rel="next"', page)
        path = unescape(following[1]) if following else None
    assert seen == wanted


def test_deleting_asks_once_and_names_what_is_lost(site, admin, set_up):
    site.form(admin, "/destinations/desk/switch", to="off")
    site.push([record("kept", scores={"nps": 1})])
    site.drain()
    asked = read(admin.get("/destinations/desk/delete"))
    assert "This destroys its address and its signing secret" in asked
    assert "1 delivery waits for it: kept, and sent only if a destination of the same name is set up again" in asked
    assert site.form(admin, "/destinations/desk/delete").status_code == 303
    assert admin.get("/destinations/desk").status_code == 404
    assert "1 delivery waits for it" in read(admin.get("/destinations"))


def test_what_was_tried_before_it_was_deleted_waits_for_it_too(site, admin, set_up):
    site.push([record("tried", scores={"nps": 1})])
    with site.database.session() as session:
        session.execute(text("DELETE FROM destination"))
    site.drain()
    with site.database.session() as session:
        session.execute(text("UPDATE delivery SET next_at = now() + interval '1 hour', attempt = 1"))
    assert "1 delivery waits for it" in read(admin.get("/destinations"))


def test_an_auditor_reads_and_changes_nothing(site, set_up):
    auditor = site.visitor("auditor")
    page = auditor.get("/destinations/desk")
    assert page.status_code == 200
    assert "Switch it off" not in page.text
    for path in ("/destinations", "/destinations/desk", "/destinations/desk/switch", "/destinations/desk/delete"):
        assert site.form(auditor, path, to="off").status_code == 403


@pytest.mark.parametrize("path", ["/destinations", "/destinations/desk"])
def test_it_is_open_to_operators_alone(site, set_up, path):
    assert site.visitor("supervisor").get(path).status_code == 403
