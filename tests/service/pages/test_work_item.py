"""A work item's page: the words, the reasons, the clock, and every event done by form, nothing typed ever lost."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import count

import httpx
import pytest
from builders import record

from service.api.shapes import EventOut, TargetOut, TargetsOut
from service.pages.clock_line import WIDTH, clock_line, pauses_of
from service.store.tables import Delivery, WorkItem, now

POLICY = """
name: items
review: triage
thresholds:
  negative: {axis: sentiment, label: negative, uncertified: 0.6}
rules:
  - name: low
    when: scores.nps <= 6 or customer.tier == "gold"
    then: {create: follow_up, mandatory: true, sla: quick, assign: desk, deliver: [helpdesk]}
  - name: negative-text
    when: sentiment.negative >= threshold("negative")
    then: {create: ticket, assign: desk, deliver: [helpdesk]}
  - name: negative-again
    when: sentiment.negative >= threshold("negative")
    then: {create: follow_up}
slas:
  quick: {acknowledge: 4h, contact: 8h, resolve: 2d}
groups:
  desk: {people: [ana]}
  triage: {people: [sam]}
  spare: {people: [jan]}
"""
POLISH = "Lot opóźniony o pięć godzin, nikt nic nie wiedział, a obsługa była opryskliwa. Nigdy więcej."
numbers = count(1)


@pytest.fixture(scope="module", autouse=True)
def policy(site):
    site.use(POLICY)


@pytest.fixture
def made(site) -> Callable[..., dict]:
    """Let a customer write; what came of it, by kind."""

    def write(said: str | None = None, **changes: object) -> dict:
        (feedback,) = site.push([record(f"w-{next(numbers)}", said, **{"scores": {"nps": 3}, **changes})])
        site.drain()
        found = site.api().get(f"/v1/feedback/{feedback}").json()["work_items"]
        return {item["kind"]: item for item in found}

    return write


@pytest.fixture
def follow_up(made) -> dict:
    return made()["follow_up"]


def ana(site) -> httpx.Client:
    return site.visitor("supervisor")


def address(item: dict) -> str:
    return f"/work-items/{item['id']}"


def seen(answer: httpx.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def shown(site, item: dict, role: str = "supervisor") -> str:
    answer = site.visitor(role).get(address(item))
    assert answer.status_code == 200, answer.text
    return seen(answer)


def main_buttons(text: str) -> list[str]:
    return re.findall(r'<button class="main"[^>]*>([^<]*)<', text)


def send(site, item: dict, type: str, **fields: str) -> httpx.Response:
    """Fill in a form of the page as it stands now and send it."""
    page = ana(site).get(address(item)).text
    version = re.search(r'name="version" value="(\d+)"', page)
    filled = {name.replace("__", "-"): value for name, value in fields.items()}
    return site.form(ana(site), address(item), **{"type": type, "version": version[1], **filled})


def status(site, item: dict) -> dict:
    return site.api().get(f"/v1/work-items/{item['id']}").json()


def test_the_page_tells_the_words_the_reasons_and_who_it_is_about(site, made):
    customer = {"id": "c-77", "tier": "silver", "region": "emea", "account_value": 120000, "email": "a@example.com"}
    item = made("The kettle is terrible.", customer=customer, consent={"contact": True})["follow_up"]
    answer = ana(site).get(address(item))
    told = seen(answer)
    assert "Why?" in told
    assert "NPS 3 of 10" in told
    assert "c-77" in told
    assert "120,000" in told
    assert 'href="mailto:a@example.com"' in answer.text
    assert "✓ met NPS is 3; the rule asks whether it is 6 or less" in told
    assert "· not met the customer's tier is silver; the rule asks whether it is gold" in told
    assert "low One of these is enough: ✓ met" in told
    assert "scores.nps <= 6" in told  # under details
    assert f'href="/feedback/{item["feedback_ids"][0]}"' in answer.text
    assert "waiting to be sent to helpdesk" in told
    assert 'heed made it by the rule "low", for ana , under a minute ago' in told


@pytest.mark.parametrize(
    ("consent", "words"),
    [(None, "consent not known"), ({"contact": False}, "no consent to contact"), ({}, "consent not known")],
)
def test_without_consent_no_address_is_shown(site, made, consent, words):
    changes = {} if consent is None else {"consent": consent}
    item = made(customer={"id": "c-1", "email": "secret@example.com"}, **changes)["follow_up"]
    answer = ana(site).get(address(item))
    assert f"Contact {words} From" in seen(answer)
    assert "secret@example.com" not in answer.text


def test_an_address_cannot_smuggle_more_into_the_link(site, made):
    item = made(customer={"email": "a@example.com?bcc=evil@example.com&body=x"}, consent={"contact": True})["follow_up"]
    links = re.findall(r'href="(mailto:[^"]*)"', ana(site).get(address(item)).text)
    assert all("?" not in link and "&" not in link for link in links)


@pytest.mark.parametrize(
    ("state", "more", "words"),
    [
        (
            "delivered",
            {"external_ref": "T-12", "external_url": "https://desk.example.com/T-12"},
            "✓ sent to helpdesk , T-12",
        ),
        ("delivered", {"external_ref": "T-12", "external_url": "javascript:alert(1)"}, "✓ sent to helpdesk , T-12"),
        ("dead", {"last_error": "It said no."}, "✗ given up sending to helpdesk : It said no."),
    ],
)
def test_deliveries_are_told_in_words(site, follow_up, state, more, words):
    (delivery,) = follow_up["deliveries"]
    with site.database.session() as session:
        row = session.get_one(Delivery, delivery["id"])
        row.state = state
        for name, value in more.items():
            setattr(row, name, value)
        session.add(row)
    answer = ana(site).get(address(follow_up))
    assert words in seen(answer)
    assert ('href="https://desk.example.com/T-12"' in answer.text) == ("https" in str(more))
    assert "javascript:" not in answer.text


def test_the_one_next_action_is_the_only_filled_button(site, follow_up):
    steps = [
        ("Acknowledge", "acknowledge", {}),
        (
            "Record a contact attempt",
            "contact_attempt",
            {"contact_attempt__channel": "phone", "contact_attempt__outcome": "reached"},
        ),
        ("Finish it", "resolve", {"resolve__outcome": "replaced", "resolve__root_cause": "packaging"}),
    ]
    for button, type_, fields in steps:
        assert main_buttons(ana(site).get(address(follow_up)).text) == [button]
        answer = send(site, follow_up, type_, **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{address(follow_up)}?done={type_}")
    done = ana(site).get(answer.headers["location"])
    assert main_buttons(done.text) == []
    assert "Outcome replaced Cause packaging" in seen(done)
    assert status(site, follow_up)["status"] == "resolved"


def test_every_event_can_be_done_by_form(site, follow_up):
    for type_, fields in [
        ("acknowledge", {"acknowledge__comment": "mine"}),
        ("assign", {"assign__owner": "jan", "assign__comment": "yours"}),
        ("wait", {"wait__until": "2035-01-02T09:30", "wait__comment": "looks for the receipt"}),
        ("resume", {}),
        ("contact_attempt", {"contact_attempt__channel": "email", "contact_attempt__outcome": "no_answer"}),
        ("resolve", {"resolve__outcome": "replaced", "resolve__root_cause": "packaging"}),
        ("reopen", {"reopen__comment": "broken again"}),
    ]:
        assert send(site, follow_up, type_, **fields).status_code == 303
    item = status(site, follow_up)
    assert [event["type"] for event in item["events"]][1:] == [
        "acknowledge", "assign", "wait", "resume", "contact_attempt", "resolve", "reopen",
    ]  # fmt: skip
    assert {event["actor"] for event in item["events"][1:]} == {"ana"}
    assert item["events"][3]["data"] == {"until": "2035-01-02T09:30:00Z", "comment": "looks for the receipt"}
    assert (item["status"], item["owner"]) == ("acknowledged", "jan")
    told = shown(site, follow_up)
    history = told[told.index("History") :]
    assert re.search(
        r"ana opened it again , .* broken again ana finished it , .* replaced packaging ana contacted the customer by "
        r"e-mail: no answer , .* ana went on with it: the clock runs again , .* ana let it wait for the customer until "
        r"Tue 2 Jan 2035, 09:30 UTC , .* looks for the receipt ana assigned it to jan \(it was ana's\) , .* yours "
        r"ana acknowledged it , .* mine heed made it",
        history,
    )


def chosen(text: str) -> list[str]:
    """What the lists of the page's next action stand on."""
    card = text[text.index('id="next"') : text.index("Why it is here")]
    return re.findall(r'<option value="([^"]*)" selected>', card)


