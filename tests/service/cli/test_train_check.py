import json
import sys

import pytest
from tiny_course import written

FILE = "name: mine\nversion: 1\nfiles:\n  - {{file: mine.jsonl, source: us, licence: ours{more}}}\n"
GOOD = {"text": "the parcel was late", "sentiment": "negative"}


def check(bare, folder, lines, *words, more="", code=1):
    (folder / "mine.yaml").write_text(FILE.format(more=more))
    (folder / "mine.jsonl").write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines))
    return bare("train", str(folder), "--recipe", str(folder / "mine.yaml"), "--check", *words, code=code)


@pytest.mark.parametrize(
    ("line", "more", "sentence"),
    [
        ('{"text": ', "", "mine.jsonl, line 2: not JSON in UTF-8"),
        ("[1]", "", "mine.jsonl, line 2: a line is one JSON object"),
        ({"text": ""}, "", "line 2, field text: String should have at least 1 character; write a text of 1 to 100,000"),
        ({"sentiment": "negative"}, "", "line 2, field text: Field required; write a text"),
        (GOOD | {"sentiment": "bad"}, "", "field sentiment: Input should be 'negative', 'neutral' or 'positive'"),
        (GOOD | {"sentiment": {"sad": 1}}, "", "sentiment has no label sad: use negative, neutral, positive"),
        (GOOD | {"sentiment": {"negative": 0}}, "", "sentiment needs at least one probability above 0"),
        (
            GOOD | {"type": {"praise": 2}},
            "",
            "field type: Input should be less than or equal to 1; write an object with",
        ),
        (GOOD | {"urgency": 3}, "", "field urgency: Input should be 'low', 'normal' or 'high'"),
        (GOOD | {"topics": "price"}, "", "field topics: Input should be a valid list; write a list of labels"),
        (GOOD | {"split": "test"}, "", "field split: Input should be 'train' or 'dev'; write train or dev"),
        (GOOD | {"mood": "bad"}, "", "mood: Extra inputs are not permitted; the fields are text, question, split"),
        (GOOD | {"votes": {}}, ", columns: {votes: votes}", "field votes: {} is no votes; write an object of counts"),
        (
            GOOD | {"votes": []},
            ", columns: {ratings: votes}",
            "field votes: [] is no ratings; write a list of at least",
        ),
        (
            GOOD | {"votes": "x"},
            ", columns: {severity: votes}",
            "field votes: 'x' is no severity; write a whole number",
        ),
        (GOOD, ", columns: {sentiment: mood}", "line 2, field mood: it is missing; add it, or correct `columns`"),
    ],
)
def test_a_bad_line_is_named_with_its_field_and_remedy(bare, tmp_path, line, more, sentence):
    first = GOOD | {"votes": {"negative": 2}, "mood": "negative"} if "votes: votes" in more or "mood" in more else GOOD
    said = check(bare, tmp_path, [first, line], more=more)[1]
    assert sentence in said


def test_at_most_twenty_mistakes_are_told_and_the_others_counted(bare, tmp_path):
    said = check(bare, tmp_path, [GOOD, *[{"text": ""}] * 25])[1].splitlines()
    assert [line.partition(",")[2][:8] for line in said[:2]] == [" line 2,", " line 3,"]
    assert (len(said), said[-1]) == (21, "... and 5 more.")


@pytest.mark.parametrize(
    ("lines", "more", "sentence"),
    [
        ([], "", "mine.jsonl holds no text: fill it, or take it out of the recipe."),
        ([GOOD | {"split": "dev"}], "", "No file of the recipe holds a text to learn from"),
        ([GOOD], ", topic_list: mine", "has `topic_list: mine` in the recipe, and no line names a topic"),
    ],
)
def test_files_that_teach_nothing_are_refused(bare, tmp_path, lines, more, sentence):
    assert sentence in check(bare, tmp_path, lines, more=more)[1]


