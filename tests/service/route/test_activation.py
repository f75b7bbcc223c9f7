"""Which activation takes a case: shares that only grow, scopes, the newest first, and who looks on."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.route.activation import Activation, Scope, onlookers, taker, within_share
from service.route.case import Case, Customer

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
EVERYBODY, EMEA = Scope(), Scope(region=("emea",))


def case(customer: str | None = "c-1", region: str | None = None, source: str = "api") -> Case:
    return Case(source=source, now=NOW, customer=Customer(id=customer, region=region))


def one(version: int, mode="live", share: float = 1.0, scope: Scope = EVERYBODY, minute: int = 0) -> Activation:
    return Activation(version, mode, share, scope, NOW + timedelta(minutes=minute))


@given(st.text(max_size=20), st.integers(1, 99), st.floats(0, 1), st.floats(0, 1))
def test_a_smaller_share_is_part_of_the_larger_one(customer, version, one_share, other):
    small, large = sorted((one_share, other))
    assert within_share(version, customer, large) or not within_share(version, customer, small)


def test_a_share_is_that_share_and_another_one_for_another_version():
    customers = [f"c-{number}" for number in range(4_000)]
    second, third = ({name for name in customers if within_share(version, name, 0.1)} for version in (2, 3))
    assert 340 <= len(second) <= 460
    assert 20 <= len(second & third) <= 70


def test_the_place_of_a_customer_never_changes():
    # SHA-256 of "2:c-77" begins with cc6c, which is 0.7985 of the way
    assert [within_share(2, "c-77", share) for share in (0.1, 0.79, 0.80, 0.81)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("share", "scope", "seen", "taken"),
    [
        (1.0, EVERYBODY, case(None), True),
        (0.999999, EVERYBODY, case(None), False),
        (1.0, EMEA, case(region="emea"), True),
        (1.0, EMEA, case(region="amer"), False),
        (1.0, EMEA, case(region=None), False),
        (1.0, Scope(source=("web", "shop")), case(source="shop"), True),
        (1.0, Scope(("emea",), ("web",)), case(region="emea", source="shop"), False),
        (1.0, EMEA, case(None, region="emea"), True),
    ],
)
def test_what_an_activation_takes(share, scope, seen, taken):
    assert one(2, share=share, scope=scope).takes(seen) is taken


def test_the_newest_staged_one_takes_a_case_and_shadows_never_do():
    everyone, older, newer = one(1), one(2, scope=EMEA, minute=1), one(3, scope=EMEA, minute=2)
    shadow = one(4, "shadow", minute=3)
    force = (newer, shadow, everyone, older)
    assert taker(force, case(region="emea")) is newer
    assert taker(force, case(region="amer")) is None
    assert taker((everyone, shadow), case()) is None


def test_a_version_looks_on_where_it_does_not_decide():
    force = (one(1), one(2, scope=EMEA), one(2, "shadow"), one(5, "shadow"), one(4, "shadow", scope=EMEA))
    assert onlookers(force, case(region="emea"), 2) == (4, 5)
    assert onlookers(force, case(region="amer"), 1) == (2, 5)