def test_a_customer_who_said_no_is_not_contacted_and_the_item_is_finished_truthfully(site, made):
    item = made(consent={"contact": False})["follow_up"]
    send(site, item, "acknowledge")
    page = ana(site).get(address(item))
    assert "Next: contact the customer This customer has not agreed to be contacted. How" in seen(page)
    assert chosen(page.text) == ["other", "not_allowed"]
    fields = {"contact_attempt__channel": "other", "contact_attempt__outcome": "not_allowed"}
    assert send(site, item, "contact_attempt", **fields).status_code == 303
    told = shown(site, item)
    assert "ana recorded: not contacted: no consent ," in told
    story = seen(site.visitor("supervisor").get(f"/feedback/{item['feedback_ids'][0]}"))
    assert "Follow-up: not contacted: no consent" in story
    assert send(site, item, "resolve", resolve__outcome="noted", resolve__root_cause="carrier").status_code == 303
    assert status(site, item)["targets"]["contact"]["met_at"] is None


@pytest.mark.parametrize("consent", [{"contact": True}, {}])
def test_how_and_what_came_of_it_are_chosen_by_the_person(site, made, consent):
    item = made(consent=consent)["follow_up"]
    send(site, item, "acknowledge")
    page = ana(site).get(address(item))
    assert "has not agreed to be contacted" not in seen(page)
    assert chosen(page.text) == ["", ""]
    assert "it could not be delivered" in seen(page)


