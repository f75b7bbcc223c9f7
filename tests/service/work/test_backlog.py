"""The weight of a backlog item: a table, and what must hold for any voices."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.work.backlog import Voice, Weight, weigh

VOICES = st.lists(
    st.builds(
        Voice,
        customer=st.none() | st.sampled_from(["c-1", "c-2", "c-3"]),
        account_value=st.none() | st.floats(-1e15, 1e15),
    )
)


@pytest.mark.parametrize(
    ("voices", "weight"),
    [
        ([], Weight(0, 0)),
        ([Voice(None, None)], Weight(1, 0)),
        ([Voice(None, None), Voice(None, 500)], Weight(2, 500)),
        ([Voice("c-1", 1_000), Voice("c-1", 9_000)], Weight(1, 9_000)),  # the newest value
        ([Voice("c-1", 9_000), Voice("c-1", None)], Weight(1, 9_000)),  # the newest that is known
        ([Voice("c-1", 1_000), Voice("c-2", 2_000)], Weight(2, 3_000)),
        ([Voice("c-1", -5_000)], Weight(1, 0)),
    ],
)
def test_weights(voices, weight):
    assert weigh(voices) == weight


@pytest.mark.parametrize(
    ("weight", "score"), [((0, 0), 0), ((1, 0), 1), ((1, 9_000), 2), ((3, 0), 3), ((3, 99_000), 9)]
)
def test_scores(weight, score):
    assert Weight(*weight).score == pytest.approx(score)


@given(VOICES)
def test_one_more_voice_never_weighs_less(voices):
    before, after = weigh(voices), weigh([*voices, Voice(None, None)])
    assert math.isfinite(before.score)
    assert after.voices == before.voices + 1
    assert after.score > before.score
    assert before.voices <= len(voices)
