"""Policy documents: what is accepted, and every mistake with its place."""

import json
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import service.route
from service.route.canonical import canonical
from service.route.case import Case, Customer
from service.route.clocks import Duration
from service.route.findings import InvalidPolicy
from service.route.policy import Policy, members
from service.route.policy_document import check
from service.route.public_holidays import workdays_in_ten_years
from service.route.versions import digest_of

TOPICS = ["billing", "delivery", "product quality"]
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DEFAULT = (Path(service.route.__file__).parent / "default_policy.yaml").read_bytes()

FULL = """\
name: default
review: triage
fields: {context.site: text, context.lot: text}
thresholds:
  negative: {axis: sentiment, label: negative, promise: {precision: 0.90, confidence: 0.95}, uncertified: 0.80}
rules:
  - name: detractor-follow-up
    when: scores.nps <= 6 or scores.csat <= 2
    then: {create: follow_up, mandatory: true, sla: detractor, assign: regional, priority: high}
  - name: negative-text-ticket
    when: sentiment.negative >= threshold("negative")
    then: {create: ticket, sla: standard, assign: regional, deliver: [helpdesk], tags: topics}
  - name: product-suggestion
    when: type.suggestion >= 0.6 and not urgency.high >= 0.5
    then: {create: backlog_item, tags: topics}
  - name: site-defect
    when: topic("product quality") >= 0.5 and known(context.site)
    then: {create: quality_case, key: [context.site, context.lot]}
slas:
  detractor: {calendar: emea, acknowledge: 4h, resolve: 2d,
    escalate: [{after: 4h, to: owner.manager}, {after: 1d, to: directors}]}
  standard: {calendar: always, resolve: 5d}
calendars: {emea: {zone: Europe/Warsaw, hours: {mon-fri: ["09:00-12:30", "13:00-17:00"]}, holidays: PL}}
groups:
  regional: {by: customer.region, emea: {people: [ana, jan], capacity: 25, manager: eva}, default: triage}
  triage: {people: [sam]}
  directors: {people: [mia]}
"""


def errors_of(document):
    with pytest.raises(InvalidPolicy) as caught:
        check(document, TOPICS)
    return caught.value.errors


def rule(when="true", then="{create: ticket}", more=""):
    fields = "{context.site: text, context.n: number}"
    return f"name: p\nfields: {fields}\n{more}rules:\n  - name: r\n    when: {when}\n    then: {then}\n"


def test_what_the_author_should_know_is_a_warning():
    warnings = check(FULL, TOPICS).warnings

    assert [(warning.line, warning.detail.split(":")[0]) for warning in warnings] == [
        (5, "threshold negative is uncertified"),
    ]
    assert "at least 29 blind labels" in warnings[0].detail


def test_everything_of_the_document_is_in_the_policy():
    policy = check(FULL, TOPICS).policy
    ticket = policy.rules[1].then

    assert [found.name for found in policy.rules] == [
        "detractor-follow-up",
        "negative-text-ticket",
        "product-suggestion",
        "site-defect",
    ]
    assert (ticket.create, ticket.sla, ticket.assign, ticket.deliver, ticket.tags) == (
        "ticket",
        "standard",
        "regional",
        ("helpdesk",),
        "topics",
    )
    assert policy.slas["detractor"].targets("ticket", "gold") == {
        "acknowledge": Duration.from_text("4h"),
        "resolve": Duration.from_text("2d"),
    }
    assert policy.slas["detractor"].escalate[1].to == "directors"
    assert {day: len(hours) for day, hours in policy.calendars["emea"].hours.items()} == dict.fromkeys(
        ["mon", "tue", "wed", "thu", "fri"], 2
    )
    assert policy.thresholds["negative"].promise.labels_needed() == 29


def test_the_default_policy_needs_nothing_from_outside():
    checked = check(DEFAULT, TOPICS)

    assert [found.name for found in checked.policy.rules] == [found.name for found in check(FULL, TOPICS).policy.rules]
    assert [found.when for found in checked.policy.rules] == [found.when for found in check(FULL, TOPICS).policy.rules]
    assert len(checked.warnings) == 1
    assert (checked.policy.groups, checked.policy.slas, checked.policy.calendars, checked.policy.review) == (
        {},
        {},
        {},
        None,
    )
    assert not [found for found in checked.policy.rules if found.then.assign or found.then.deliver or found.then.sla]