def test_after_giving_it_away_the_page_says_to_whom(site, follow_up):
    answer = send(site, follow_up, "assign", assign__owner="jan")
    assert "Assigned to jan." in seen(ana(site).get(answer.headers["location"]))


def test_what_is_missing_is_said_before_it_is_sent(site, follow_up):
    assert "! missing a contact attempt: it must be recorded before this can be finished." in shown(site, follow_up)
    send(site, follow_up, "contact_attempt", contact_attempt__channel="phone", contact_attempt__outcome="failed")
    assert "✓ there a contact attempt." in shown(site, follow_up)


def field_error(text: str, name: str) -> str:
    found = re.search(rf'<p [^>]*id="h-{name}"[^>]*class="error"[^>]*>(.*?)</p>', text)
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize(
    ("type", "fields", "errors"),
    [
        ("assign", {"assign-owner": " ", "assign-comment": "take it"}, {"assign-owner": "Say who is to have it."}),
        ("assign", {"assign-owner": "x" * 129}, {"assign-owner": "At most 128"}),
        ("wait", {"wait-until": "2001-01-01T00:00", "wait-comment": "soon"}, {"wait-until": "This lies in the past"}),
        ("wait", {"wait-until": "tomorrow"}, {"wait-until": "Give a day and a time"}),
        (
            "assign",
            {"assign-owner": "Jann", "assign-comment": "take it"},
            {"assign-owner": "There is no Jann here. Do you mean jan?"},
        ),
        ("assign", {"assign-owner": "xyzzy"}, {"assign-owner": "There is no xyzzy here."}),
        ("contact_attempt", {"contact_attempt-channel": "owl"}, {"contact_attempt-channel": "Choose how"}),
        (
            "contact_attempt",
            {"contact_attempt-comment": "left a note", "contact_attempt-channel": "", "contact_attempt-outcome": ""},
            {
                "contact_attempt-channel": "Choose how the customer was contacted.",
                "contact_attempt-outcome": "Choose what came of it.",
            },
        ),
        (
            "resolve",
            {"resolve-outcome": "replaced", "resolve-comment": "see letter"},
            {"resolve-root_cause": "Say what the cause was."},
        ),
        ("acknowledge", {"acknowledge-comment": "y" * 4001}, {"acknowledge-comment": "At most 4000"}),
    ],
)
def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(site, follow_up, type, fields, errors):
    answer = send(site, follow_up, type, **fields)
    assert answer.status_code in {409, 422}
    for name, words in errors.items():
        assert words.casefold() in field_error(answer.text, name).casefold(), (name, seen(answer))
    kept = unescape(answer.text)
    assert all(value.strip() in kept for value in fields.values() if value != "owl")
    assert status(site, follow_up)["events"][1:] == []


