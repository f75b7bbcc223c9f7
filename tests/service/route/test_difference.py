"""What differs between two policies: field by field, and in sentences that a product person would say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.route.difference import difference
from service.route.policy_document import check

BASE = """\
name: store
review: triage
fields: {context.site: text}
thresholds:
  negative: {axis: sentiment, label: negative, promise: {precision: 0.9, confidence: 0.95}, uncertified: 0.8}
rules:
  - name: low
    when: scores.nps <= 6 or scores.csat <= 2
    then: {create: follow_up, mandatory: true, sla: soon, assign: regional, priority: high, deliver: [desk]}
  - name: angry
    when: sentiment.negative >= threshold("negative")
    then: {create: ticket, tags: topics, sla: standard}
  - name: idea
    when: type.suggestion >= 0.6
    then: {create: backlog_item}
slas:
  soon: {acknowledge: 4h, resolve: 2d}
  standard: {resolve: 5d}
groups:
  regional: {by: customer.region, emea: {people: [ana, jan]}, default: triage}
  triage: {people: [sam]}
examples:
  - {name: a low score, record: {scores: {nps: 3}}, creates: [follow_up]}
"""
FIRST_RULE = BASE.index("  - name: low")
SECOND_RULE, THIRD_RULE, SLAS = (BASE.index(word) for word in ("  - name: angry", "  - name: idea", "slas:"))

ASKS_FOR_MORE = (
    "The rule idea now asks whether the text makes a suggestion (at least 70 % sure), instead of whether the text "
    "makes a suggestion (at least 60 % sure)."
)
BOTH_NOT_ONE = (
    "The rule low now fires when NPS is 6 or less, and satisfaction is 2 or less; before, when NPS is 6 or less, or "
    "satisfaction is 2 or less."
)
JOINS = (
    "What the rule angry makes may now join others. Where there is an open one of the same customer about the same "
    "topic that is at most 14 days old, the answer joins that instead."
)


def policy(document: str):
    return check(document, ["delivery"]).policy


def changed(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)


@pytest.mark.parametrize(
    ("after", "place", "fields", "sentence"),
    [
        (
            changed("nps <= 6", "nps <= 7"),
            ("rules", "low", "changed"),
            [("when", "scores.nps <= 6 or scores.csat <= 2", "scores.nps <= 7 or scores.csat <= 2")],
            "The rule low now fires at NPS 7 or less instead of 6 or less.",
        ),
        (
            changed("or scores.csat <= 2", "or scores.csat <= 2 or scores.stars <= 1"),
            ("rules", "low", "changed"),
            None,
            "The rule low now also fires when the number of stars is 1 or less.",
        ),
        (
            changed(" or scores.csat <= 2", ""),
            ("rules", "low", "changed"),
            None,
            "The rule low no longer fires when satisfaction is 2 or less.",
        ),
        (
            changed("type.suggestion >= 0.6", "type.suggestion >= 0.6 and known(context.site)"),
            ("rules", "idea", "changed"),
            None,
            "The rule idea now also asks that site is known.",
        ),
        (
            changed("type.suggestion >= 0.6", "type.suggestion >= 0.7"),
            ("rules", "idea", "changed"),
            None,
            ASKS_FOR_MORE,
        ),
        (
            changed("nps <= 6 or scores.csat <= 2", "nps <= 6 and scores.csat <= 2"),
            ("rules", "low", "changed"),
            None,
            BOTH_NOT_ONE,
        ),
        (
            changed("priority: high", "priority: urgent"),
            ("rules", "low", "changed"),
            [("then.priority", "high", "urgent")],
            "What the rule low makes has the priority urgent instead of high.",
        ),
        (
            changed(", deliver: [desk]", ""),
            ("rules", "low", "changed"),
            [("then.deliver", "desk", None)],
            "What the rule low makes is no longer sent to desk.",
        ),
        (
            changed("tags: topics,", "tags: topics, join: 14d,"),
            ("rules", "angry", "changed"),
            [("then.join", None, "14d")],
            JOINS,
        ),
        (
            BASE[:THIRD_RULE] + BASE[SLAS:],
            ("rules", "idea", "removed"),
            None,
            "The rule idea is gone; it made an idea, when the text makes a suggestion (at least 60 % sure).",
        ),
        (
            BASE[:FIRST_RULE] + BASE[SECOND_RULE:SLAS] + BASE[FIRST_RULE:SECOND_RULE] + BASE[SLAS:],
            ("rules", "low", "moved"),
            [("place", "1", "3")],
            "The rule low is now looked at as the last.",
        ),
        (
            changed("resolve: 5d", "resolve: 3d"),
            ("slas", "standard", "changed"),
            [("resolve", "5d", "3d")],
            "Tickets of standard are due in 3 days instead of 5.",
        ),
        (
            changed("acknowledge: 4h, ", ""),
            ("slas", "soon", "changed"),
            [("acknowledge", "4h", None)],
            "Follow-ups of soon have no time to be acknowledged in any more.",
        ),
        (
            changed("people: [ana, jan]", "people: [ana]"),
            ("groups", "regional", "changed"),
            [("values.emea.people", "ana, jan", "ana")],
            "In the group regional, where the customer's region is emea, it is now ana instead of ana and jan.",
        ),
        (
            changed("uncertified: 0.8", "uncertified: 0.7"),
            ("thresholds", "negative", "changed"),
            [("uncertified", "0.8", "0.7")],
            "Without a certificate negative now counts from 70 % on instead of 80 %.",
        ),
        (
            changed("review: triage\n", ""),
            ("policy", "review", "changed"),
            [("review", "triage", None)],
            "What the reading of a text leaves open no longer goes to triage: it has no owner until somebody takes it.",
        ),
        (
            changed("creates: [follow_up]", "creates: []"),
            ("examples", "a low score", "changed"),
            [("creates", "follow_up", None)],
            "The example a low score must now make nothing instead of a follow-up.",
        ),
        (
            changed("context.site: text", "context.site: text, context.lot: number"),
            ("fields", "context.lot", "added"),
            [("type", None, "number")],
            "Rules may now look at context.lot, a number.",
        ),
    ],
)
def test_one_change_in_fields_and_in_words(after, place, fields, sentence):
    (change,) = difference(policy(BASE), policy(after)).changes
    assert (change.section, change.name, change.kind) == place
    if fields is not None:
        assert [(one.field, one.before, one.after) for one in change.fields] == fields
    assert change.sentences == (sentence,)


def test_how_a_document_is_laid_out_is_no_difference():
    assert difference(policy(BASE), policy("# a note\n" + changed("nps <= 6 or", "nps<=6   or"))).changes == ()


@given(st.permutations(["low", "angry", "idea"]), st.sampled_from(["7", "3"]), st.booleans())
def test_every_difference_is_said_and_nothing_else(order, limit, cut):
    parts = {"low": BASE[FIRST_RULE:SECOND_RULE], "angry": BASE[SECOND_RULE:THIRD_RULE], "idea": BASE[THIRD_RULE:SLAS]}
    kept = order[: 2 if cut else 3]
    document = BASE[:FIRST_RULE] + "".join(parts[name] for name in kept) + BASE[SLAS:]
    before, after = policy(BASE), policy(document.replace("nps <= 6", f"nps <= {limit}"))
    for old, new in ((before, after), (after, before)):
        found = difference(old, new)
        assert bool(found.changes) is (old != new)
        assert all(change.sentences for change in found.changes)
        assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in found.sentences)