@pytest.mark.parametrize("document", [DEFAULT, FULL])
def test_a_policy_is_rebuilt_from_its_canonical_form(document):
    policy = check(document, TOPICS).policy
    stored = canonical(policy.canonical)

    assert Policy.from_canonical(json.loads(stored)) == policy
    assert canonical(Policy.from_canonical(json.loads(stored)).canonical) == stored


def test_json_is_yaml_with_tabs_and_escapes():
    document = json.dumps(
        {"name": "é😀", "rules": [{"name": "r", "when": 'source == "a\\tb"', "then": {"create": "ticket"}}]},
        indent="\t",
    )

    assert check(document, TOPICS).policy.name == "é😀"


def test_scalars_are_read_as_yaml_1_2():
    document = rule(
        more="groups: {g: {by: customer.region, NO: {people: [no]}, 12:30: {people: [yes]}, default: {people: [x]}}}\n"
    )
    policy = check(document, TOPICS).policy

    def people(region):
        return members(policy, "g", Case("s", NOW, customer=Customer(region=region))).people

    assert [people(region) for region in ("NO", "12:30", "SE", None)] == [("no",), ("yes",), ("x",), ("x",)]


def test_groups_lead_to_groups():
    more = textwrap.dedent("""\
        groups:
          a: {by: customer.region, emea: b, default: c}
          b: {by: context.site, lodz: {people: [ana, jan]}, default: c}
          c: {people: [sam]}
        """)
    policy = check(rule(more=more), TOPICS).policy
    emea = Customer(region="emea")

    at_lodz = members(policy, "a", Case("s", NOW, customer=emea, context={"site": "lodz"}))
    assert at_lodz.people == ("ana", "jan")
    assert members(policy, "a", Case("s", NOW, customer=emea, context={"site": 5})).people == ("sam",)
    assert members(policy, "a", Case("s", NOW)).people == ("sam",)
    assert members(policy, "gone", Case("s", NOW)) is None