def test_finishing_without_a_contact_says_so(site, follow_up):
    answer = send(site, follow_up, "resolve", resolve__outcome="replaced", resolve__root_cause="packaging")
    assert answer.status_code == 409
    assert "The customer has not been contacted yet: record a contact attempt first." in seen(answer)
    assert "packaging" in answer.text


def test_a_reopening_needs_a_reason(site, made):
    item = made(customer={"tier": "gold"}, scores={"nps": 9})["follow_up"]
    site.api().post(
        f"/v1/work-items/{item['id']}/events",
        json={"type": "contact_attempt", "channel": "phone", "outcome": "reached"},
    )
    send(site, item, "resolve", resolve__outcome="ok", resolve__root_cause="none")
    answer = send(site, item, "reopen")
    assert answer.status_code == 422
    assert field_error(answer.text, "reopen-comment") == "Say why."


def test_somebody_else_was_faster(site, follow_up):
    page = ana(site).get(address(follow_up)).text
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    site.api().post(f"/v1/work-items/{follow_up['id']}/events", json={"type": "assign", "owner": "jan"})
    fields = {"type": "wait", "version": version, "wait-comment": "a long story"}
    answer = site.form(ana(site), address(follow_up), **fields)
    assert answer.status_code == 409
    assert seen(answer).index("Somebody else changed this meanwhile.") < seen(answer).index("Next: acknowledge it")
    assert "a long story" in answer.text
    assert status(site, follow_up)["status"] == "open"
    assert send(site, follow_up, "wait", wait__comment="a long story").status_code == 303


@pytest.mark.parametrize("type", ["acknowledge", "judge"])
def test_what_somebody_else_did_already_need_not_be_sent_again(site, made, type):
    item = made(POLISH if type == "judge" else None)["review" if type == "judge" else "follow_up"]
    page = ana(site).get(address(item)).text
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    with site.database.session() as session:
        row = session.get_one(WorkItem, item["id"])
        row.status, row.version = ("resolved" if type == "judge" else "acknowledged"), row.version + 1
        session.add(row)
    answer = site.form(ana(site), address(item), type=type, version=version)
    assert answer.status_code == 409
    assert "This was done meanwhile (see History); there is nothing to send again." in seen(answer)
    assert "Somebody else changed" not in seen(answer)


@pytest.mark.parametrize("type", ["resume", "reopen", "judge", "burn", ""])
def test_what_cannot_be_done_now_is_refused_in_words(site, follow_up, type):
    answer = send(site, follow_up, type, **{f"{type}-comment": "kept words"})
    assert answer.status_code in {409, 422}
    assert 'role="alert"' in answer.text
    assert status(site, follow_up)["events"][1:] == []


