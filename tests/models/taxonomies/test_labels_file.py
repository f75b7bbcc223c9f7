"""A file of labelled texts."""

import pytest
from topics_of_a_shop import SHOP

from models.prediction import Verbatim
from models.taxonomies.fitting import Labelled
from models.taxonomies.labels_file import BadLabels, read_labels


def test_lines_become_labelled_texts_by_split():
    content = (
        b'\xef\xbb\xbf{"text": "late", "topics": ["delivery"], "question": "Why?"}\n\n'
        b'{"text": "fine", "topics": [], "split": "dev", "question": ""}\r\n'
    )
    assert read_labels(content, "l", SHOP) == {
        None: [Labelled(Verbatim("late", "Why?"), frozenset({"delivery"}))],
        "dev": [Labelled(Verbatim("fine"), frozenset())],
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("late", "line 2: not a JSON object"),
        ("[]", "line 2: not a JSON object"),
        ("\udcff", "line 2: not a JSON object"),
        ('{"text": "late"}', "line 2: 'topics' is missing"),
        ('{"topics": []}', "line 2: 'text'"),
        ('{"text": "", "topics": []}', "line 2: 'text'"),
        ('{"text": "late", "topics": "delivery"}', "line 2: 'topics'"),
        ('{"text": "late", "topics": [1]}', "line 2: 'topics.0'"),
        ('{"text": "late", "topics": [], "label": 1}', "line 2: 'label' is no field"),
        ('{"text": "late", "topics": ["delivry"]}', "line 2: no version of the taxonomy has the topic 'delivry'"),
    ],
)
def test_a_bad_line_is_named(line, told):
    content = b'{"text": "x", "topics": []}\n' + line.encode(errors="surrogateescape")
    with pytest.raises(BadLabels, match=f"l.jsonl, {told}"):
        read_labels(content, "l.jsonl", SHOP)


def test_every_bad_line_up_to_twenty():
    with pytest.raises(BadLabels) as told:
        read_labels(b"x\n" * 25, "l", SHOP)
    assert str(told.value).count("line") >= 20
    assert str(told.value).endswith("... and 5 more.")


def test_an_empty_file():
    with pytest.raises(BadLabels, match="holds no labelled text"):
        read_labels(b"\n", "l", SHOP)
