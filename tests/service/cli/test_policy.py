"""The life of a policy at the command line: tried, compared, told plainly, taken back, kept in a folder."""

import json
from pathlib import Path

import pytest

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


def test_a_policy_goes_to_a_folder_and_comes_back(shell, added, tmp_path):
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
