import pytest

from models.encoder.heed_en import SHIPPED
from models.encoder.highlights import MOST_WORDS, highlights
from models.encoder.session import Encoder
from models.encoder.weights import open_weights


class Counted(Encoder):
    """Counts what an explanation costs."""

    runs = 0

    def run(self, *given):
        self.runs += 1
        return super().run(*given)


@pytest.fixture(scope="module")
def encoder():
    return Counted(open_weights(SHIPPED))


def test_the_words_that_made_it_negative(encoder):
    text = "😀 The staff were friendly but the waiting room was filthy."
    found = highlights(encoder, text, "How was it?", "sentiment", "negative")
    worth = {text[one.start : one.end]: one.weight for one in found}
    assert list(worth) == ["😀", "The", "staff", "were", "friendly", "but", "the", "waiting", "room", "was", "filthy"]
    assert max(worth, key=worth.get) == "filthy"
    assert worth["friendly"] < 0
    assert worth["friendly"] < 0 < worth["filthy"]


def test_labels_of_two_sides_pull_apart(encoder):
    text = "The room was filthy."
    bad, good = (highlights(encoder, text, None, "sentiment", side)[-1].weight for side in ("negative", "positive"))
    assert good < 0 < bad


@pytest.mark.parametrize(
    ("axis", "label"), [("type", "suggestion"), ("urgency", "low"), ("urgency", "normal"), ("urgency", "high")]
)
def test_every_other_axis_of_the_heads(encoder, axis, label):
    text = "Please mend the gas leak"
    assert [one.start for one in highlights(encoder, text, None, axis, label)] == [0, 7, 12, 16, 20]


def test_n_words_cost_n_plus_one_runs(encoder):
    before = encoder.runs
    assert len(highlights(encoder, "Slow and rude.", None, "type", "complaint")) == 3
    assert encoder.runs - before == 4


def test_a_long_text_is_explained_by_the_words_that_lean_most(encoder):
    text = "we went there on a day in may " * 40 + "and it was terrible"
    before = encoder.runs
    found = highlights(encoder, "terrible " + text, None, "sentiment", "negative")
    assert len(found) == MOST_WORDS == encoder.runs - before - 1
    assert found[0].start == 0
    assert [one.start for one in found] == sorted(one.start for one in found)


@pytest.mark.parametrize("text", ["", "...", "\n"])
def test_without_words_there_is_nothing_to_show(encoder, text):
    assert highlights(encoder, text, None, "sentiment", "positive") == []


@pytest.mark.parametrize(("axis", "label"), [("sentiment", "angry"), ("type", "low"), ("topic", "price")])
def test_an_unknown_label(encoder, axis, label):
    with pytest.raises(ValueError, match="no label"):
        highlights(encoder, "Fine.", None, axis, label)
