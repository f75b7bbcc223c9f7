"""Deliveries over the real database, to a receiver on loopback. Time is moved, never waited for."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from uuid import UUID

import httpx
import pytest
from builders import record
from sqlalchemy import text
from sqlmodel import select

from service.deliver.outbox import UNDER_WAY, deliver, open_secrets, replay, resume, seal_secrets, send_waiting
from service.deliver.retry import SCHEDULE
from service.standard_webhooks import new_secret, verify
from service.store.database import Database
from service.store.tables import Delivery, DeliveryAttempt, Destination
from service.store.vault import Vault

POLICY = """
name: delivers
rules:
  - {name: low, when: scores.nps <= 6, then: {create: follow_up, deliver: [desk]}}
"""


@dataclass
class Outbox:
    """One delivery and the means to set its destination up and to make attempts."""

    database: Database
    vault: Vault
    client: Callable
    id: UUID
    secret: str

    def set_up(self, receiver) -> None:
        sealed = seal_secrets(self.vault, "desk", [self.secret])
        settings = {"base_url": receiver.url}
        row = Destination(name="desk", kind="webhook", settings=settings, secrets=sealed.data, key_id=sealed.key_id)
        with self.database.session() as session:
            session.add(row)
            session.flush()
            send_waiting(session, "desk")

    def attempt(self, *receivers) -> Delivery:
        """The next attempt, its time come and its job taken from the queue."""
        self.change("UPDATE delivery SET next_at = now() WHERE state = 'pending' AND next_at > now()")
        self.change("DELETE FROM procrastinate_jobs WHERE task_name = 'deliver'")
        return self.run(*receivers)

    def run(self, *receivers) -> Delivery:
        deliver(self.database, self.vault, self.client(*receivers), "https://heed.example.com", self.id)
        return self.row

    @property
    def row(self) -> Delivery:
        with self.database.session() as session:
            return session.exec(select(Delivery)).one()

    @property
    def history(self) -> list[tuple[int, str | None, str | None]]:
        with self.database.session() as session:
            rows = session.exec(select(DeliveryAttempt).order_by(DeliveryAttempt.number)).all()
        assert all(row.finished_at is None or row.finished_at >= row.started_at for row in rows)
        return [(row.number, row.outcome, row.detail) for row in rows]

    @property
    def destination(self) -> Destination:
        with self.database.session() as session:
            return session.get_one(Destination, "desk")

    def jobs(self) -> list[tuple[str, datetime | None]]:
        with self.database.session() as session:
            found = session.execute(
                text(
                    "SELECT status::text, scheduled_at FROM procrastinate_jobs WHERE task_name = 'deliver' ORDER BY id"
                )
            )
            return [(status, at) for status, at in found]

    def change(self, statement: str, **values) -> None:
        with self.database.session() as session:
            session.execute(text(statement), values)


@pytest.fixture
def outbox(admin: httpx.Client, drain, database, vault, client) -> Outbox:
    version = admin.post("/v1/policies", content=POLICY).raise_for_status().json()["version"]
    admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()
    admin.post("/v1/feedback", json=record(scores={"nps": 1})).raise_for_status()
    drain()
    with database.session() as session:
        row = session.exec(select(Delivery)).one()
    assert (row.state, row.attempt, row.next_at) == ("pending", 0, None)
    return Outbox(database, vault, client, row.id, new_secret())


def test_it_waits_for_its_destination_and_starts_when_that_is_set_up(outbox, receiver, answer):
    assert outbox.attempt().next_at is None
    assert outbox.jobs() == []
    desk = receiver(answer(201, b'{"id": "T-1", "url": "https://desk.example.com/T-1"}'))
    outbox.set_up(desk)
    assert [status for status, _ in outbox.jobs()] == ["todo"]
    row = outbox.attempt(desk)
    assert (row.state, row.attempt, row.next_at, row.last_error) == ("delivered", 1, None, None)
    assert (row.external_ref, row.external_url) == ("T-1", "https://desk.example.com/T-1")
    assert outbox.history == [(1, "delivered", None)]
    (seen,) = desk.seen
    assert verify([outbox.secret], seen.headers, seen.body, datetime.now(UTC)) == row.idempotency_key
    data = json.loads(seen.body)["data"]
    assert data["url"] == f"https://heed.example.com/work-items/{row.work_item_id}"
    assert data["id"] == str(row.work_item_id)


def test_a_delivered_one_is_not_sent_again(outbox, receiver):
    desk = receiver()
    outbox.set_up(desk)
    outbox.attempt(desk)
    assert outbox.attempt(desk).attempt == 1
    assert len(desk.seen) == 1


def test_a_server_error_is_tried_again_under_the_same_key(outbox, receiver, answer):
    desk = receiver(answer(500, b"sorry"), answer(200))
    outbox.set_up(desk)
    before = datetime.now(UTC)
    row = outbox.attempt(desk)
    assert (row.state, row.attempt, row.last_error) == ("pending", 1, "answered 500: sorry")
    assert before + 0.9 * SCHEDULE[1] <= row.next_at <= datetime.now(UTC) + 1.1 * SCHEDULE[1]
    assert ("todo", row.next_at) in outbox.jobs()
    row = outbox.attempt(desk)
    assert (row.state, row.attempt) == ("delivered", 2)
    assert outbox.history == [(1, "trylater", "answered 500: sorry"), (2, "delivered", None)]
    first, second = desk.seen
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == row.idempotency_key
    assert first.body == second.body


def test_a_wish_to_wait_is_obeyed(outbox, receiver, answer):
    desk = receiver(answer(503, Retry_After="7200"))
    outbox.set_up(desk)
    before = datetime.now(UTC)
    row = outbox.attempt(desk)
    assert row.next_at >= before + timedelta(hours=2)
    assert ("todo", row.next_at) in outbox.jobs()


def test_gone_switches_the_destination_off(outbox, receiver, answer):
    desk = receiver(answer(410, b"moved out"))
    outbox.set_up(desk)
    row = outbox.attempt(desk)
    assert (row.state, row.next_at, row.last_error) == ("dead", None, "answered 410: moved out")
    assert outbox.destination.disabled_at is not None
    assert outbox.destination.disabled_reason == "answered 410: moved out"
    with outbox.database.session() as session:
        told = session.execute(text("SELECT actor, data FROM audit_event WHERE action = 'destination.disabled'")).one()
    assert tuple(told) == ("heed", {"reason": "answered 410: moved out"})


@pytest.mark.parametrize("status", [301, 400, 404, 422])
def test_what_will_never_succeed_is_dead_at_once(outbox, receiver, answer, status):
    desk = receiver(answer(status))
    outbox.set_up(desk)
    row = outbox.attempt(desk)
    assert (row.state, row.attempt, row.next_at) == ("dead", 1, None)
    assert outbox.history[0][:2] == (1, "rejected")
    assert outbox.destination.disabled_at is None


def test_ten_failures_end_it_and_a_replay_is_one_more(outbox, receiver, answer):
    desk = receiver(answer(500))
    outbox.set_up(desk)
    for number in range(1, len(SCHEDULE)):
        assert outbox.attempt(desk).state == "pending", number
    row = outbox.attempt(desk)
    assert (row.state, row.attempt, row.next_at) == ("dead", 10, None)
    assert row.last_error == "10 attempts failed; the last: answered 500"
    assert outbox.attempt(desk).attempt == 10

    for attempt in (11, 12):
        with outbox.database.session() as session:
            replay(session, session.exec(select(Delivery)).one())
        assert outbox.row.state == "pending"
        if attempt == 12:
            desk.answers[:] = [answer(200)]
        row = outbox.attempt(desk)
        assert row.attempt == attempt
    assert row.state == "delivered"
    assert {seen.headers["webhook-id"] for seen in desk.seen} == {row.idempotency_key}
    assert [number for number, *_ in outbox.history] == list(range(1, 13))


def test_nobody_listens(outbox, receiver):
    desk = receiver()
    outbox.set_up(desk)
    desk.close()
    row = outbox.attempt(desk)
    assert (row.state, row.attempt) == ("pending", 1)
    assert "the connection failed" in row.last_error or "refused" in row.last_error


def test_it_waits_while_the_destination_is_switched_off(outbox, receiver):
    desk = receiver()
    outbox.set_up(desk)
    outbox.change("UPDATE destination SET disabled_at = now(), disabled_reason = 'holiday'")
    row = outbox.attempt(desk)
    assert (row.state, row.attempt, row.next_at) == ("pending", 0, None)
    outbox.change("UPDATE destination SET disabled_at = NULL")
    with outbox.database.session() as session:
        assert send_waiting(session, "desk") == 1
        assert send_waiting(session, "desk") == 0
    assert outbox.attempt(desk).state == "delivered"


def test_it_waits_when_the_destination_is_removed_between_two_attempts(outbox, receiver, answer):
    desk = receiver(answer(500), answer(200))
    outbox.set_up(desk)
    outbox.attempt(desk)
    outbox.change("DELETE FROM destination")
    row = outbox.attempt(desk)
    assert (row.state, row.attempt, row.next_at) == ("pending", 1, None)
    outbox.set_up(desk)
    row = outbox.attempt(desk)
    assert (row.state, row.attempt) == ("delivered", 2)


def test_of_two_runs_at_once_one_sends(outbox, receiver, answer):
    arrived, release = Event(), Event()

    def slow(connection):
        desk.read(connection)
        arrived.set()
        release.wait(10)
        connection.sendall(answer(200))

    desk = receiver(behave=slow)
    outbox.set_up(desk)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(outbox.run, desk)
        assert arrived.wait(10)
        row = outbox.run(desk)
        release.set()
        first.result(10)
    assert row.attempt == 1
    assert outbox.row.state == "delivered"
    assert len(desk.seen) == 1


def test_of_many_runs_at_the_same_moment_one_sends(outbox, receiver):
    desk = receiver()
    outbox.set_up(desk)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: outbox.run(desk), range(8)))
    assert (outbox.row.state, outbox.row.attempt, len(desk.seen)) == ("delivered", 1, 1)


def lost(outbox, attempts: int, ago: timedelta) -> None:
    """As a worker that was killed in the middle of an attempt leaves it."""
    outbox.change("UPDATE delivery SET attempt = :n, next_at = now()", n=attempts)
    outbox.change(
        "INSERT INTO delivery_attempt (delivery_id, number, started_at) VALUES (:id, :n, :at)",
        id=outbox.id,
        n=attempts,
        at=datetime.now(UTC) - ago,
    )


def test_a_lost_attempt_counts_and_the_next_one_follows(outbox, receiver):
    desk = receiver()
    outbox.set_up(desk)
    lost(outbox, 1, timedelta(seconds=1))
    with outbox.database.session() as session:
        resume(session, outbox.id)
    row = outbox.attempt(desk)
    assert (row.state, row.attempt) == ("delivered", 2)
    assert outbox.history == [(1, "lost", "The worker was lost during this attempt."), (2, "delivered", None)]


def test_an_attempt_that_nobody_took_over_is_given_up_after_a_while(outbox, receiver):
    desk = receiver()
    outbox.set_up(desk)
    lost(outbox, 1, UNDER_WAY)
    row = outbox.attempt(desk)
    assert (row.state, row.attempt) == ("delivered", 2)


def test_a_job_that_comes_too_early_is_put_off(outbox, receiver, answer):
    desk = receiver(answer(503, Retry_After="7200"), answer(200))
    outbox.set_up(desk)
    asked = outbox.attempt(desk).next_at
    outbox.change("DELETE FROM procrastinate_jobs WHERE task_name = 'deliver'")
    row = outbox.run(desk)
    assert (row.state, row.attempt, row.next_at) == ("pending", 1, asked)
    assert ("todo", asked) in outbox.jobs()


@pytest.mark.parametrize("by", ["resume", "attempt"])
def test_the_last_attempt_lost_is_the_end(outbox, receiver, by):
    desk = receiver()
    outbox.set_up(desk)
    lost(outbox, 10, UNDER_WAY)
    if by == "resume":
        with outbox.database.session() as session:
            resume(session, outbox.id)
    else:
        outbox.attempt(desk)
    row = outbox.row
    assert (row.state, row.next_at, row.last_error) == ("dead", None, "The worker was lost during attempt 10.")
    assert desk.seen == []


def test_a_replayed_one_whose_worker_was_lost_before_the_attempt_goes_on(outbox, receiver):
    desk = receiver()
    outbox.set_up(desk)
    lost(outbox, 10, timedelta(0))
    outbox.change("UPDATE delivery_attempt SET finished_at = started_at, outcome = 'trylater'")
    with outbox.database.session() as session:
        resume(session, outbox.id)
    row = outbox.attempt(desk)
    assert (row.state, row.attempt) == ("delivered", 11)


def test_what_an_overtaken_attempt_finds_out_does_not_undo_the_later_one(outbox, receiver, answer):
    def slow(connection):
        desk.read(connection)
        if len(desk.seen) == 1:
            with outbox.database.session() as session:
                resume(session, outbox.id)  # its worker fell silent, and its job was taken over
            outbox.run(desk)
            connection.sendall(answer(500))
        else:
            connection.sendall(answer(200))

    desk = receiver(behave=slow)
    outbox.set_up(desk)
    row = outbox.attempt(desk)
    assert (row.state, row.attempt) == ("delivered", 2)
    assert outbox.history == [(1, "lost", "The worker was lost during this attempt."), (2, "delivered", None)]


def test_secrets_are_sealed_in_the_row(outbox, receiver):
    outbox.set_up(receiver())
    with outbox.database.session() as session:
        raw = session.execute(text("SELECT destination::text, encode(secrets, 'escape') FROM destination")).one()
    assert outbox.secret not in "".join(raw)
    assert open_secrets(outbox.vault, outbox.destination) == [outbox.secret]


@pytest.mark.parametrize("damage", ["another key", "altered", "another place"])
def test_secrets_that_cannot_be_read_end_it_in_words(outbox, receiver, damage):
    desk = receiver()
    outbox.set_up(desk)
    if damage == "another key":
        outbox.vault = Vault("another master secret, also long enough")
    elif damage == "altered":
        outbox.change("UPDATE destination SET secrets = set_byte(secrets, 20, get_byte(secrets, 20) # 1)")
    else:
        sealed = seal_secrets(outbox.vault, "elsewhere", [outbox.secret])
        outbox.change("UPDATE destination SET secrets = :data", data=sealed.data)
    row = outbox.attempt(desk)
    assert (row.state, row.attempt, row.next_at) == ("dead", 1, None)
    assert row.last_error.startswith("The destination's secrets cannot be read; set them again, then replay this.")
    assert outbox.secret not in row.last_error
    assert desk.seen == []


def test_settings_that_no_longer_hold_end_it_in_words(outbox, receiver):
    desk = receiver()
    outbox.set_up(desk)
    row = outbox.attempt()  # the operator no longer allows this private target
    assert row.state == "dead"
    assert row.last_error.startswith("The destination's settings no longer work: /settings/base_url")


def test_the_setting_up_sees_a_delivery_that_is_just_being_looked_at(outbox, receiver):
    """A run finds no destination and writes that down while somebody sets it up: one of the two sees the other."""
    desk = receiver()
    outbox.set_up(desk)
    outbox.change("DELETE FROM destination")
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(outbox.run, desk), pool.submit(outbox.set_up, desk)]
        for run in runs:
            run.result(10)
    row = outbox.row
    assert row.state == "delivered" or (row.next_at is not None and outbox.jobs())


@pytest.fixture
def edited(outbox, admin, drain) -> Callable[[], dict[str, Delivery]]:
    """The answer is edited before anything was sent: the three deliveries, by operation."""
    admin.post("/v1/feedback", json=record(scores={"nps": 0}, revision=2)).raise_for_status()
    drain()

    def deliveries() -> dict[str, Delivery]:
        with outbox.database.session() as session:
            return {row.operation: row for row in session.exec(select(Delivery))}

    assert set(deliveries()) == {"create", "update", "comment"}
    return deliveries


def go(outbox, edited, receiver, *operations: str) -> list[str]:
    """Attempts at these, in this order: how each stands afterwards."""
    for operation in operations:
        deliver(outbox.database, outbox.vault, outbox.client(receiver), None, edited()[operation].id)
    return [edited()[operation].state for operation in operations]


def test_updates_and_comments_wait_their_turn_behind_the_item(outbox, edited, receiver, answer):
    desk = receiver(answer(201, b'{"id": "T-1"}'))
    outbox.set_up(desk)
    assert go(outbox, edited, desk, "comment", "update") == ["pending", "pending"]
    assert edited()["update"].last_error == "It waits for an earlier delivery to 'desk'."
    outbox.change("DELETE FROM procrastinate_jobs WHERE task_name = 'deliver'")
    assert go(outbox, edited, desk, "create", "comment") == ["delivered", "pending"]
    assert [status for status, _ in outbox.jobs()][:1] == ["todo"]  # the update goes at once
    assert go(outbox, edited, desk, "update", "comment") == ["delivered", "delivered"]
    sent = [json.loads(seen.body) for seen in desk.seen]
    assert [one["type"] for one in sent] == ["work_item.created", "work_item.updated", "work_item.commented"]
    assert [one["data"].get("external_ref") for one in sent] == [None, "T-1", "T-1"]
    assert sent[2]["data"]["comment"] == "An answer behind this item was edited.\n\nNPS: 1, now 0"


def test_what_follows_an_item_that_never_arrived_is_given_up_and_comes_back_with_it(outbox, edited, receiver, answer):
    desk = receiver(answer(400), answer(201))
    outbox.set_up(desk)
    assert go(outbox, edited, desk, "create", "update", "comment") == ["dead", "dead", "dead"]
    assert edited()["update"].last_error == (
        "The work item itself never arrived at 'desk': send that delivery again, and this follows."
    )
    with outbox.database.session() as session:
        replay(session, session.get_one(Delivery, outbox.id))
    assert {row.state for row in edited().values()} == {"pending"}
    assert go(outbox, edited, desk, "create", "update", "comment") == ["delivered", "delivered", "delivered"]


def test_a_dead_update_holds_nothing_up(outbox, edited, receiver, answer):
    desk = receiver(answer(201), answer(400), answer(201))
    outbox.set_up(desk)
    assert go(outbox, edited, desk, "create", "update", "comment") == ["delivered", "dead", "delivered"]
