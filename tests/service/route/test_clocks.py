"""Durations, targets and hours."""

from datetime import timedelta

import pytest

from service.route.clocks import Duration, Interval, Sla, Targets, days_from_text


@pytest.mark.parametrize(
    ("text", "elapsed"),
    [
        ("30m", timedelta(minutes=30)),
        ("4h", timedelta(hours=4)),
        ("2d", timedelta(days=2)),
        ("3650d", timedelta(days=3650)),
    ],
)
def test_a_duration_is_plain_time_on_always(text, elapsed):
    assert Duration.from_text(text).elapsed() == elapsed


@pytest.mark.parametrize(
    "text", ["", "4", "h", "0h", "-4h", "4 h", "1.5h", "4w", "4h30m", "04h", "٤h", "3651d", "9999999d"]
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="a duration is"):
        Duration.from_text(text)


def test_days_and_hours_of_the_same_length_stay_apart_for_business_calendars():
    assert Duration.from_text("2d") != Duration.from_text("48h")


def targets(**written: str) -> Targets:
    return Targets(**{name: Duration.from_text(text) for name, text in written.items()})


@pytest.mark.parametrize(
    ("kind", "tier", "expected"),
    [
        ("follow_up", None, {"acknowledge": "4h", "resolve": "2d"}),
        ("follow_up", "silver", {"acknowledge": "4h", "resolve": "2d"}),
        ("ticket", None, {"acknowledge": "4h", "contact": "8h", "resolve": "5d"}),
        ("follow_up", "gold", {"acknowledge": "4h", "resolve": "1d"}),
        ("ticket", "gold", {"acknowledge": "4h", "contact": "8h", "resolve": "1d"}),  # the tier before the kind
    ],
)
def test_targets_by_tier_and_kind(kind, tier, expected):
    sla = Sla(
        **dict(targets(acknowledge="4h", resolve="2d")),
        kinds={"ticket": targets(contact="8h", resolve="5d")},
        tiers={"gold": targets(resolve="1d")},
    )
    found = sla.targets(kind, tier)
    assert {name: f"{one.amount}{one.unit}" for name, one in found.items()} == expected


@pytest.mark.parametrize(
    ("text", "opens", "closes"), [("09:00-12:30", 540, 750), ("00:00-24:00", 0, 1440), ("23:59-24:00", 1439, 1440)]
)
def test_hours_are_minutes_of_the_day(text, opens, closes):
    assert Interval.from_text(text) == Interval(opens=opens, closes=closes)


@pytest.mark.parametrize(
    "text", ["9:00-12:00", "09:00", "09:00-09:00", "12:00-09:00", "24:00-24:00", "09:60-10:00", ""]
)
def test_what_are_no_hours_is_refused(text):
    with pytest.raises(ValueError, match="hours"):
        Interval.from_text(text)


@pytest.mark.parametrize(
    ("text", "days"),
    [("fri", ("fri",)), ("sat-sun", ("sat", "sun")), ("mon-wed", ("mon", "tue", "wed")), ("tue-tue", ("tue",))],
)
def test_days_are_one_or_a_range(text, days):
    assert days_from_text(text) == days


@pytest.mark.parametrize("text", ["", "monday", "mon-", "-mon", "fri-mon", "mon-fri-sun"])
def test_what_are_no_days_is_refused(text):
    with pytest.raises(ValueError, match=r"days are|runs backwards"):
        days_from_text(text)