def test_a_review_is_answered_on_a_form_of_its_own(site, made):
    item = made(POLISH)["review"]
    page = ana(site).get(address(item))
    told = seen(page)
    assert main_buttons(page.text) == ["Decide"]
    assert "The text is in a language the classifier does not know." in told
    assert "Should this make a ticket, for desk, sent to helpdesk?" in told
    assert "Should this make a follow-up?" in told

    half = send(site, item, "judge", judge__0="yes", judge__comment="angry")
    assert half.status_code == 422
    assert "Answer yes or no." in half.text
    assert re.search(r'name="judge-0"[^>]*value="yes" checked', half.text)
    assert "angry" in half.text

    done = send(site, item, "judge", judge__0="yes", judge__1="yes", judge__comment="angry")
    assert done.status_code == 303
    after = ana(site).get(done.headers["location"])
    assert (
        "decided: yes to negative-text; yes to negative-again (what negative-again asks for was there already)"
        in seen(after)
    )
    made_link = re.search(r'made: <a href="(/work-items/[^"]*)">Ticket</a>', after.text)
    ticket = seen(ana(site).get(made_link[1]))
    assert 'ana made it by the rule "negative-text"' in ticket


def test_an_idea_has_its_page_in_the_backlog(site, follow_up):
    with site.database.session() as session:
        row = session.get_one(WorkItem, follow_up["id"])
        row.kind = "backlog_item"
        session.add(row)
    answer = ana(site).get(address(follow_up))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/backlog/{follow_up['id']}")


def test_who_may_look_and_who_may_act(site, follow_up):
    answer = site.visitor("auditor").get(address(follow_up))
    assert answer.status_code == 200
    assert "<textarea" not in answer.text
    fields = {"type": "acknowledge", "version": "1"}
    for role in ("auditor", "product", "source", "reviewer"):
        assert site.form(site.visitor(role), address(follow_up), **fields).status_code == 403
    assert site.visitor("product").get(address(follow_up)).status_code == 403
    assert site.visitor("admin").get("/work-items/0199a0f0-0000-7000-8000-000000000000").status_code == 404
    assert site.visitor("admin").get("/work-items/7").status_code == 422


START = datetime(2026, 11, 20, 10, tzinfo=UTC)


def hours(number: float) -> datetime:
    return START + timedelta(hours=number)


def test_the_clock_has_its_moments_in_order_and_labels_that_do_not_touch():
    targets = TargetsOut(
        acknowledge=TargetOut(due_at=hours(4), met_at=hours(1), state="met"),
        contact=TargetOut(due_at=hours(5), met_at=None, state="at_risk"),
        resolve=TargetOut(due_at=hours(48), met_at=None, state="running"),
    )
    at_risk = {"acknowledge": hours(3), "contact": hours(4.25), "resolve": hours(36)}
    line = clock_line(START, hours(4.5), targets, [(hours(2), hours(3))], at_risk)
    assert [mark.label for mark in line.marks] == ["made", "acknowledge", "at risk", "now", "contact", "finish"]
    assert [mark.x for mark in line.marks] == sorted(mark.x for mark in line.marks)
    assert all(0 <= mark.x <= WIDTH for mark in line.marks)
    assert len({mark.lane for mark in line.marks[:5]}) == 5  # five labels within a tenth of the line
    assert line.words == (
        "Made 4 h 30 m ago; Acknowledge: was due 30 m ago, kept; Contact: due in 30 m, at risk; "
        "Finish: due in 1 d 19 h, on time; the clock stood for 1 h."
    )
    assert [one.state for one in line.promises] == ["kept", "at risk", "on time"]


def test_an_item_without_promises_has_no_clock():
    assert clock_line(START, hours(1), TargetsOut(acknowledge=None, contact=None, resolve=None), [], {}) is None


def test_pauses_end_with_going_on_with_the_end_or_now():
    def event(number: int, type: str, at: datetime) -> EventOut:
        return EventOut(sequence=number, type=type, actor="ana", at=at, data={})

    told = [event(1, "created", START), event(2, "wait", hours(1)), event(3, "resume", hours(2))]
    assert pauses_of(told, hours(9)) == [(hours(1), hours(2))]
    assert pauses_of([*told, event(4, "wait", hours(3))], hours(9)) == [(hours(1), hours(2)), (hours(3), hours(9))]
    assert pauses_of([*told, event(4, "wait", hours(3)), event(5, "resolve", hours(4))], now())[1:] == [
        (hours(3), hours(4))
    ]
