"""Labels carried from one tool's format into another's."""

from dataclasses import replace

import pytest

from calibration.labels.__main__ import main
from calibration.labels.catalog import FORMATS, read_labels
from calibration.labels.convert import convert
from calibration.labels.csv_file import write_csv
from calibration.labels.label import InvalidLabels, Label

ANA = "0b1b7e2e-6f0e-4c5e-9a54-2f3f5cfe0a11"
LATE = Label("r-1", "The parcel came late", "topic", "delivery", 0.93, True, ANA, "audit", 0.5, True, "store", "en")
PRICE = replace(LATE, label="price", probability=0.07, human=False)


@pytest.mark.parametrize("tool", sorted(set(FORMATS) - {"csv", "doccano"}))
def test_labels_survive_the_way_to_a_tool_and_back(tool):
    there = convert([("labels.csv", write_csv([LATE, PRICE]))], to=tool)
    back = read_labels(convert([("tasks.json", there)], to="csv"))

    assert sorted(back, key=lambda one: one.label) == [LATE, PRICE]


def test_of_several_files_rows_without_a_rater_get_the_files_name():
    files = [(name, write_csv([replace(LATE, rater="")])) for name in ("ana.csv", "jan.csv")]

    assert [one.rater for one in read_labels(convert(files, to="csv"))] == ["ana.csv", "jan.csv"]


def test_a_mistake_names_its_file():
    with pytest.raises(InvalidLabels, match=r"^b\.csv: row 1: the header lacks"):
        convert([("a.csv", write_csv([LATE])), ("b.csv", b"id")], to="csv")


def test_two_files_of_one_name_are_refused_and_none_is_lost(tmp_path, capsys):
    paths = [tmp_path / folder / "labels.csv" for folder in ("spring", "autumn")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(write_csv([LATE]))

    assert main([*map(str, paths), "--to", "csv"]) == 1

    assert "labels.csv: file: another file has this name, which stands for the rater" in capsys.readouterr().err


def test_the_command_writes_a_file_or_standard_output(tmp_path, capsysbinary):
    source, out = tmp_path / "labels.csv", tmp_path / "tasks.json"
    source.write_bytes(write_csv([LATE]))

    assert main([str(source), "--to", "label-studio", "--out", str(out)]) == 0
    assert main([str(out), "--to", "csv"]) == 0

    assert read_labels(capsysbinary.readouterr().out) == [LATE]


def test_what_cannot_be_read_is_told(tmp_path, capsys):
    (tmp_path / "labels.csv").write_text("id")

    assert main([str(tmp_path / "labels.csv"), "--to", "csv"]) == 1
    assert main([str(tmp_path / "nowhere.csv"), "--to", "csv"]) == 1

    told = capsys.readouterr().err
    assert "labels.csv: row 1: the header lacks" in told
    assert "No such file" in told
