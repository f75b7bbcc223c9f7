"""Examples in a policy document: what is read, each mistake at its place, and whether they hold."""

import pytest

from service.policies import broken, check
from service.route.findings import InvalidPolicy
from service.route.policy_document import check as check_document
from service.route.versions import DEFAULT_POLICY

TOPICS = ["billing", "delivery"]
HEAD = """\
name: mine
fields: {context.site: text}
thresholds:
  sure: {axis: sentiment, label: negative}
rules:
  - {name: low, when: scores.nps <= 6, then: {create: follow_up}}
  - {name: angry, when: sentiment.negative >= 0.8 and not urgency.high >= 0.5, then: {create: ticket}}
  - {name: late, when: 'topic("delivery") >= 0.5 and known(context.site)', then: {create: quality_case}}
  - {name: again, when: 'count_recent("follow_up", days=30) == 0 and scores.nps == 6', then: {create: backlog_item}}
  - {name: open, when: 'sentiment.negative >= threshold("sure") and scores.ces == 7', then: {create: ticket}}
examples:
"""


def errors_of(entry: str) -> list[tuple[int, int, str, str | None]]:
    with pytest.raises(InvalidPolicy) as caught:
        check_document(HEAD + entry, TOPICS)
    return [(one.line, one.column, one.detail, one.suggestion) for one in caught.value.errors]


@pytest.mark.parametrize(
    ("entry", "column", "detail", "suggestion"),
    [
        ("  - {record: {scores: {nps: 3}}, creates: [followup]}", 44, "not followup", "did you mean follow_up?"),
        ("  - {record: {score: {nps: 3}, verbatims: [x]}, creates: []}", 15, "score is not known here", "scores?"),
        ("  - {record: {scores: {nps: 11}}, creates: []}", 29, "nps is a whole number from 0 to 10", None),
        ("  - {record: {scores: {nps: 3.5}}, creates: []}", 29, "nps is a whole number from 0 to 10", None),
        ("  - {record: {scores: {csat: low}}, creates: []}", 30, "csat is a number", None),
        ("  - {record: {verbatims: [5]}, creates: []}", 27, "a verbatim is a text", 'put it in quotes: "5"'),
        ("  - {record: {verbatims: [{txt: x}]}, creates: []}", 28, "txt is not known here", "did you mean text?"),
        ("  - {record: {context: {site: [a]}, scores: {nps: 3}}, creates: []}", 31, "context.site is a text", None),
        ("  - {record: {customer: {tire: gold}, scores: {nps: 3}}, creates: []}", 26, "tire is not known", "tier?"),
        ("  - {record: {customer: {id: c}}, creates: []}", 14, "at least one score or one verbatim", None),
        ("  - {record: {classification: {sentiment: {negativ: 1}}}, creates: []}", 44, "no label negativ", "negative?"),
        ("  - {record: {classification: {topics: {delivry: 1}}}, creates: []}", 41, "no label delivry", "delivery?"),
        (
            "  - {record: {classification: {sentiment: {negative: 2}}}, creates: []}",
            54,
            "probability from 0 to 1",
            None,
        ),
        ("  - {record: {classification: {abstain: tired}}, creates: []}", 41, "abstain is one of", None),
        ("  - {record: {context: {n: 1e999}, scores: {nps: 3}}, creates: []}", 28, "context.n is too large", None),
        ("  - {record: {scores: {nps: 3}}}", 5, "creates is missing", None),
        ("  - just text", 5, "an example is a mapping with record and creates", None),
    ],
)
def test_a_mistake_is_told_at_its_place(entry, column, detail, suggestion):
    found = [one for one in errors_of(entry) if "is missing" not in one[2] or "is missing" in detail]
    line, at, told, meant = next(one for one in found if detail in one[2])
    assert (line, at) == (12, column), found
    assert (suggestion or "") in (meant or "")
    assert detail in told


def test_two_examples_of_one_name():
    entry = "  - {name: a, record: {scores: {nps: 3}}, creates: []}\n"
    (error,) = errors_of(entry * 2)
    assert error[:3] == (13, 5, "there are two examples named a")


@pytest.mark.parametrize(
    ("record", "creates", "why"),
    [
        ("{scores: {nps: 3}}", "[follow_up]", None),
        ("{scores: {nps: 9}}", "[]", None),
        ("{scores: {ces: 7}, classification: {sentiment: {negative: 0.1}}}", "[review]", None),
        ("{scores: {ces: 7}, classification: {abstain: short}}", "[]", "open cannot be decided without a person"),
        ("{classification: {sentiment: {negative: 0.9}}}", "[ticket]", None),  # what is not written down counts as 0
        ("{classification: {sentiment: {negative: 0.9}, abstain: language}}", "[]", None),
        ("{context: {site: A}, classification: {topics: {delivery: 0.7}}}", "[quality_case]", None),
        ("{scores: {nps: 6}, customer: {id: c-1}}", "[follow_up, backlog_item]", None),
        (
            "{scores: {nps: 8}}",
            "[follow_up]",
            "makes nothing: low does not fire, for scores.nps <= 6 is false (the value is 8)",
        ),
        (
            "{scores: {nps: 3}}",
            "[]",
            "the example 'it' must make nothing, but makes a follow-up: low fires and makes a follow-up",
        ),
        (
            "{classification: {topics: {delivery: 0.7}}}",
            "[quality_case]",
            "late does not fire, for known(context.site) is false (nothing is known of it)",
        ),
        ("{scores: {nps: 9}}", "[review]", "no rule leaves anything open for a person to decide"),
    ],
)
def test_an_example_holds_or_it_is_said_why_not(reader, record, creates, why):
    policy = check_document(f"{HEAD}  - {{name: it, record: {record}, creates: {creates}}}\n", TOPICS).policy
    told = broken(reader, policy)
    assert [one.name for one in told] == ([] if why is None else ["it"])
    assert (why or "") in "".join(one.detail for one in told)


def test_texts_are_read_by_the_classifier_where_no_beliefs_are_written_down(reader):
    angry = '"The parcel came late and broken. I am very angry about this terrible service."'
    entries = (
        f"  - {{name: read, record: {{verbatims: [{angry}]}}, creates: [ticket]}}\n"
        f"  - {{name: told, record: {{verbatims: [{angry}], classification: {{urgency: {{low: 1}}}}}}, creates: []}}\n"
        "  - {name: both, record: {scores: {nps: 2}, verbatims: [{question: Why?, text: Thanks a lot.}]},"
        " creates: [follow_up]}\n"
    )
    assert check(reader, HEAD + entries).warnings == check_document(HEAD + entries, TOPICS).warnings


def test_what_does_not_hold_is_a_warning_at_its_place(reader):
    document = HEAD + "  - {name: it, record: {scores: {nps: 9}}, creates: [ticket]}\n"
    (warning,) = [one for one in check(reader, document).warnings if "example" in one.detail]
    assert (warning.line, warning.column) == (12, 5)
    assert warning.detail.endswith("it has to hold before this policy can be activated")


@pytest.mark.parametrize("name", ["default", "demo"])
def test_the_examples_of_what_we_ship_hold(reader, name, repository):
    path = DEFAULT_POLICY if name == "default" else repository / "service" / "demo" / "policy.yaml"
    policy = check_document(path.read_bytes(), reader.taxonomy.labels).policy
    assert len(policy.examples) >= 4
    assert broken(reader, policy) == []