@pytest.mark.parametrize(
    ("document", "word", "detail", "suggestion"),
    [
        (rule("score.nps <= 6"), "score.nps", "no field", "did you mean scores.nps?"),
        (rule("'source == ''a'' and scores.npss > 1'"), "scores.npss", "no field", "did you mean scores.nps?"),
        (rule(r'"topic(\"delivry\") > 0.5"'), r"\"delivry", "not defined", "did you mean delivery?"),
        (
            rule(">-\n      scores.nps <= 6\n      or scores.cst < 3"),
            "scores.cst",
            "no field",
            "did you mean scores.csat?",
        ),
        (rule("|\n      scores.nps <= 6\n\n      or scores.cst < 3\n"), "scores.cst", "no field", None),
        (rule("scores.nps <= 6\n      or scores.cst < 3"), "scores.cst", "no field", None),
        (rule("context.lot == 'x'"), "context.lot", "not declared", "declare it"),
        (rule("5"), "5", "a number alone", None),
        (rule("[true]"), "[true]", "one value", None),
        (rule(then="{create: review}"), "review", "made by heed itself", None),
        (rule(then="{create: tickets}"), "tickets", "create is one of", "did you mean ticket?"),
        (rule(then="{mandatory: true}"), "{mandatory", "create is missing", None),
        (rule(then="{create: ticket, mandatory: yes}"), "yes", "true or false", None),
        (rule(then="{create: ticket, priority: hgih}"), "hgih", "priority is one of", "did you mean high?"),
        (rule(then="{create: ticket, sla: std}", more="slas: {stdd: {resolve: 1d}}\n"), "std}", "not defined", "stdd"),
        (rule(then="{create: ticket, assign: x}"), "x}", "group x is not defined", None),
        (rule(then="{create: ticket, tags: topic}"), "topic}", "tags are", "did you mean topics?"),
        (rule(then="{create: ticket, tags: [1]}"), "1]", "a text", "quotes"),
        (rule(then="{create: ticket, deliver: [a, a]}"), "a]", "twice", None),
        (
            rule(then="{create: ticket, key: [context.sit]}"),
            "context.sit]",
            "not declared",
            "did you mean context.site?",
        ),
        (rule(then="{create: ticket, asign: x}"), "asign", "not known here", "did you mean assign?"),
        (rule(then="ticket"), "ticket", "a mapping", None),
        (rule() + "  - {name: r, when: 'true', then: {create: ticket}}\n", "r, when", "two rules named r", None),
        (rule() + "  - 5\n", "5", "a rule is a mapping", None),
        (rule() + "name: q\n", "name: q", "written twice", None),
        (rule(more="review: x\n"), "x\n", "group x is not defined", None),
        (rule(more="feilds: {}\n"), "feilds", "not known here", "did you mean fields?"),
        (rule().replace("context.n: number", "context.n: int"), "int", "text, number or boolean", None),
        (rule().replace("context.n:", "scores.nps:"), "scores.nps:", "always there", None),
        (rule().replace("context.n:", "site:"), "site: number", "only context.X", None),
        (rule().replace("context.n:", "context.a-b:"), "context.a-b", "cannot spell a-b", None),
        (rule().replace("context.n:", "context.class:"), "context.class", "cannot spell class", None),
        (
            rule(more="thresholds: {t: {axis: sentiment, label: negativ}}\n"),
            "negativ",
            "no label",
            "did you mean negative?",
        ),
        (
            rule(more="thresholds: {t: {axis: topic, label: delivry}}\n"),
            "delivry",
            "no label",
            "did you mean delivery?",
        ),
        (rule(more="thresholds: {t: {axis: mood, label: x}}\n"), "mood", "axis is one of", None),
        (rule(more="thresholds: {t: {axis: type, label: praise, uncertified: 80}}\n"), "80", "from 0 to 1", None),
        (
            rule(more="thresholds: {t: {axis: type, label: praise, promise: {precision: 1, confidence: 0.9}}}\n"),
            "1, conf",
            "precision must",
            None,
        ),
        (
            rule(more="thresholds: {t: {axis: type, label: praise, promise: {precision: .9}}}\n"),
            "{precision",
            "confidence is missing",
            None,
        ),
        (rule(more="slas: {s: {calendar: emae, resolve: 1d}}\n"), "emae", "calendar emae is not defined", None),
        (rule(more="slas: {s: {}}\n"), "s: {}", "no target", None),
        (rule(more="slas: {s: {resolve: 5 days}}\n"), "5 days", "a duration is", None),
        (rule(more="slas: {s: {resolve: 9999999d}}\n"), "9999999d", "at most 3650d", None),
        (
            rule(more="slas: {s: {resolve: 1d, escalate: [{after: 1h, to: bos}]}}\ngroups: {boss: {people: [a]}}\n"),
            "bos}",
            "not defined",
            "boss",
        ),
        (rule(more="calendars: {always: {zone: UTC, hours: {mon: ['09:00-10:00']}}}\n"), "always", "built in", None),
        (
            rule(more="calendars: {c: {zone: Europe/Warsav, hours: {mon: ['09:00-10:00']}}}\n"),
            "Europe/Warsav",
            "no time zone",
            None,
        ),
        (
            rule(more="calendars: {c: {zone: ../../etc/passwd, hours: {mon: ['09:00-10:00']}}}\n"),
            "../..",
            "no time zone",
            None,
        ),
        (
            rule(more="calendars: {c: {zone: UTC, hours: {mon-wed: ['09:00-12:00'], tue: ['11:00-13:00']}}}\n"),
            "'11:00",
            "overlap with others on tue",
            None,
        ),
        (
            rule(more="calendars: {c: {zone: UTC, hours: {mon: ['22:00-06:00']}}}\n"),
            "'22:00",
            "end before they begin",
            None,
        ),
        (rule(more="calendars: {c: {zone: UTC, hours: {mon: ['9-12']}}}\n"), "'9-12'", "written as 09:00-12:30", None),
        (
            rule(more="calendars: {c: {zone: UTC, hours: {fri-mon: ['09:00-12:00']}}}\n"),
            "fri-mon",
            "runs backwards",
            None,
        ),
        (rule(more="calendars: {c: {zone: UTC, hours: {moon: ['09:00-12:00']}}}\n"), "moon", "days are mon", None),
        (
            rule(more="calendars: {c: {zone: UTC, hours: {mon: ['09:00-12:00']}, holidays: Poland}}\n"),
            "Poland",
            "a country",
            None,
        ),
        (rule(more="groups: {a: b, b: c, c: a}\n"), "a: b", "in a circle", None),
        (rule(more="groups: {a: {by: customer.region, default: a}}\n"), "a: {by", "in a circle", None),
        (rule(more="groups: {a: {by: customer.region, x: {people: [p]}}}\n"), "{by", "default is missing", None),
        (
            rule(more="groups: {a: {by: context.n, default: {people: [p]}}}\n"),
            "context.n, def",
            "by a text field",
            None,
        ),
        (
            rule(more="groups: {a: {by: customer.regon, default: {people: [p]}}}\n"),
            "customer.regon",
            "no field",
            "customer.region",
        ),
        (rule(more="calendars: {c: {zone: UTC, hours: {mon: []}}}\n"), "{mon", "open on some day", None),
        (rule(more="groups: {a: {people: []}}\n"), "[]", "at least one person", None),
        (rule(more="groups: {a: {people: [p], capacity: 0}}\n"), "0}", "1 to 1000000", None),
        (rule(more="groups: {a: {people: [p], capacity: 1.5}}\n"), "1.5}", "whole number", None),
        (rule(more="groups: {a: {people: [p], capacity: 1e999}}\n"), "1e999}", "too large a number", None),
        (rule(more="groups: {'': {people: [p]}}\n"), "''", "1 to 200 printable", None),
        ("rules: []\n", "rules", "name is missing", None),
        ("name: p\n", "name", "rules is missing", None),
        ("name: p\nrules: {}\n", "{}", "rules is a list", None),
        ("name: 5\nrules: []\n", "5", "name is a text", 'put it in quotes: "5"'),
    ],
)
def test_a_mistake_is_told_at_its_word(document, word, detail, suggestion):
    error = errors_of(document)[0]
    place = sum(len(line) for line in document.splitlines(keepends=True)[: error.line - 1]) + error.column - 1

    assert document[place:].startswith(word), (error, document[place : place + 20])
    assert detail in error.detail
    assert suggestion is None or suggestion in (error.suggestion or "")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_document():
    document = FULL.replace("review: triage", "review: triag").replace("scores.csat", "scores.cat")
    document = document.replace("tags: topics", "tags: 5", 1).replace("sla: standard", "sla: standrad")

    assert [(error.line, error.suggestion) for error in errors_of(document)] == [
        (2, "did you mean triage?"),
        (8, "did you mean scores.csat?"),
        (12, "did you mean standard?"),
        (12, 'put it in quotes: "5"'),
        (12, None),
    ]


