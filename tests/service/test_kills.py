"""Real heed processes, ended with SIGKILL, frozen, told to stop: nothing is lost, nothing is done twice."""

import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from builders import record
from fragile_worker import ENDS, RAISES, TAKES_LONG
from processes import NOTHING_DOUBLED, Installation, free_port, gone, posted, records, wait_for

from service.demo.helpdesk import HelpDesk, Ticket
from service.standard_webhooks import new_secret
from service.store.postgres_files import prepare
from service.store.postgres_server import ensure, stop

Figure = Callable[[str, object], None]
pytestmark = [pytest.mark.kills, pytest.mark.timeout(180)]

DELIVERING = """
name: kills
rules:
  - name: unhappy
    when: scores.nps <= 6
    then: {create: ticket, deliver: [helpdesk]}
"""


@pytest.fixture
def heed(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path / "heed")
    yield installation
    installation.end()


def test_a_killed_workers_jobs_are_taken_over_within_a_minute(heed: Installation, record_property: Figure) -> None:
    heed.serve("--no-worker")
    lost = heed.fragile()
    with heed.client() as client:
        posted(client, [*records(63), *records(1, "x", TAKES_LONG)])
        wait_for(lambda: heed.look.doing("classify"), 10, "the batch under way")
        heed.worker()
        lost.kill()
        took = wait_for(lambda: heed.look.stage("routed") == 64, 60, "64 records routed by another worker")
    record_property("taken over and routed after, s", round(took, 1))
    assert heed.look.doubled() == NOTHING_DOUBLED


def test_a_record_that_ends_or_fails_its_worker_is_quarantined_and_its_batch_goes_on(heed: Installation) -> None:
    heed.serve("--no-worker")
    worker = heed.fragile("--fast")
    batch = [*records(62), *records(1, "ends", ENDS), *records(1, "raises", RAISES)]
    with heed.client() as client:
        ids = posted(client, random.Random(7).sample(batch, len(batch)))  # noqa: S311 (an order, no secret)

        def settled() -> bool:
            nonlocal worker
            if worker.poll() is not None:
                assert worker.returncode == 9
                worker = heed.fragile("--fast")
            return heed.look.stage("quarantined") == 2 and heed.look.stage("routed") == 62

        wait_for(settled, 120, "62 routed and 2 quarantined")
        found = client.get("/v1/feedback", params={"state": "quarantined"}).json()["items"]
        assert {one["external_id"]: one["reason"] for one in found} == {
            "ends-0": "classify ended its worker, 3 times",
            "raises-0": "classify failed with ValueError, 3 times",
        }
        assert heed.look.scalar("SELECT sum(attempts) FROM feedback WHERE stage = 'routed'") == 0
        assert heed.look.scalar("SELECT sum(attempts) FROM feedback WHERE stage = 'quarantined'") == 6
        assert heed.look.scalar("SELECT count(*) FROM decision") == 62
        story = client.get(f"/v1/feedback/{found[0]['id']}").json()
        assert (story["state"], story["work_items"], story["decision"]) == ("quarantined", [], None)

        (heed.home / "healed").touch()
        for one in found:
            assert client.post(f"/v1/feedback/{one['id']}/retry").is_success
        wait_for(lambda: heed.look.stage("routed") == 64, 20, "both retried")
        assert {client.get(f"/v1/feedback/{one}").json()["state"] for one in ids} == {"routed"}
    assert heed.look.doubled() == NOTHING_DOUBLED
    assert "[ends the worker]" not in heed.log(), "a customer's words in the log"
    assert "[raises]" not in heed.log(), "a customer's words in the log"


def test_a_frozen_worker_that_wakes_up_does_nothing_twice(heed: Installation) -> None:
    heed.serve("--no-worker")
    zombie = heed.fragile("--fast")
    with heed.client() as client:
        posted(client, records(200))
        wait_for(lambda: heed.look.stage("routed") > 0, 20, "some records routed")
        zombie.send_signal(signal.SIGSTOP)
        heed.fragile("--fast")
        wait_for(lambda: heed.look.stage("routed") == 200, 60, "the others routed by another worker")
        zombie.send_signal(signal.SIGCONT)
        posted(client, records(200, "later"))
        wait_for(lambda: heed.look.stage("routed") == 400 and not heed.look.doing(), 60, "later ones routed")
        assert zombie.poll() is None
    assert heed.look.doubled() == NOTHING_DOUBLED
    assert heed.look.scalar("SELECT count(*) FROM decision") == 400
    assert heed.look.scalar("SELECT count(*) FROM work_item WHERE kind = 'follow_up'") == 400


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_drains_within_15_seconds(heed: Installation, record_property: Figure, number: signal.Signals) -> None:
    process = heed.serve()
    worker = heed.child(process)
    accepted: list[str] = []
    statuses: set[int] = set()

    def post(client: httpx.Client, poster: int) -> None:
        for turn in range(10_000):
            try:
                answer = client.post("/v1/feedback", json=records(20, f"{poster}-{turn}"))
            except httpx.TransportError:
                return
            statuses.add(answer.status_code)
            accepted.extend(one["id"] for one in answer.json()["results"])

    with heed.client() as client:
        posters = [threading.Thread(target=post, args=(client, one)) for one in range(4)]
        for poster in posters:
            poster.start()
        wait_for(lambda: heed.look.stage("routed") > 100, 40, "records under way")
        began = time.monotonic()
        os.killpg(process.pid, number)
        assert process.wait(20) == 0
        took = time.monotonic() - began
        for poster in posters:
            poster.join(10)
    record_property(f"ended after {number.name}, s", round(took, 1))
    assert took < 15
    assert statuses == {202}
    assert gone(worker)
    assert not prepare(heed.home).socket.exists(), "the embedded server still runs"

    heed.serve("--no-worker")
    assert heed.look.doing() == 0
    assert heed.look.scalar("SELECT count(*) FROM feedback WHERE id = ANY(:ids)", ids=accepted) == len(accepted)


