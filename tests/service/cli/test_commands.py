"""The commands as a shell sees them: standard output, standard error and the exit code."""

import json
import os
import re

import pytest
from sqlalchemy import text

from service.cli.commands import COMMANDS, load
from service.store.database import connect

POLICY = "name: mine\nrules:\n  - {name: low, when: scores.nps <= 6, then: {create: follow_up}}\n"


def test_a_process_says_its_json_and_nothing_else(shell):
    ran = shell.process("keys", "create", "--name", "n", "--role", "admin", "--json")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert set(json.loads(ran.stdout)) == {"id", "name", "role", "key"}


def test_a_process_reads_lines_whatever_the_locale(bare):
    ran = bare.process("classify", "--json", stdin="Großartig! 😡\n".encode() + b"\xff late\n", LC_ALL="C")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert len(json.loads(ran.stdout)["results"]) == 2


def test_a_process_tells_a_wrong_setting_in_a_sentence(bare):
    ran = bare.process("serve", HEED_PORT="abc")
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert re.fullmatch(rb"HEED_PORT: Input should be a valid integer[^\n]+\.\n", ran.stderr)


def test_help_answers_at_once_and_knows_every_command(bare):
    before = os.times()
    ran = bare.process("--help")
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1.0
    assert ran.returncode == 0
    assert all(re.search(rf"^│ {name} ", ran.stdout.decode(), re.MULTILINE) for name in COMMANDS)


def test_keys_are_made_listed_and_revoked(shell):
    made = shell.json("keys", "create", "--name", "survey platform", "--role", "source", "--source", "store-survey")
    assert set(made) == {"id", "name", "role", "key"}
    assert (made["name"], made["role"]) == ("survey platform", "source")
    assert re.fullmatch(r"heed_live_[\w-]{43}", made["key"])
    out, _ = shell("keys", "create", "--name", "n", "--role", "admin")
    assert re.fullmatch(r"heed_live_[\w-]{43}\n", out)

    listed = shell.json("keys", "list")
    assert listed["next"] is None
    assert [(one["name"], one["role"], one["source"]) for one in listed["items"][:2]] == [
        ("n", "admin", None),
        ("survey platform", "source", "store-survey"),
    ]
    assert made["key"] not in json.dumps(listed)
    assert all("digest" not in one for one in listed["items"])
    out, _ = shell("keys", "list")
    assert any(made["id"] in line and "store-survey" in line for line in out.splitlines())

    assert shell.json("keys", "revoke", made["id"]) == {"id": made["id"], "revoked": True}
    _, err = shell("keys", "revoke", made["id"], code=1)
    assert err == f"There is no live key with id {made['id']}: `heed keys list` shows them.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--role", "king"), "There is no role 'king': choose one of source, supervisor"),
        (("--role", "admin", "--source", "s"), "Only a key of role 'source' can be bound"),
    ],
)
def test_a_key_that_cannot_be_made_is_refused_in_a_sentence(shell, words, said):
    out, err = shell("keys", "create", "--name", "n", *words, code=1)
    assert out == ""
    assert err.startswith(said)