def test_a_document_of_nothing_but_mistakes_is_read_no_further_than_the_five_hundredth():
    assert len(errors_of("".join(f"k{number}: 1\n" for number in range(600)))) == 500


def test_a_threshold_used_for_another_belief_is_warned_of():
    document = FULL.replace("sentiment.negative >= threshold", "sentiment.positive >= threshold")

    assert [w.detail for w in check(document, TOPICS).warnings if w.line == 11] == [
        "threshold negative was set for sentiment.negative, but is compared with sentiment.positive"
    ]


def test_a_policy_stored_before_heed_knew_more_keys_is_the_same_policy():
    policy = check(FULL, TOPICS).policy
    tree = policy.canonical
    for key in ("fallback", "bypass", "examples"):
        del tree[key]
    for rule in tree["rules"]:
        del rule["then"]["join"]
    for key in ("kinds", "tiers", "hand_off"):
        del tree["slas"]["detractor"][key]
    for level in tree["slas"]["detractor"]["escalate"]:
        del level["notice"], level["stop"], level["any_hour"]
    for key in ("skills", "calendar", "fallback"):
        del tree["groups"]["triage"][key]
    rebuilt = Policy.from_canonical(tree)

    assert rebuilt == policy
    assert digest_of(rebuilt) == digest_of(policy)


