"""The life of a policy at the command line: tried, compared, told plainly, taken back, kept in a folder."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from service.store.database import connect
from service.store.tables import Feedback, FeedbackRevision, Source

POLICY = """name: mine
rules:
  - {name: low, when: scores.nps <= 6, then: {create: follow_up, sla: soon}}
slas:
  soon: {resolve: 5d}
"""
EXAMPLE = "examples: [{name: high, record: {scores: {nps: 9}}, creates: [ticket]}]\n"


@pytest.fixture
def added(shell, tmp_path):
    def add(document: str = POLICY, *more: str) -> str:
        file = tmp_path / "policy-to-add.yaml"
        file.write_text(document)
        return str(shell.json("policy", "add", str(file), *more)["version"])

    return add


def test_a_version_is_tried_on_a_part_and_ended(shell, added):
    version = added()
    part = ("--share", "0.1", "--region", "emea", "--region", "amer", "--source", "web")
    out, _ = shell("policy", "activate", version, "--comment", "try", *part)
    assert out == f"From now on version {version} decides for 10 % of customers in emea or amer from web.\n"
    told = shell.json("policy", "activate", version, "--comment", "look", "--mode", "shadow")
    assert (told["active"], told["does"][1]) == (False, "looks on at everyone")
    listed = shell("policy", "list")[0]
    assert "decides for 10 % of customers in emea or amer from web, looks on at everyone" in listed
    assert (
        shell("policy", "deactivate", version, "--comment", "enough")[0] == f"Version {version} is not in force now.\n"
    )
    assert shell("policy", "deactivate", version, "--comment", "again", code=1)[1] == (
        f"Version {version} is not in force: there is nothing to end.\n"
    )


@pytest.mark.parametrize("wrong", [("--share", "0"), ("--share", "1.1"), ("--mode", "quiet")])
def test_an_activation_that_is_none(shell, wrong):
    shell("policy", "activate", "1", "--comment", "x", *wrong, code=2)


def test_the_version_before_decides_again(shell, added):
    one, two = added(), added()
    for version in (one, two):
        shell("policy", "activate", version, "--comment", "on")
    assert shell("policy", "rollback", "--comment", "no")[0] == f"Version {one} decides again.\n"
    assert shell.json("policy", "rollback", "--comment", "yes") == {"version": int(two), "active": True}


def test_two_versions_are_compared_and_told_plainly(shell, added):
    one, two = added(), added(POLICY.replace("<= 6", "<= 7").replace("5d", "3d"))
    assert shell("policy", "diff", one, two)[0] == (
        "The rule low now fires at NPS 7 or less instead of 6 or less.\n"
        "    rules low, when: scores.nps <= 6 -> scores.nps <= 7\n"
        "Follow-ups of soon are due in 3 days instead of 5.\n"
        "    slas soon, resolve: 5d -> 3d\n"
    )
    assert shell("policy", "diff", one, one)[0] == f"Versions {one} and {one} say the same.\n"
    told = shell.json("policy", "diff", one, two)
    assert [change["name"] for change in told["changes"]] == ["low", "soon"]
    plain = shell("policy", "show", two, "--plain")[0]
    assert "low: When NPS is 7 or less: a follow-up. It is due as the service level soon says." in plain
    assert shell("policy", "diff", one, "999", code=1)[1] == "There is no policy of version 999.\n"


def test_a_version_whose_examples_do_not_hold_is_not_activated(shell, added, tmp_path, bare):
    file = tmp_path / "policy-to-add.yaml"
    version = added(POLICY)
    file.write_text(POLICY + EXAMPLE)
    _, err = shell("policy", "add", str(file))
    assert err.startswith(f"{file}:6:12: warning: the example 'high' must make a ticket, but makes nothing")
    assert "warning: the example 'high' must make a ticket" in bare("policy", "check", str(file))[1]
    _, err = shell("policy", "activate", str(int(version) + 1), "--comment", "now", code=1)
    assert err == (
        "Not activated: its examples have to hold first.\n"
        "  the example 'high' must make a ticket, but makes nothing: no rule makes a ticket\n"
    )


def exported(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_policy_goes_to_a_folder_and_comes_back(shell, installation, added, tmp_path):
    version, folder = added(POLICY, "--comment", "the first"), tmp_path / "deep" / "rules"
    shell("policy", "export", version, str(folder))
    held = exported(folder)
    assert held["policy.yaml"].decode() == POLICY
    about = json.loads(held["about.json"])
    assert (about["version"], about["name"], about["comment"]) == (int(version), "mine", "the first")
    shell("policy", "export", version, str(folder))
    assert exported(folder) == held

    assert shell("policy", "import", str(folder))[0] == (
        f"The newest version, {version}, says the same already: nothing was published.\n"
    )
    (folder / "policy.yaml").write_text("# a note\n" + POLICY)
    assert shell.json("policy", "import", str(folder))["version"] == int(version)
    (folder / "policy.yaml").write_text(POLICY.replace("<= 6", "<= 5"))
    made = shell.json("policy", "import", str(folder))["version"]
    assert (made, shell.json("policy", "show", str(made))["comment"]) == (int(version) + 1, "the first")
    database = connect(installation["HEED_DATABASE_URL"], pool=1)
    with database.session() as session:  # published by an earlier heed, which knew fewer keys
        copy = """INSERT INTO policy (version, name, document, tree, digest, created_by, created_at)
            SELECT version + 1, name, document, tree - 'bypass' - 'examples', 'another', created_by, created_at
            FROM policy WHERE version = :made"""
        session.execute(text(copy), {"made": made})
        session.commit()
    database.engine.dispose()
    assert shell.json("policy", "import", str(folder))["version"] == made + 1
    (folder / "about.json").unlink()
    (folder / "policy.yaml").write_text(POLICY)
    again = shell.json("policy", "import", str(folder), "--comment", "back")["version"]
    assert shell.json("policy", "show", str(again))["comment"] == "back"


@pytest.mark.parametrize(
    ("document", "about", "said"),
    [
        (
            POLICY.replace("nps", "npz"),
            None,
            "policy.yaml:3:23: there is no field scores.npz; did you mean scores.nps?",
        ),
        (None, None, "policy.yaml cannot be read (No such file or directory): it holds the policy."),
        (POLICY, "{", "about.json is not what `heed policy export` writes"),
        (POLICY, "[]", "about.json is not what `heed policy export` writes"),
        (POLICY, '{"comment": 5}', "about.json: comment is a text"),
    ],
)
def test_a_folder_that_cannot_be_imported(shell, tmp_path, document, about, said):
    for name, content in (("policy.yaml", document), ("about.json", about)):
        if content is not None:
            (tmp_path / name).write_text(content)
    out, err = shell("policy", "import", str(tmp_path), code=1)
    assert out == ""
    assert err.startswith(f"{tmp_path}/{said}"), err


def test_a_folder_that_cannot_be_written(shell, added, tmp_path):
    version = added()
    (tmp_path / "taken").write_text("a file")
    _, err = shell("policy", "export", version, str(tmp_path / "taken" / "rules"), code=1)
    assert err == f"{tmp_path}/taken/rules cannot be written (Not a directory).\n"


PERIOD = ("--since", "2026-10-01", "--until", "2026-11-01T00:00")


def test_a_backtest_of_a_period_without_records_says_so(shell, added):
    out, _ = shell("policy", "backtest", added(), *PERIOD)
    assert out.endswith("There are no records from 2026-10-01 to 2026-11-01T00:00. There are none at all yet.\n")


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (("--since", "soon", "--until", "2026-11-01"), 2, "--since soon is no day or moment: write 2026-10-01 or"),
        (("--since", "2026-11-01", "--until", "2026-10-01"), 1, "The period ends before it begins: give an `until`"),
        (("--since", "2999-01-01"), 1, "The period ends before it begins"),  # it ends now
        ((*PERIOD, "--against", "999"), 1, "999"),
    ],
)
def test_a_backtest_that_cannot_be(shell, added, asked, code, said):
    assert said in shell("policy", "backtest", added(), *asked, code=code)[1]


def test_a_backtest_shows_what_would_have_been(shell, installation, added):
    now, then = added(POLICY.replace("<= 6", "<= 4")), added(POLICY.replace("<= 6", "<= 5"))
    database = connect(installation["HEED_DATABASE_URL"], pool=1)
    at = datetime(2026, 10, 5, tzinfo=UTC)
    with database.session() as session:
        session.add(Source(name="shop", kind="push"))
        session.flush()
        for nps in (3, 5, 9):
            row = Feedback(source="shop", external_id=str(nps), revision=1, stage="routed", received_at=at)
            session.add(row)
            session.flush()
            body = {"scores": {"nps": nps}}
            session.add(
                FeedbackRevision(
                    feedback_id=row.id, revision=1, body=body, digest="", original=None, key_id=None, submitted_at=at
                )
            )
    database.engine.dispose()
    out, err = shell("policy", "backtest", then, *PERIOD, "--against", now)
    assert err == ""
    assert f"Version {then} (then) beside version {now} (now). Records: 3; that come out differently: 1." in out
    rows = [line.split() for line in out.splitlines() if line.startswith("follow_up")]
    assert rows == [["follow_up", "(all)", "1", "2", "1", "0", "0"], ["follow_up", "low", "1", "2", "1", "0", "0"]]
    assert "Targets that would be missed: 1 now, 2 then." in out
    assert re.search(r"Differences kept as backtest [0-9a-f-]{36}: 1\.", out)