def test_policies_are_added_shown_listed_and_activated(shell, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(POLICY)
    added = shell.json("policy", "add", str(file), "--comment", "first")
    version = added["version"]
    assert added["warnings"] == []
    file.write_text(POLICY.replace("create: follow_up", "create: follow_up, deliver: [desk]"))
    _, err = shell("policy", "add", str(file))
    assert re.fullmatch(rf"{re.escape(str(file))}:3:\d+: warning: destination desk is not set up: .*\n", err)
    assert shell("policy", "show", str(version))[0] == POLICY
    shown = shell.json("policy", "show", str(version))
    assert (shown["document"], shown["name"], shown["comment"]) == (POLICY, "mine", "first")
    activated = shell.json("policy", "activate", str(version), "--comment", "now")
    assert activated == {"version": version, "active": True, "does": ["decides for everyone"]}
    listed = {one["version"]: one["active"] for one in shell.json("policy", "list")["items"]}
    assert (listed[version], listed[1]) == (True, False)
    for command in (("show", "999"), ("activate", "999", "--comment", "x")):
        _, err = shell("policy", *command, code=1)
        assert err.startswith("There is no policy of version 999")


def test_a_policy_is_checked_without_a_database(bare, tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(POLICY)
    bad.write_text(POLICY.replace("scores.nps", "scores.npz"))
    assert bare("policy", "check", str(good))[0] == "Policy 'mine' is sound: 1 rules.\n"
    assert bare.json("policy", "check", str(good)) == {"errors": [], "warnings": []}

    out, err = bare("policy", "check", str(bad), code=3)
    assert out == ""
    assert re.match(rf"{re.escape(str(bad))}:3:\d+: .*; did you mean scores\.nps\?\n", err)
    out, err = bare("policy", "check", str(bad), "--json", code=3)
    (error,) = json.loads(out)["errors"]
    assert (error["line"], error["suggestion"]) == (3, "did you mean scores.nps?")
    _, err = bare("policy", "check", str(tmp_path / "missing.yaml"), code=2)
    assert "does not exist" in " ".join(err.split())
    bad.write_bytes(b"name: \xff\n")
    assert f"{bad}:1:" in bare("policy", "check", str(bad), code=3)[1]


def test_a_bad_policy_is_not_added(shell, tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(POLICY.replace("follow_up", "cake"))
    _, err = shell("policy", "add", str(file), code=1)
    assert err.startswith(f"{file}:3:")


def test_texts_are_classified_without_a_database(bare):
    assert set(bare.json("classify", "The parcel came late and broken.")) == {"results"}
    lines = (
        "Great service!\n\nDie Lieferung kam zu spät und war kaputt.\r\n😡 broken \xe9\n".encode() + b"\xff\xfe late\n"
    )
    results = bare.json("classify", stdin=lines)["results"]
    assert [one["abstain"]["reason"] if one["abstain"] else None for one in results][:3] == [None, "empty", "language"]
    assert len(results) == 5
    assert results[0]["sentiment"]["label"] == "positive"
    out, err = bare("classify", "The parcel came late.", stdin=b"")
    assert "negative" in out
    assert err == ""
    assert bare.json("classify", stdin=b"") == {"results": []}


def test_labels_are_judged_without_a_database(bare, tmp_path):
    rows = [
        f"r-{n},It came {n} days late,topic,delivery,0.9,1,{who},audit,1" for n in range(40) for who in ("ana", "jan")
    ]
    rows += [
        f"p-{n},It came {n} days early,topic,delivery,0.1,0,{who},audit,1" for n in range(9) for who in ("ana", "jan")
    ]
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(["id,text,axis,label,probability,human,rater,pool,blind", *rows]))

    out, _ = bare("calibrate", str(labels), "--out", str(tmp_path))
    (question,) = bare.json("calibrate", str(labels))["questions"]
    labels.write_text("id,text\n1,Late")
    _, told = bare("calibrate", str(labels), code=1)

    assert "✓ topic: delivery" in out
    assert (tmp_path / "labels.calibration.html").read_text().startswith("<!doctype html>")
    assert (question["status"], question["n"], question["right"]) == ("certified", 40, 40)
    assert "the header lacks axis, label, probability, human" in told


def test_a_file_that_cannot_be_written_is_a_sentence(bare, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("id,text,axis,label,probability,human\n1,Late,topic,delivery,0.9,1")
    (tmp_path / "labels.calibration.html").mkdir()

    _, told = bare("calibrate", str(labels), "--out", str(tmp_path), code=1)
    _, converted = bare("labels", "convert", str(labels), "--to", "csv", "--out", str(tmp_path / "no" / "x"), code=1)

    assert "Is a directory" in told
    assert "No such file" in converted


def test_an_unknown_model_is_a_sentence(bare):
    _, err = bare("classify", "text", code=1, HEED_MODEL="crystal-ball")
    assert err.startswith("There is no classifier 'crystal-ball'; there are: ")


def test_topics_of_ones_own_are_read_and_bad_ones_are_a_sentence(bare, tmp_path):
    file = tmp_path / "topics.yaml"
    file.write_text("{name: bank, version: 3, topics: [{name: cards, keywords: [card]}]}")
    (read,) = bare.json("classify", "My card was swallowed.", HEED_TAXONOMY=str(file))["results"]
    assert [topic["label"] for topic in read["topics"]] == ["cards"]
    _, err = bare("classify", "text", code=1, HEED_TAXONOMY=str(tmp_path / "none.yaml"))
    assert "none.yaml cannot be read" in err
    policy = tmp_path / "policy.yaml"
    policy.write_text("{name: p, rules: [{name: r, when: topic('cards') >= 0.5, then: {create: ticket}}]}")
    assert bare("policy", "check", str(policy), HEED_TAXONOMY=str(file))[0] == "Policy 'p' is sound: 1 rules.\n"
    bare("policy", "check", str(policy), code=3)


def test_a_model_that_cannot_be_used_is_told_beside_what_keywords_say(bare, tmp_path):
    (tmp_path / "model").mkdir()
    out, err = bare("classify", "Great staff!", "--json", HEED_MODEL=str(tmp_path / "model"))
    assert [one["degraded"] for one in json.loads(out)["results"]] == [True]
    assert err.startswith("Keywords read in place of the model: ")
    assert err.count("\n") == 1


def test_migrating_says_where_the_schema_stands(shell):
    assert set(shell.json("migrate")) == {"schema"}
    assert shell("migrate")[0].startswith("The database stands at schema 0")


def test_the_doctor_says_what_is_wrong(shell, bare):
    out, err = shell("doctor", "--json", code=3)  # no worker runs
    told = json.loads(out)
    assert (told["ok"], err) == (False, "")
    assert [one["name"] for one in told["findings"] if not one["ok"]] == ["workers"]
    out, _ = bare("doctor", code=3)
    assert "is not listening there" in out
    assert "top-secret" not in out


def test_the_doctor_finds_nothing_wrong_beside_a_worker(shell):
    server = connect(shell.environment["HEED_DATABASE_URL"], pool=1)
    shell("migrate")
    with server.session() as session:
        session.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    told = shell.json("doctor")
    assert told["ok"] is True
    with server.session() as session:
        session.execute(text("DELETE FROM procrastinate_workers"))
    server.engine.dispose()


def test_deliveries_are_listed_and_only_dead_ones_replayed(shell):
    assert shell.json("deliveries", "list", "--state", "dead") == {"items": [], "next": None}
    missing = "0198c0de-0000-7000-8000-000000000001"
    _, err = shell("deliveries", "replay", missing, code=1)
    assert err == f"Delivery {missing} is unknown: only a dead one is replayed, and none was.\n"
    shell("deliveries", "list", "--state", "lost", code=2)


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("keys",),
        ("keys", "create"),
        ("keys", "list", "--nope"),
        ("keys", "revoke", "no-id"),
        ("policy", "show", "zero"),
        ("policy", "activate", "1"),
        ("classify", "a", "b"),
        ("serve", "--port", "70000"),
        (),
    ],
)
def test_wrong_use_ends_with_2(bare, words):
    out, err = bare(*words, code=2)
    assert "Usage: heed" in out + err or "Usage: python" in out + err


@pytest.mark.parametrize(
    ("name", "value"),
    [("HEED_PORT", "abc"), ("HEED_PORT", "70000"), ("HEED_SECRET_KEY", "short-secret"), ("HEED_WORKER_SLOTS", "0")],
)
def test_a_setting_that_is_wrong_is_named(bare, name, value):
    out, err = bare("migrate", code=2, **{name: value})
    assert out == ""
    assert re.fullmatch(rf"{name}: .+\.\n", err)
    assert "short-secret" not in err


@pytest.mark.parametrize("words", [("migrate",), ("keys", "list"), ("policy", "list"), ("deliveries", "list")])
def test_a_database_that_is_away_is_a_sentence(bare, words):
    out, err = bare(*words, code=1)
    assert out == ""
    assert re.fullmatch(r"The database server at 127\.0\.0\.1:1/heed is not listening there: .+\.\n", err)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_itself_says(name):
    told = " ".join(load(name).help.split())
    assert told.startswith(COMMANDS[name].summary.removesuffix("."))
