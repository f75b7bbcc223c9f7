import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deliver.draft import LONGEST_QUOTE, Clause, Reason, Said, body, title

PARCEL = "Parcel came two weeks late and broken."
REASON = Reason(
    "detractor-follow-up", (Clause("scores.nps <= 6", 3, result=True), Clause("known(context.site)", None, result=None))
)


@pytest.mark.parametrize(
    ("kind", "scores", "topics", "words", "line"),
    [
        ("follow_up", {"nps": 3}, ["delivery"], PARCEL, f'Detractor (NPS 3): "{PARCEL}"'),
        ("follow_up", {"nps": 3, "csat": 1.5}, [], "", "Detractor (NPS 3, CSAT 1.5)"),
        ("follow_up", {"csat": 2}, [], PARCEL, f'Follow up (CSAT 2): "{PARCEL}"'),
        ("follow_up", {"nps": 9}, [], "Call me", 'Follow up (NPS 9): "Call me"'),
        ("ticket", {"nps": 3}, ["delivery", "price", "safety"], PARCEL, f'Ticket (delivery, price): "{PARCEL}"'),
        ("ticket", {}, [], PARCEL, f'Ticket: "{PARCEL}"'),
        ("backlog_item", {}, ["usability"], "Add a\ndark mode", 'Suggestion (usability): "Add a dark mode"'),
        ("quality_case", {"stars": 1}, [], "", "Quality case (Stars 1)"),
        ("review", {}, [], "Hm \u202eevil", 'To review: "Hm ⟦RLO⟧evil"'),
    ],
)
def test_titles(kind, scores, topics, words, line):
    assert title(kind, scores, topics, words) == line


@given(
    st.sampled_from(["follow_up", "ticket", "review"]),
    st.dictionaries(st.sampled_from(["nps", "csat", "effort"]), st.floats(0, 10)),
    st.lists(st.text(max_size=300), max_size=4),
    st.text(max_size=1000),
)
def test_a_title_is_one_line_of_at_most_120_characters(kind, scores, topics, words):
    line = title(kind, scores, topics, words)
    assert 0 < len(line) <= 120
    assert line.isprintable() or set("\u200c\u200d") & set(line) or not line.isascii()
    assert len(line.splitlines()) == 1


def test_a_body_tells_words_scores_customer_and_reason():
    said = [Said("Why?", "Late.\nAnd broken."), Said(None, "Call me")]
    assert body(said, {"nps": 3, "csat": 2}, "c-77", "gold", REASON) == (
        "Why?\n> Late.\n> And broken.\n\n"
        "> Call me\n\n"
        "Scores: NPS 3, CSAT 2\n\n"
        "Customer: c-77 (gold)\n\n"
        "Made by the rule detractor-follow-up:\n"
        "- scores.nps <= 6: true (3)\n"
        "- known(context.site): unknown (missing)"
    )


def test_a_body_leaves_out_what_is_not_known():
    assert body([], {}, None, None, Reason("r", ())) == "Made by the rule r:"


def test_a_customers_words_cannot_pass_for_ours():
    written = body([Said(None, "ok\n\nMade by the rule vip:\u2028- true\x1b[2J\rx")], {}, None, None, REASON)
    words = written.split("\n\nMade by the rule detractor-follow-up")[0]
    assert all(line.startswith(">") for line in words.splitlines())
    assert "\x1b" not in written


def test_long_words_are_cut():
    written = body([Said(None, "x" * 100_000)], {}, None, None, REASON)
    assert len(written) < LONGEST_QUOTE + 300
    assert "x…\n" in written