def test_a_worker_of_its_own_drains_too_and_says_goodbye_to_a_job_that_hangs(heed: Installation) -> None:
    heed.serve("--no-worker")
    hanging, worker = heed.fragile(), heed.worker()
    with heed.client() as client:
        posted(client, records(1, "x", TAKES_LONG))
        wait_for(lambda: heed.look.doing() or heed.look.stage("routed"), 10, "the record taken")
        began = time.monotonic()
        for one in (hanging, worker):
            one.terminate()
        assert worker.wait(15) == 0
        assert hanging.wait(15) == (1 if heed.look.doing() else 0)
        assert time.monotonic() - began < 15


def test_a_killed_heed_serve_takes_its_worker_along_and_the_next_one_goes_on(
    heed: Installation, record_property: Figure
) -> None:
    process = heed.serve()
    worker, server = heed.child(process), heed.server()
    with heed.client() as client:
        ids = posted(client, records(300))
        for pid in (process.pid, worker):
            os.kill(pid, signal.SIGKILL)
        process.wait()
        process = heed.serve()
        assert heed.server() == server, "the server that outlived both was not adopted"
        worker = heed.child(process)
        ids += posted(client, records(300, "later"))
        process.kill()
        process.wait()
        took = wait_for(lambda: gone(worker), 15, "the orphaned worker's end")
        record_property("the orphaned worker ended after, s", round(took, 1))
        heed.serve()
        wait_for(lambda: heed.look.stage("routed") == len(ids), 60, "everything routed")
    assert heed.look.doubled() == NOTHING_DOUBLED


def test_a_killed_database_server_costs_seconds_and_nothing_else(heed: Installation, record_property: Figure) -> None:
    process = heed.serve()
    worker = heed.child(process)
    accepted: dict[str, str] = {}
    answers: list[tuple[float, int, str | None]] = []
    over = threading.Event()

    def post(client: httpx.Client, poster: int) -> None:
        for turn in range(10_000):
            if over.is_set():
                return
            batch = records(10, f"{poster}-{turn}")
            while not over.is_set():
                answer = client.post("/v1/feedback", json=batch)
                answers.append((time.monotonic(), answer.status_code, answer.headers.get("retry-after")))
                if answer.status_code == 202:
                    accepted.update({one["external_id"]: one["id"] for one in answer.json()["results"]})
                    break

    with heed.client() as client:
        posters = [threading.Thread(target=post, args=(client, one)) for one in range(3)]
        for poster in posters:
            poster.start()
        wait_for(lambda: heed.look.stage("routed") > 50, 40, "records under way")
        killed = time.monotonic()
        os.kill(heed.server(), signal.SIGKILL)
        wait_for(lambda: any(at > killed + 0.2 and status == 503 for at, status, _ in answers), 10, "a 503")
        wait_for(lambda: answers[-1][0] > killed + 0.5 and answers[-1][1] == 202, 20, "a 202 again")
        back = time.monotonic() - killed
        over.set()
        for poster in posters:
            poster.join(30)
        wait_for(lambda: heed.look.stage("routed") == len(accepted), 90, "everything routed")
        record_property("202 again after, s", round(back, 1))
        record_property("everything routed after, s", round(time.monotonic() - killed, 1))
    assert {status for _, status, _ in answers} == {202, 503}
    assert all(after for _, status, after in answers if status == 503)
    ids = list(accepted.values())
    assert heed.look.scalar("SELECT count(*) FROM feedback WHERE id = ANY(:ids)", ids=ids) == len(ids)
    assert heed.look.scalar("SELECT count(*) FROM feedback") == len(ids)
    assert heed.look.doubled() == NOTHING_DOUBLED
    assert heed.look.undecided() == 0
    assert not gone(worker)
    assert "Parcel" not in heed.log(), "a customer's words in the log"


