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
            "In the group regional, where the customer's region is emea: jan may get no more items.",
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


OWNED = """\
name: store
review: first
fallback: second
fields: {context.site: text, customer.attributes.site: text}
rules:
  - name: a
    when: scores.nps <= 6 and known(context.site)
    then: {create: ticket, mandatory: true, sla: soon, join: 14d, key: [context.site]}
bypass:
  - {name: big, when: customer.account_value >= 5, to: mia, quota: 5, reason: Big.}
slas:
  soon:
    calendar: week
    acknowledge: 1h
    hand_off: 2h
    tiers: {gold: {acknowledge: 30m}}
    escalate: [{after: 2h, to: owner.manager}, {after: 1d, to: second}]
calendars:
  week: {zone: Europe/Warsaw, hours: {mon-fri: ["09:00-17:00"]}, holidays: PL}
groups:
  first: {people: [ana, jan], capacity: 25, manager: eva, skills: {delivery: [jan]}}
  second: {people: [sam]}
examples:
  - {name: low, record: {scores: {nps: 3}}, creates: []}
"""
MANAGER = "2 working hours after a target was missed the owner's manager is told"
UNLESS = "unless it was met after all"
TOLD = f"{MANAGER}, {UNLESS}"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("scores.nps <= 6 and", "6 >= scores.nps and", "The rule a asks the same, written in another order."),
        (
            "known(context.site)",
            "known(customer.attributes.site)",
            "The rule a now asks whether known(customer.attributes.site), instead of whether known(context.site).",
        ),
        (
            "mandatory: true, ",
            "",
            "What the rule a makes can now be closed without a contact attempt, an outcome and a root cause.",
        ),
        (
            "join: 14d",
            "join: 7d",
            (
                "What the rule a makes joins others in another way now. Where there is an open one with the same site "
                "that is at most 7 days old, the answer joins that instead."
            ),
        ),
        ("quota: 5", "quota: 3", "The bypass big takes at most 3 items a day instead of 5."),
        (
            "    tiers: {gold: {acknowledge: 30m}}\n",
            "",
            (
                "Tickets of soon for customers of the tier gold have no time of their own to be acknowledged in any "
                "more: what is said for all of them counts."
            ),
        ),
        ("hand_off: 2h", "hand_off: 3h", "A hand-off under soon must be accepted within 3 working hours instead of 2."),
        (
            "    calendar: week\n",
            "",
            "The clock of soon now runs day and night instead of in the working hours of the calendar week.",
        ),
        (
            "to: owner.manager",
            "to: owner.manager, any_hour: true",
            f"Level 1 under soon is now: {MANAGER}, also outside their own hours, {UNLESS}. Before: {TOLD}.",
        ),
        (
            ", {after: 1d, to: second}",
            "",
            (
                "Level 2 of the escalation under soon is gone: 1 working day after a target was missed the group "
                f"second is told, {UNLESS}."
            ),
        ),
        (
            "mon-fri",
            "tue",
            "The hours of the calendar week are now Tuesday 09:00-17:00 instead of Monday to Friday 09:00-17:00.",
        ),
        (", holidays: PL", "", "In the calendar week no public holidays are free now."),
        ("capacity: 25", "capacity: 20", "In the group first: each may now have at most 20 open items instead of 25."),
        ("manager: eva, ", "", "In the group first: the manager is no longer eva."),
        ("delivery: [jan]", "delivery: [ana]", "In the group first: delivery is now for ana instead of jan."),
        (
            "[ana, jan]",
            "[jan, ana]",
            "In the group first: of those with as few items, the first of jan, ana now gets the next.",
        ),
        ("fallback: second\n", "", "What nobody else can take no longer goes to second: it goes to first."),
        ("nps: 3", "nps: 4", "The example low is now an answer with NPS 4 instead of an answer with NPS 3."),
        (
            "bypass:",
            "  - {name: b, when: scores.stars <= 2, then: {create: follow_up}}\nbypass:",
            "New rule b, asked after a: When the number of stars is 2 or less: a follow-up.",
        ),
    ],
)
def test_one_change_in_a_sentence(old, new, sentence):
    assert old in OWNED
    assert difference(policy(OWNED), policy(OWNED.replace(old, new, 1))).sentences == (sentence,)


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