def test_a_missing_file_is_named(bare, tmp_path):
    (tmp_path / "mine.yaml").write_text(FILE.format(more=""))
    said = bare("train", str(tmp_path), "--recipe", str(tmp_path / "mine.yaml"), "--check", code=1)[1]
    assert "mine.jsonl: No such file or directory. Every file of the recipe must lie in the data folder." in said


def test_labels_are_counted_per_file_split_and_axis(bare, tmp_path):
    lines = [
        GOOD,
        {"text": "fine", "sentiment": {"positive": 0.6, "neutral": 0.4}, "type": {"praise": 0.9, "complaint": 0.1}},
        {"text": "ok", "sentiment": "positive", "urgency": "low", "topics": ["price", "staff"], "split": "dev"},
        {"text": "Fine", "sentiment": "positive", "split": "dev"},
    ]
    found = json.loads(check(bare, tmp_path, lines, "--json", more=", topic_list: mine", code=0)[0])
    counts = {(one["split"], one["axis"]): (one["texts"], dict(one["labels"])) for one in found["counts"]}
    assert counts == {
        ("train", "sentiment"): (2, {"negative": 1, "positive": 1}),
        ("train", "type"): (1, {"praise": 1}),
        ("dev", "sentiment"): (2, {"positive": 2}),
        ("dev", "urgency"): (1, {"low": 1}),
        ("dev", "topics"): (1, {"price": 1, "staff": 1}),
    }
    assert found["notes"] == [
        "1 text of the dev split of mine.jsonl also stands in a train split: figures measured on them flatter."
    ]


def test_the_table_of_a_sound_course_names_every_file(bare, tmp_path):
    written(tmp_path)
    out, err = bare("train", str(tmp_path), "--recipe", str(tmp_path / "tiny.yaml"), "--check")
    assert err == ""
    assert {"answers.jsonl", "topics.jsonl"} <= set(out.split())
    assert out.splitlines()[-1] == "heed-tiny: 2 files can be used, 336 texts to learn from."


def test_the_recipe_of_the_shipped_model_can_be_followed(bare, tmp_path):
    said = bare("train", str(tmp_path), "--check", code=1)[1].splitlines()
    missing = [line for line in said if "Every file of the recipe must lie in the data folder." in line]
    assert missing
    assert [line for line in said if line not in missing and not line.startswith("Note:")] == []


def test_without_torch_the_command_says_what_brings_it(bare, tmp_path, monkeypatch):
    written(tmp_path)
    monkeypatch.setitem(sys.modules, "torch", None)  # where it is installed, too
    said = bare("train", str(tmp_path), "--recipe", str(tmp_path / "tiny.yaml"), code=1)[1]
    assert said.startswith("Training needs torch")
    assert "type `make train DATA=FOLDER`" in said


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ("name: [", "The recipe is not readable YAML: line 1, column 8: "),
        ("name: 2026-99-99", "The recipe is not readable YAML: a value is not what it seems to be: month must be in"),
        ("name: \udcff", "bad.yaml is not UTF-8 (at byte 6): save it as UTF-8."),
        (FILE.format(more="") + FILE.splitlines()[-1].format(more=""), "these are named twice: mine.jsonl"),
        (FILE.replace("mine.jsonl", '"\\0"').format(more=""), "Every file of the recipe must lie in the data folder."),
        ("name: mine\nversion: 1\nfiles: []", "The recipe needs correcting at files: "),
        (FILE.format(more=", colour: red"), "The recipe needs correcting at files.0.colour: "),
        ("name: mine\nversion: 1\nnumbers: {epochs: 0}\nfiles: [{file: a, source: b, licence: c}]", "numbers.epochs: "),
    ],
)
def test_a_bad_recipe_is_refused_with_the_place(bare, tmp_path, recipe, sentence):
    (tmp_path / "bad.yaml").write_text(recipe, encoding="utf-8", errors="surrogateescape")
    assert sentence in bare("train", str(tmp_path), "--recipe", str(tmp_path / "bad.yaml"), code=1)[1]
