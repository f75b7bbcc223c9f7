"""The bypasses of a policy: what is read, when one holds, and every mistake at its word."""

from datetime import UTC, datetime

import pytest

from service.route.case import Case, Customer
from service.route.decide import decide, resolve_uncertified
from service.route.findings import InvalidPolicy
from service.route.policy_document import check

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HEAD = """\
name: p
fields: {customer.attributes.risk: number}
rules: [{name: r, when: 'scores.nps <= 6 or known(customer.tier)', then: {create: ticket}}]
bypass:
"""
KEY = "  - {name: key, when: customer.account_value >= 100000, to: kim, quota: 5, reason: the contract names her}\n"
GROUP = "groups: {kim: {people: [ana]}}\n"
RISK = "  - {name: risk, when: customer.attributes.risk >= 0.8, to: ada, quota: 1, reason: may leave}\n"


def test_the_first_bypass_that_is_definitely_true_holds():
    policy = check(HEAD + KEY + RISK, []).policy

    def name(**customer):
        case = Case("s", NOW, customer=Customer(tier="gold", **customer))
        found = decide(policy, case, resolve_uncertified(policy)).bypass
        return found and (found.name, found.to, found.reason)

    assert name(account_value=100_000) == ("key", "kim", "the contract names her")
    assert name(account_value=100_000, attributes={"risk": 0.9}) == ("key", "kim", "the contract names her")
    assert name(account_value=5, attributes={"risk": 0.9}) == ("risk", "ada", "may leave")
    assert check(HEAD + KEY + GROUP.replace("ana", "kim"), []).policy.bypass[0].to == "kim"  # also a person's name
    assert name() is None
    assert name(attributes={"risk": "high"}) is None


@pytest.mark.parametrize(
    ("document", "word", "detail"),
    [
        (KEY.replace("quota: 5", "quota: 0"), "0,", "a whole number, 1 to 1000"),
        (KEY.replace("quota: 5", "quota: 1001"), "1001", "a whole number, 1 to 1000"),
        (KEY.replace("quota: 5", "quota: 2.5"), "2.5", "a whole number, 1 to 1000"),
        (KEY.replace("quota: 5", "quota: many"), "many", "quota is a number"),
        (KEY.replace(" quota: 5,", ""), "{name", "quota is missing"),
        (KEY.replace(", reason: the contract names her", ""), "{name", "reason is missing"),
        (KEY.replace(" to: kim,", ""), "{name", "to is missing"),
        (KEY.replace("to: kim", "to: [kim]"), "[kim]", "to is one value"),
        (KEY + GROUP, "kim, quota", "kim is a group; a bypass goes to one person"),
        (KEY.replace("account_value", "acount_value"), "customer.acount_value", "there is no field"),
        (KEY.replace("customer.account_value", "customer.attributes.value"), "customer.attr", "is not declared"),
        (KEY + KEY, "key, when", "there are two bypasses named key"),
        (KEY.replace("quota", "kwota"), "kwota", "not known here"),
        ("  - kim\n", "kim", "a bypass is a mapping"),
    ],
)
def test_a_mistake_is_told_at_its_word(document, word, detail):
    with pytest.raises(InvalidPolicy) as caught:
        check(HEAD + document, [])
    error = next(error for error in caught.value.errors if detail in error.detail)
    line = (HEAD + document).splitlines()[error.line - 1]

    assert line[error.column - 1 :].startswith(word), error
