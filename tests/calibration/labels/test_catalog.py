"""Every format: what is written is read again, in whatever file it comes, and nothing in a file does harm."""

import dataclasses
import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.labels.catalog import FORMATS, read_labels
from calibration.labels.label import InvalidLabels, Label

TOOLS = ["label-studio", "argilla", "doccano"]
ANA, BO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
HOSTILE = '</script><img src=x onerror=alert(1)> "quoted", \u202eesrever\u202c \u2028 \ufeff \n\r\n {{7*7}} =1+1 🙂'

LABELS = st.builds(
    Label,
    id=st.text("ab-1", min_size=1, max_size=3),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    axis=st.sampled_from(["topic", "sentiment"]),
    label=st.sampled_from(["price", "delivery, late", 'say "no"', "{}"]),
    probability=st.floats(0, 1),
    human=st.booleans(),
    rater=st.sampled_from([ANA, BO]),  # Argilla knows no others; the tests of each tool hold theirs
    pool=st.sampled_from(["audit", "targeted", None]),
    inclusion_probability=st.one_of(st.none(), st.floats(1e-6, 1)),
    blind=st.sampled_from([True, False, None]),
    source=st.sampled_from(["", "survey"]),
    language=st.sampled_from(["", "de"]),
    adjudicated=st.booleans(),
    tiebreak=st.booleans(),
)
ALIKE = st.builds(
    lambda id_, label, rater, human: Label(id_, f"text of {id_}", "topic", label, 0.5, human, rater=rater, blind=True),
    st.sampled_from(["r-1", "r-2"]),
    st.sampled_from(["price", "delivery"]),
    st.sampled_from([ANA, BO]),
    st.booleans(),
)

KEYS = st.one_of(
    st.sampled_from(["data", "meta", "heed", "annotations", "result", "value", "choices", "type", "completed_by"]),
    st.sampled_from(["text", "fields", "metadata", "responses", "labels", "label", "user_id", "status", "annotator"]),
    st.sampled_from(
        ["id", "axis", "probabilities", "pool", "inclusion_probability", "blind", "adjudicated", "tiebreak"]
    ),
)


@pytest.mark.parametrize("name", TOOLS)
@settings(max_examples=60, deadline=None)
@given(labels=st.one_of(st.lists(LABELS, min_size=1, max_size=6), st.lists(ALIKE, min_size=1, max_size=12)))
def test_what_a_tool_is_given_comes_back(name, labels):
    raw = FORMATS[name].write(labels)

    assert Counter(read_labels(raw)) == Counter(labels)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_recognised_by_what_it_holds(name):
    raw = FORMATS[name].write([Label("r-1", "Late", "topic", "delivery", 0.9, True, rater=ANA)])

    assert [one for one, known in FORMATS.items() if known.recognises(raw)] == [name]
    assert read_labels(raw)[0].human


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("text", [HOSTILE, "a\u0301" * 500_000])
def test_hostile_text_survives_unchanged(name, text):
    label = Label(HOSTILE, text, HOSTILE, HOSTILE, 0.9, True, rater=ANA, source=HOSTILE, language=HOSTILE)

    assert read_labels(FORMATS[name].write([label])) == [label]


@pytest.mark.parametrize("name", TOOLS)
def test_what_is_not_sure_is_asked_again(name):
    sure = Label("r-1", "Late", "topic", "delivery", 0.9, True, rater=ANA)
    unsure = dataclasses.replace(sure, label="price", human=None)

    assert read_labels(FORMATS[name].write([sure, unsure])) == [sure]


@pytest.mark.parametrize("name", TOOLS)
def test_a_file_that_nobody_has_answered_says_so(name):
    raw = FORMATS[name].write([Label("r-1", "Late", "topic", "delivery", 0.9, None)])

    with pytest.raises(InvalidLabels, match="file: holds tasks, and nobody has answered one yet"):
        read_labels(raw)


@pytest.mark.parametrize("name", TOOLS)
def test_raters_who_were_asked_the_same_share_a_task(name):
    labels = [
        Label("r-1", "Late", "topic", label, 0.5, label == "price", rater=rater)
        for rater in (ANA, BO)
        for label in ("price", "delivery")
    ]

    assert FORMATS[name].write(labels).count(b'"Late"') == (2 if name == "doccano" else 1)  # doccano: a line each


@pytest.mark.parametrize("name", TOOLS)
def test_a_label_that_means_none_of_them_is_refused(name):
    with pytest.raises(InvalidLabels, match="row 1, column label: must not be 'none of these'"):
        FORMATS[name].write([Label("r-1", "Late", "topic", "none of these", 0.9, True, rater=ANA)])


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("probability", [float("nan"), float("inf")])
def test_what_is_no_json_is_not_written(name, probability):
    with pytest.raises(ValueError, match="not JSON compliant"):
        FORMATS[name].write([Label("r-1", "Late", "topic", "price", probability, True, rater=ANA)])


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"PK\x03\x04\x00", "file: is a ZIP: unpack it and read its files one by one"),
        (b"[]", "file: holds no tasks"),
        (b"[ ", "row 1: is no readable JSON: Expecting value"),
        (b"[{}]", "file: is JSON, but of no tool known here (CSV, Label Studio JSON, Argilla JSON, doccano JSONL)"),
        (b'{"a": 1}\n{"b": }', "row 2: is no readable JSON: Expecting value (character 7)"),
        (b"[" * 100_000, "row 1: is nested too deeply"),
        (b'{"a":' * 100_000, "row 1: is nested too deeply"),
        (b'[{"text": "caf\xe9"}]', "file: is not UTF-8 from byte 15, line 1, on: save it as UTF-8"),
        (b"", "row 1: the header lacks id, text"),
        ('{"text": "a"}'.encode("utf-16"), "row 1: is not UTF-8"),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(raw, said):
    with pytest.raises(InvalidLabels) as refused:
        read_labels(raw)

    assert str(refused.value).startswith(said)


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                KEYS,
                inner,
                max_size=4,
            ),
        ),
        max_leaves=20,
    )
)
def test_whatever_json_it_is_labels_or_a_refusal_come_out(value):
    raw = json.dumps([value]).encode()

    for one in FORMATS.values():
        try:
            assert one.read(raw)
        except InvalidLabels as refused:
            assert refused.faults  # noqa: PT017 - either outcome is right, any other exception is not
