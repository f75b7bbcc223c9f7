"""A model whose files are refused: feedback is taken, rules on scores fire, nothing acts on what a text says."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from builders import record
from sites import Site, opened
from sqlalchemy import text
from structlog.testing import capture_logs

from models.encoder.weights import FILES
from models.prediction import Verbatim
from service.classify import Reader
from service.cli.serve import web
from service.installation import Opened
from service.settings import Settings

ANGRY = "The parcel came two weeks late and broken. Terrible service, I am very angry."
REFUSED = re.compile(r"\S+/model\.onnx is not the file its manifest names \(.*\): [^.]+\.")
POLICY = """
name: careful
thresholds:
  negative: {axis: sentiment, label: negative, uncertified: 0.80}
rules:
  - {name: low-score, when: scores.nps <= 6, then: {create: follow_up}}
  - {name: angry-text, when: sentiment.negative >= threshold("negative"), then: {create: ticket, tags: topics}}
  - {name: late, when: topic("delivery") >= 0.5, then: {create: backlog_item, tags: topics}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights whose graph was changed by somebody after they were made."""
    folder = tmp_path_factory.mktemp("heed-en")
    digest_of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (folder / "manifest.json").write_text(json.dumps({"sha256": dict.fromkeys(FILES, digest_of_nothing)}))
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"changed" if name == "model.onnx" else b"")
    return folder


@pytest.fixture(scope="module")
def site(migrated, vault, http, folder) -> Iterator[Site]:
    with opened(migrated, vault, Reader(str(folder)), http) as running:
        running.use(POLICY)
        with running.database.session() as session:
            session.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
        yield running


def story(site: Site, name: str, words: str, **scores: int) -> dict:
    (feedback,) = site.push([record(name, words, scores=scores)])
    site.drain()
    return site.api().get(f"/v1/feedback/{feedback}").json()


def test_the_score_decides_and_a_person_looks_at_the_words(site):
    told = story(site, "r-1", ANGRY, nps=2)
    assert told["state"] == "routed"
    assert (told["classification"]["classifier"], told["classification"]["degraded"]) == ("keywords@1", True)
    assert all(one["degraded"] for one in told["classification"]["verbatims"])
    assert told["classification"]["sentiment"]["label"] == "negative"  # what keywords find is shown, and does nothing
    items = {item["kind"]: item for item in told["work_items"]}
    assert set(items) == {"follow_up", "review"}
    assert [one["rule"] for one in items["review"]["why"]] == ["angry-text"]  # only a threshold asks for a person
    assert items["follow_up"]["tags"] == []
    assert told["decision"]["classifier"] == "keywords@1"
    replay = site.api().post(f"/v1/decisions/{told['decision']['id']}/replay").json()
    assert replay["identical"] is True


def test_a_happy_score_beside_angry_words_makes_nothing_but_the_review(site):
    assert [item["kind"] for item in story(site, "r-2", ANGRY, nps=9)["work_items"]] == ["review"]


def test_texts_are_read_and_marked(site):
    results = site.api().post("/v1/classify", json={"texts": [ANGRY, "Great staff!"]}).json()["results"]
    assert [(one["classifier"], one["degraded"]) for one in results] == [("keywords@1", True)] * 2


def test_readiness_says_so_and_feedback_is_taken(site):
    answer = site.api().get("/readyz")
    health = answer.json()
    assert (answer.status_code, health["ready"], health["degraded"]) == (200, True, ["model"])
    assert health["checks"]["model"]["ok"] is False
    assert REFUSED.search(health["checks"]["model"]["reason"])


def test_the_page_for_the_night_names_the_reason_and_what_goes_on(site):
    told = " ".join(unescape(re.sub(r"<[^>]+>", " ", site.visitor("admin").get("/health").text)).split())
    assert "heed takes feedback; 1 thing needs you." in told
    assert REFUSED.search(told)
    assert "rules on scores go on" in told
    assert "heed doctor" in told


def test_a_policy_whose_examples_are_words_is_not_let_loose_unread(site):
    example = '\nexamples: [{name: angry, record: {verbatims: ["' + ANGRY + '"]}, creates: [ticket, backlog_item]}]'
    made = site.api().post("/v1/policies", content=POLICY + example).json()
    refused = site.api().post(f"/v1/policies/{made['version']}/activate", json={"comment": "test"})
    assert refused.status_code == 422
    (broken,) = refused.json()["errors"]
    assert "the model cannot be used right now" in broken["detail"]


def test_the_log_says_it_once_when_a_process_begins(site, folder, tmp_path):
    settings = Settings(home=tmp_path, model=str(folder))
    with capture_logs() as logged:
        wiring = web(Opened(settings, site.database, site.wiring.vault))
        for _ in range(3):
            wiring.reader.read([Verbatim(ANGRY)])
    (line,) = logged
    assert (line["event"], line["log_level"], line["reads"]) == ("model.refused", "error", "keywords@1")
    assert REFUSED.fullmatch(line["reason"])
