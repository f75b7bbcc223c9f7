"""The groups of a policy: what is read, and every mistake at its word."""

from datetime import UTC, datetime

import pytest

from service.route.case import Case, Customer
from service.route.findings import InvalidPolicy
from service.route.policy import People, members
from service.route.policy_document import check

TOPICS = ["billing", "delivery", "product quality"]
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HEAD = """\
name: p
rules: [{name: r, when: 'true', then: {create: ticket, assign: desk}}]
calendars: {office: {zone: UTC, hours: {mon: ["09:00-17:00"]}}}
"""


def groups(text: str) -> str:
    return f"{HEAD}groups:\n{text}"


def test_a_group_with_everything_it_may_have():
    document = groups(
        "  desk: {people: [ana, jan], capacity: 25, manager: eva, calendar: office, fallback: night,\n"
        "    skills: {billing: [ana], de: [ana, jan]}}\n"
        "  night: {people: [sam], calendar: always}\n"
    )
    checked = check(document, TOPICS)

    assert checked.warnings == ()
    assert checked.policy.groups["desk"] == People(
        people=("ana", "jan"),
        capacity=25,
        manager="eva",
        calendar="office",
        fallback="night",
        skills={"billing": ("ana",), "de": ("ana", "jan")},
    )


DESK = "  desk: {people: [ana, jan], "


@pytest.mark.parametrize(
    ("document", "word", "detail", "suggestion"),
    [
        (f"{DESK}capacity: 0}}\n", "0}", "capacity is a whole number of open items", None),
        (f"{DESK}fallback: nite}}\n  night: {{people: [sam]}}\n", "nite", "group nite is not defined", "night"),
        (f"{DESK}fallback: [night]}}\n", "[night]", "fallback is one value", None),
        (f"{DESK}calendar: ofice}}\n", "ofice", "calendar ofice is not defined", "office"),
        (f"{DESK}skills: {{billing: [anna]}}}}\n", "anna", "is not one of the group's people", "ana"),
        (f"{DESK}skills: {{biling: [ana]}}}}\n", "biling", "neither a topic nor the code of a language", "billing"),
        (f"{DESK}skills: {{billing: []}}}}\n", "[]", "nobody has the skill billing", None),
        (f"{DESK}skills: {{billing: ana}}}}\n", "ana}}", "billing is a list", None),
        (f"{DESK}skills: [billing]}}\n", "[billing]", "skills is a mapping", None),
        (f"{DESK}skils: {{}}}}\n", "skils", "not known here", "skills"),
        (f"{DESK}fallback: desk}}\n", "desk: {", "group desk leads in a circle", None),
        (
            f"{DESK}fallback: night}}\n  night: {{people: [sam], fallback: late}}\n  late: desk\n",
            "desk: {",
            "leads in a circle: desk, night, late",
            None,
        ),
        (
            "  desk: {by: customer.tier, gold: {people: [ana], fallback: desk}, default: {people: [jan]}}\n",
            "desk: {",
            "leads in a circle",
            None,
        ),
    ],
)
def test_a_mistake_is_told_at_its_word(document, word, detail, suggestion):
    with pytest.raises(InvalidPolicy) as caught:
        check(groups(document), TOPICS)
    error = caught.value.errors[0]
    lines = groups(document).splitlines(keepends=True)

    assert "".join(lines[error.line - 1 :])[error.column - 1 :].startswith(word), error
    assert detail in error.detail
    assert suggestion is None or error.suggestion == f"did you mean {suggestion}?"


def test_a_mistake_in_a_skill_is_told_once():
    with pytest.raises(InvalidPolicy) as caught:
        check(groups(f"{DESK}skills: {{billing: ana, delivery: [jan, jan]}}}}\n"), TOPICS)

    assert [error.detail for error in caught.value.errors] == ["billing is a list", "jan is listed twice"]


def test_splits_nest_and_lead_to_the_people_of_a_case():
    document = groups(
        "  desk: {by: customer.region, emea: {by: customer.tier, gold: {people: [ana]}, default: night},\n"
        "    default: {people: [jan]}}\n"
        "  night: {people: [sam]}\n"
    )
    policy = check(document, TOPICS).policy

    def found(**customer):
        return members(policy, "desk", Case("s", NOW, customer=Customer(**customer))).people

    assert found(region="emea", tier="gold") == ("ana",)
    assert found(region="emea", tier="silver") == ("sam",)
    assert found(region="emea") == ("sam",)
    assert found(region="apac", tier="gold") == ("jan",)
    assert found() == ("jan",)