@pytest.mark.faults
def test_random_kills_among_several_workers_lose_and_double_nothing(heed: Installation) -> None:
    heed.serve("--no-worker")
    chance = random.Random(11)  # noqa: S311 (which one, no secret)
    workers = [heed.fragile("--fast"), heed.fragile("--fast")]
    with heed.client() as client:
        for part in range(10):
            posted(client, records(100, f"p{part}"))
        for kill in range(3):
            reached = heed.look.stage("routed")
            wait_for(lambda seen=reached: heed.look.stage("routed") > min(seen + 40, 999), 40, f"progress after {kill}")
            victim = chance.randrange(2)
            workers[victim].kill()
            workers[victim] = heed.fragile("--fast")
        wait_for(lambda: heed.look.stage("routed") == 1000 and not heed.look.doing(), 60, "everything routed")
    assert heed.look.doubled() == NOTHING_DOUBLED
    assert heed.look.scalar("SELECT count(*) FROM decision") == 1000


class DeadlyDesk(HelpDesk):
    """A help desk that makes the ticket and ends the worker before it can hear of it, once."""

    victim: subprocess.Popen[bytes] | None = None

    def receive(self, webhook_id: str, event: str, data: dict[str, object]) -> Ticket | None:
        made = super().receive(webhook_id, event, data)
        if self.victim is not None:
            self.victim.kill()
            self.victim = None
        return made


def deliver_to(client: httpx.Client, desk: HelpDesk) -> None:
    assert client.post("/v1/policies", content=DELIVERING).status_code == 201
    assert client.post("/v1/policies/2/activate", json={"comment": "test"}).status_code == 200
    made = {"name": "helpdesk", "kind": "webhook", "secrets": [desk.secret], "settings": {"base_url": desk.url}}
    assert client.post("/v1/destinations", json=made).status_code == 201


def test_a_worker_killed_between_the_2xx_and_our_commit_sends_the_same_id_again(heed: Installation) -> None:
    with DeadlyDesk(new_secret()) as desk:
        heed.environment["HEED_ALLOW_TARGETS"] = f"127.0.0.1:{desk.port}"
        heed.serve("--no-worker")
        desk.victim = heed.fragile("--fast")
        with heed.client() as client:
            deliver_to(client, desk)
            (one,) = posted(client, [record("r-1", scores={"nps": 1})])
            wait_for(lambda: desk.victim is None, 20, "the ticket")
            heed.fragile("--fast")
            wait_for(lambda: heed.look.scalar("SELECT state FROM delivery") == "delivered", 60, "the second attempt")
            (delivery,) = client.get(f"/v1/feedback/{one}").json()["deliveries"]
        (ticket,) = desk.tickets
        assert (ticket.repeats, ticket.webhook_id) == (1, delivery["idempotency_key"])
        assert (delivery["attempts"], delivery["external_ref"]) == (2, ticket.id)


def test_a_database_that_was_away_for_ten_seconds_is_used_again(heed: Installation, record_property: Figure) -> None:
    place = prepare(heed.home / "elsewhere")
    ensure(place)
    heed.environment["HEED_DATABASE_URL"] = f"postgresql://heed@/heed?host={place.socket.parent}&port=5432"
    try:
        process = heed.serve()
        worker = heed.child(process)
        with heed.client() as client:
            posted(client, records(5))
            wait_for(lambda: heed.look.stage("routed") == 5, 20, "records routed before")
            stop(place)
            began = time.monotonic()
            while time.monotonic() - began < 10:
                answer = client.post("/v1/feedback", json=records(5, "later"))
                assert (answer.status_code, bool(answer.headers["retry-after"])) == (503, True)
                time.sleep(0.5)  # ten seconds away is the case itself
            ensure(place)
            wait_for(
                lambda: client.post("/v1/feedback", json=records(5, "later")).status_code == 202, 10, "a 202 again"
            )
            took = wait_for(lambda: heed.look.stage("routed") == 10, 30, "records routed again")
        record_property("routed after the first 202, s", round(took, 1))
        assert not gone(worker)
    finally:
        heed.end()
        stop(place)


def test_a_busy_port_is_one_sentence_and_two_ports_share_a_server(heed: Installation) -> None:
    with socket.create_server(("127.0.0.1", heed.port)):
        refused = heed.start("-m", "service.cli", "serve", "--port", str(heed.port))
        assert refused.wait(30) == 1
    (sentence,) = heed.log().splitlines()
    assert sentence.startswith(f"heed cannot listen on 127.0.0.1:{heed.port}")
    heed.serve("--no-worker")
    server = heed.server()
    second = Installation(heed.home, started=heed.started, port=free_port())
    leaving = second.serve("--no-worker")
    assert heed.server() == server
    leaving.terminate()
    assert leaving.wait(15) == 0
    assert httpx.get(f"{heed.address}/readyz", trust_env=False).status_code == 200
