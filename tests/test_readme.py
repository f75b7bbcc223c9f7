"""What the README shows works as shown."""

import json
import re
import runpy
import textwrap
import time
from uuid import uuid4

import pytest
from pydantic import TypeAdapter

from calibration.__main__ import main as calibrate
from models.taxonomies.taxonomy import default_taxonomy
from service import policies
from service.api.calibration_runs import RunIn
from service.api.destinations import DestinationIn
from service.api.label_shapes import LabelIn, SampleIn
from service.ingest.record import FeedbackRecord
from service.route.policy_document import check
from service.settings import Settings
from service.standard_webhooks import new_secret, sign
from service.work.events import Event


def test_the_policy_of_the_readme_is_sound(repository):
    shown = re.search(r"^    name: store\n(?:    .*\n)+", (repository / "README.md").read_text(), re.MULTILINE)
    assert shown
    checked = check(textwrap.dedent(shown[0]), [topic.name for topic in default_taxonomy().topics])
    assert [rule.name for rule in checked.policy.rules] == ["detractor-follow-up", "negative-text-ticket"]


SHOWN = {
    "README.md": r"^    name: store\n(?:    .*\n)+",
    "service/route/policies.md": r"^name: store\n(?:(?!```).*\n)+",
}


@pytest.mark.parametrize("document", SHOWN)
def test_the_examples_of_a_policy_that_is_shown_hold(repository, reader, document):
    shown = re.search(SHOWN[document], (repository / document).read_text(), re.MULTILINE)
    assert shown
    sound = policies.check(reader, textwrap.dedent(shown[0]))
    assert sound.policy.examples
    assert policies.broken(reader, sound.policy) == []


def test_the_record_of_the_readme_is_accepted(repository):
    shown = re.search(r"\{\"source\": .*?\]\}(?=')", (repository / "README.md").read_text(), re.DOTALL)
    assert shown
    assert FeedbackRecord.model_validate(json.loads(shown[0])).scores.nps == 3


def test_every_setting_is_explained(repository):
    readme = (repository / "README.md").read_text()
    missing = [name for name in Settings.model_fields if f"HEED_{name.upper()}" not in readme]
    assert missing == []


def test_every_linked_file_is_there(repository):
    for document in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
        text = (repository / document).read_text()
        named = set(re.findall(r"\]\(([\w./-]+)\)", text)) | set(
            re.findall(r"`((?:service|models|calibration|tests)/[\w./-]+\.py)`", text)
        )
        assert [name for name in sorted(named) if not (repository / name).exists()] == [], document


def test_the_calls_of_the_readme_are_accepted(repository):
    readme = (repository / "README.md").read_text()
    destination = re.search(r"\{\"name\": \"helpdesk\".*?\}\}(?=')", readme, re.DOTALL)
    event = re.search(r"\{\"type\": \"contact_attempt\".*?\}(?=')", readme, re.DOTALL)
    assert destination
    assert event
    assert DestinationIn.model_validate_json(destination[0]).kind == "webhook"
    assert TypeAdapter(Event).validate_json(event[0]).outcome == "reached"


@pytest.mark.parametrize(("call", "shape"), [("samples", SampleIn), ("labels", LabelIn), ("runs", RunIn)])
def test_the_calls_of_the_lab_are_accepted(repository, call, shape):
    readme = (repository / "README.md").read_text()
    sent = re.search(rf"/v1/calibration/{call} .*\n\s+(\{{.*\}})'", readme)
    assert sent
    assert shape.model_validate_json(sent[1].replace("'$CARD'", str(uuid4())))


@pytest.mark.parametrize(("precision", "status"), [("0.90", "refused"), ("0.80", "certified")])
def test_the_verdicts_of_the_readme_are_what_the_command_says(repository, capsys, precision, status):
    assert calibrate([str(repository / "service/demo/labels.csv"), "--precision", precision, "--json"]) == 0

    negative = json.loads(capsys.readouterr().out)["questions"][0]
    assert (negative["label"], negative["status"]) == ("negative", status)
    shown = " ".join((repository / "README.md").read_text().split())
    assert negative["sentence"].split(" We can be wrong")[0] in shown
    if negative["label_next"]:
        assert negative["label_next"]["sentence"].split(" Draw")[0] in shown


@pytest.fixture
def sent_by_heed(repository, tmp_path):
    shown = re.search(r"^    import base64.*\n(?:(?:    .*)?\n)+", (repository / "README.md").read_text(), re.MULTILINE)
    assert shown
    receiver = tmp_path / "receiver.py"
    receiver.write_text(textwrap.dedent(shown[0]))
    return runpy.run_path(str(receiver))["sent_by_heed"]


@pytest.mark.parametrize(
    ("age", "received", "rotating", "confirmed"),
    [
        pytest.param(0, b"{}", False, True, id="ours"),
        pytest.param(0, b"{}", True, True, id="ours among two"),
        pytest.param(0, b"{ }", False, False, id="changed"),
        pytest.param(400, b"{}", False, False, id="old"),
        pytest.param(-400, b"{}", False, False, id="from the future"),
    ],
)
def test_the_receiver_of_the_readme_knows_our_signature(sent_by_heed, age, received, rotating, confirmed):
    secret, at = new_secret(), int(time.time()) - age
    keys = [new_secret(), secret] if rotating else [secret]
    headers = {"webhook-id": "d-1", "webhook-timestamp": str(at), "webhook-signature": sign(keys, "d-1", at, b"{}")}
    assert sent_by_heed(secret, headers, received) is confirmed
    assert sent_by_heed(new_secret(), headers, received) is False
