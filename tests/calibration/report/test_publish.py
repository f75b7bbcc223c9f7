"""`python -m calibration` as a shell sees it."""

import json
import subprocess
import sys

import pytest

from calibration.__main__ import main
from calibration.labels.csv_file import write_csv

HEADER = "id,text,axis,label,probability,human"


@pytest.fixture
def file(tmp_path, labels, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "labels.csv"
    path.write_bytes(write_csv(labels))
    return path


def test_a_process_writes_page_and_json_beside_it_and_says_so(file):
    command = [sys.executable, "-m", "calibration", file.name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=file.parent)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Of 3 labels, 2 keep the promise; 1 belongs to a person.")
    assert "✗ topic: delivery <b>" in done.stdout
    assert "Then: Label 11 more above 0.9: with 29 the 90 % promise can be tested" in done.stdout
    assert sorted(path.name for path in file.parent.iterdir()) == [
        "labels.calibration.html",
        "labels.calibration.json",
        "labels.csv",
    ]
    figures = json.loads((file.parent / "labels.calibration.json").read_text())
    assert [one["status"] for one in figures["questions"]] == ["certified", "certified", "refused"]


def test_json_goes_to_standard_output_and_nothing_is_written(file, capsys):
    assert main([str(file), "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["file"] == "labels.csv"
    assert list(file.parent.iterdir()) == [file]


def test_a_reader_that_has_heard_enough_is_no_failure(file):
    command = f"{sys.executable} -m calibration {file} --json | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, timeout=60, check=False)  # noqa: S602 (a pipe of a shell is what is tested)

    assert (done.stdout, done.stderr) == (b"{", b"")


def test_promise_floor_and_folder_can_be_chosen(file, capsys, tmp_path):
    (tmp_path / "out").mkdir()
    arguments = ["--precision", "0.99", "--confidence", "0.9", "--agreement", "0.99", "--out", str(tmp_path / "out")]

    assert main([str(file), *arguments]) == 0

    assert "0 keep the promise" in capsys.readouterr().out
    assert (tmp_path / "out" / "labels.calibration.html").exists()


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        ("id,text\n1,Late", [], "row 1: the header lacks axis, label, probability, human"),
        (f"{HEADER}\n1,Late,topic,delivery,2,1", [], "row 2, column probability: must be a number from 0 to 1"),
        (f"{HEADER}\n1,Late,topic,delivery,0.9,1", ["--out", "nowhere"], "No such file or directory"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(tmp_path, monkeypatch, capsys, content, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.csv").write_text(content)

    assert main(["labels.csv", *arguments]) == 1

    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err


@pytest.mark.parametrize("seed", ["-1", "1.5", "x"])
def test_a_seed_that_is_none_is_a_mistake_of_usage(tmp_path, capsys, seed):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "labels.csv"), f"--seed={seed}"])

    assert ended.value.code == 2
    assert "--seed: must be a whole number of 0 or more" in capsys.readouterr().err


def test_a_label_cannot_pretend_to_be_a_verdict(tmp_path, capsys):
    fake = "x\n\n✓ topic: refund\n  Promised \x1b[32m"
    (tmp_path / "labels.csv").write_text(f'{HEADER}\n1,Late,topic,"{fake}",0.9,1\n')

    assert main([str(tmp_path / "labels.csv"), "--out", str(tmp_path)]) == 0

    shown = capsys.readouterr().out
    assert "\n✗ topic: x ✓ topic: refund Promised [U+001B][32m\n" in shown
    assert "\n✓" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--precision", "1"], "argument --precision: must be from 0.5 to below 1, not '1'"),
        (["--confidence", "nan"], "argument --confidence: must be from 0.5 to below 1, not 'nan'"),
        (["--agreement", "2"], "argument --agreement: must be from 0 to 1, not '2'"),
        (
            ["--threshold", "x"],
            "argument --threshold: a threshold is a number from 0 to 1, such as 0.83 or negative=0.83",
        ),
        (["--seed", "-1"], "argument --seed: must be a whole number of 0 or more, not '-1'"),
    ],
)
def test_wrong_arguments_end_with_2(capsys, arguments, said):
    with pytest.raises(SystemExit) as ended:
        main(["labels.csv", *arguments])

    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_threshold_fixed_beforehand_is_the_only_one_judged(file, capsys):
    assert main([str(file), "--json", "--threshold", "1", "--threshold", "negative=0.7"]) == 0

    ladders = {one["label"]: one["ladder"] for one in json.loads(capsys.readouterr().out)["questions"]}
    assert {label: [rung["threshold"] for rung in ladder] for label, ladder in ladders.items()} == {
        "negative": [0.7],
        "positive": [1.0],
        "delivery <b>": [1.0],
    }


def test_a_threshold_of_1_is_drawn(file, capsys):
    assert main([str(file), "--threshold", "1"]) == 0

    assert "0 keep the promise" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_told(tmp_path, capsys):
    assert main([str(tmp_path / "labels.csv")]) == 1

    assert "No such file" in capsys.readouterr().err