def test_a_place_whose_holidays_the_library_forgot_has_none():
    assert workdays_in_ten_years("ZZ") == workdays_in_ten_years(None)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
LADDER = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 500))


@pytest.mark.parametrize(
    ("document", "line", "detail"),
    [
        (b"", 1, "a policy is a mapping"),
        ('name: p\ngroups: {"a\\0": {people: [ana]}}\nrules: []\n', 2, "U+0000"),
        (b"# nothing\n", 1, "a policy is a mapping"),
        (b"- a\n- b\n", 1, "a policy is a mapping"),
        (b"just words", 1, "a policy is a mapping"),
        (b"name: a\n\xff", 2, "not UTF-8"),
        ("name: \ud800", 1, "half a character"),
        ('{"name": "\\ud800"}', 1, "half a character"),
        ("name: a\nb: \x07", 2, "does not allow"),
        ("name: a: b", 1, "not YAML"),
        ("name: a\n\trules: []\n", 2, "a tab stands here; indent with spaces"),
        ("name: a\nwhen: 'a' == b\n", 2, "put the whole of it in single quotes"),
        ("name: [a", 1, "not YAML"),
        ("a: 1\n---\nb: 2\n", 2, "one document"),
        ("%YAML 1.1\n---\nname: NO\n", 2, "without YAML directives"),
        ("name: !!python/object/apply:os.system [ls]", 1, "tags such as"),
        ("? [a, b]\n: c\n", 1, "a key is one word"),
        ("a: &a [*a]", 1, "refers to nothing"),
        ("[" * 100_000, 1, "nested deeper"),
        ("{a: " * 40_000, 1, "nested deeper"),
        ("a:\n" + "".join(" " * n + "a:\n" for n in range(1, 300)), 33, "nested deeper"),
        (BOMB, 5, "parts or 32 levels"),
        (LADDER, 32, "parts or 32 levels"),
        (b"name: " + b"a" * 200_000, 1, "at most 200000"),
    ],
)
def test_what_is_no_policy_at_all_is_refused_with_a_reason(document, line, detail):
    (error,) = errors_of(document)

    assert error.line == line
    assert detail in error.detail


def test_an_alias_is_read_as_what_it_stands_for():
    document = rule(then="&then {create: ticket}") + "  - {name: q, when: 'true', then: *then}\n"

    assert [found.then.create for found in check(document, TOPICS).policy.rules] == ["ticket", "ticket"]


pieces = st.sampled_from(
    [*FULL.split(" "), "\n", "\n  ", "&a ", "*a", "!t ", "'", '"', "%", "---\n", "\t", "é", "|\n", "? "]
)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=80) | st.lists(pieces, max_size=30).map(" ".join))
@example('a: "\\UFFFFFFFF"')
@example("a: !<x\n")
@example("*")
@example("%TAG ! \n---")
def test_no_document_is_too_strange_for_an_answer(document):
    try:
        checked = check(document, TOPICS)
    except InvalidPolicy as refused:
        errors = refused.errors
    else:
        assert Policy.from_canonical(checked.policy.canonical) == checked.policy
        return

    assert errors
    assert all(error.line >= 1 and error.column >= 1 and error.detail for error in errors)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_document_with_a_piece_cut_out_is_accepted_or_refused_clearly(data):
    start = data.draw(st.integers(0, len(FULL)))
    document = FULL[:start] + FULL[start + data.draw(st.integers(0, 40)) :]
    try:
        policy = check(document, TOPICS).policy
    except InvalidPolicy as refused:
        errors = refused.errors
    else:
        assert policy.rules
        return

    assert errors == sorted(errors, key=lambda error: (error.line, error.column))
