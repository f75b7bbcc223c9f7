"""Service levels and calendars of a policy: what is accepted, and every mistake with its place."""

import pytest

from service.route.clocks import Duration
from service.route.findings import InvalidPolicy
from service.route.policy_document import check

HOURS = '{mon-fri: ["09:00-12:30", "13:00-17:00"]}'


def document(slas: str = "{s: {resolve: 5d}}", calendars: str = f"{{c: {{zone: UTC, hours: {HOURS}}}}}") -> str:
    rule = "{name: r, when: scores.nps <= 6, then: {create: ticket, sla: s}}"
    groups = "{desk: {people: [ana]}, directors: {people: [mia]}}"
    return f"name: p\nrules: [{rule}]\ngroups: {groups}\ncalendars: {calendars}\nslas: {slas}\n"


def mistakes(text: str) -> list[str]:
    """`what stands there | the sentence`, of every error."""
    with pytest.raises(InvalidPolicy) as caught:
        check(text, [])
    lines = text.splitlines()
    return [
        f"{lines[one.line - 1][one.column - 1 :][:12]} | {one.detail}"
        + (f"; {one.suggestion}" if one.suggestion else "")
        for one in caught.value.errors
    ]


def warned(text: str) -> list[str]:
    return [one.detail for one in check(text, []).warnings if "account" not in one.detail]


def duration(text: str) -> Duration:
    return Duration.from_text(text)


def test_a_service_level_with_everything():
    sla = check(
        document(
            "{s: {calendar: c, acknowledge: 4h, resolve: 2d, hand_off: 2h, kinds: {ticket: {resolve: 5d}},"
            " tiers: {gold: {acknowledge: 30m}}, escalate: [{after: 1h, to: owner},"
            " {after: 4h, to: owner.manager, notice: Call them, stop: resolved, any_hour: true},"
            " {after: 1d, to: directors, stop: acknowledged}]}}"
        ),
        [],
    ).policy.slas["s"]
    assert sla.hand_off == duration("2h")
    assert sla.targets("follow_up", None) == {"acknowledge": duration("4h"), "resolve": duration("2d")}
    assert sla.targets("ticket", "gold") == {"acknowledge": duration("30m"), "resolve": duration("5d")}
    assert [(one.to, one.stop, one.any_hour, one.notice) for one in sla.escalate] == [
        ("owner", "met", False, None),
        ("owner.manager", "resolved", True, "Call them"),
        ("directors", "acknowledged", False, None),
    ]


@pytest.mark.parametrize("zone", ["owner", "Europe/Warsaw", "UTC"])
@pytest.mark.parametrize("free", ["", ", holidays: PL", ", holidays: DE-BY"])
def test_calendars_that_are_accepted(zone, free):
    text = document("{s: {calendar: c, resolve: 5d}}", f"{{c: {{zone: {zone}, hours: {HOURS}{free}}}}}")
    assert check(text, []).policy.calendars["c"].zone == zone
    assert warned(text) == []


@pytest.mark.parametrize(
    ("calendar", "mistake"),
    [
        (
            "zone: UTC, hours: {mon: ['09:00-12:00', '11:00-13:00']}",
            "'11:00-13:00 | these hours overlap with others on mon",
        ),
        ("zone: UTC, hours: {mon-fri: ['09:00-12:00'], tue: ['10:00-11:00']}", "overlap with others on tue"),
        ("zone: UTC, hours: {mon: ['22:00-06:00']}", "hours over midnight as two days"),
        ("zone: UTC, hours: {monday: ['09:00-17:00']}", "monday: ['09 | days are mon, tue"),
        ("zone: UTC, hours: {}", "a calendar is open on some day"),
        (f"zone: Europe/Warszaw, hours: {HOURS}", "Europe/Warsz | there is no time zone Europe/Warszaw"),
        (f"zone: Europe/Warszaw, hours: {HOURS}", "did you mean Europe/Warsaw?"),
        (f"zone: warsaw, hours: {HOURS}", "did you mean Europe/Warsaw?"),
        (f"zone: ownr, hours: {HOURS}", "did you mean owner?"),
        (f"zone: UTC, hours: {HOURS}, holidays: UK", "UK}} | there are no holidays of UK"),
        (f"zone: UTC, hours: {HOURS}, holidays: UK", "did you mean GB?"),
        (f"zone: UTC, hours: {HOURS}, holidays: DE-XX", "DE has no part XX"),
        (f"zone: UTC, hours: {HOURS}, holidays: ", "holidays are named by their country"),
        (f"zone: UTC, hours: {HOURS}, holidays: ''", "holidays are named by their country"),
        (f"zone: UTC, hours: {HOURS}, holidays: null", "holidays are named by their country"),
        (f"zone: UTC, hours: {HOURS}, holidays: {{}}", "holidays are named by their country"),
        (f"zone: UTC, hours: {HOURS}, holidays: {{days: [PL]}}", "holidays are named by their country"),
        (f"zone: UTC, hours: {HOURS}, holidays: [PL]", "holidays are named by their country"),
        (f"zone: UTC, hours: {HOURS}, holidays: 12", "holidays is a text"),
    ],
)
def test_calendars_that_are_refused(calendar, mistake):
    (found,) = mistakes(document(calendars=f"{{c: {{{calendar}}}}}"))
    assert mistake in found


@pytest.mark.parametrize("zone", ["CEST", "UTC+1", "GMT+2", "EST5", "Europe", "Eastern"])
def test_a_zone_that_is_no_city_is_not_taken_for_another(zone):
    (found,) = mistakes(document(calendars=f"{{c: {{zone: {zone}, hours: {HOURS}}}}}"))
    assert found.endswith("a time zone is written as Europe/Warsaw, or owner for the owner's")


def test_a_calendar_of_holidays_alone_is_never_open(monkeypatch):
    monkeypatch.setattr("service.route.clock_definitions.workdays_in_ten_years", lambda _: (0, *[500] * 6))
    text = document("{s: {calendar: c, resolve: 5d}}", "{c: {zone: UTC, hours: {mon: ['09:00-17:00']}, holidays: PL}}")
    assert mistakes(text) == ["c: {zone: UT | c is never open: its days are public holidays of PL"]


def level(after: str, to: str) -> str:
    return f"{{after: {after}, to: {to}}}"


@pytest.mark.parametrize(
    ("sla", "mistake"),
    [
        ("calendar: emea, resolve: 1d", "emea, resolv | calendar emea is not defined"),
        ("hand_off: 2h", "s: {hand_off | s has no target"),
        ("escalate: [{after: 1h, to: desk}]", "[{after: 1h, | s escalates a missed target, but has none"),
        ("resolve: 1d, kinds: {tickets: {resolve: 1d}}", "did you mean ticket?"),
        ("resolve: 1d, kinds: {ticket: {}}", "ticket has no target of its own"),
        ("resolve: 1d, tiers: {gold: {calendar: c}}", "calendar is not known here"),
        ("resolve: 1d, tiers: {gold: 4h}", "gold is a mapping"),
        ("resolve: 1d, hand_off: soon", "a duration is a whole number"),
        ("calendar: c, resolve: 3000d", "3000d} } | 3000d is more than this calendar is open in ten years"),
        ("calendar: c, resolve: 1d, tiers: {gold: {contact: 30000h}}", "30000h is more than this calendar is open"),
        ("calendar: c, resolve: 1d, escalate: [{after: 3000d, to: desk}]", "3000d is more than this calendar is open"),
        (f"resolve: 1d, escalate: [{level('1h', 'managers')}]", "group managers is not defined; `to` names a group"),
        (f"resolve: 1d, escalate: [{level('1h', 'owner.manger')}]", "did you mean owner.manager?"),
        ("resolve: 1d, escalate: [{after: 1h}]", "to is missing"),
        ("resolve: 1d, escalate: [directors]", "a level is written as {after: 4h, to: owner.manager}"),
        ("resolve: 1d, escalate: [{after: 1h, to: desk, stop: seen}]", "stop is one of met, acknowledged, resolved"),
        ("resolve: 1d, escalate: [{after: 1h, to: desk, any_hour: sometimes}]", "any_hour is true or false"),
        (
            f"resolve: 1d, escalate: [{level('1h', 'desk')}, {level('60m', 'desk')}]",
            "{after: 60m, | level 2 repeats the one before it: desk after 60m",
        ),
        (
            f"resolve: 1d, escalate: [{level('4h', 'desk')}, {level('1h', 'directors')}]",
            "level 2 comes after 1h, no later than level 1 (4h): delays count from the missed target and must grow",
        ),
        (
            f"resolve: 1d, escalate: [{level('1h', 'desk')}, {level('60m', 'directors')}]",
            "level 2 comes after 60m, no later than level 1 (1h)",
        ),
        (  # a day of this calendar has seven and a half hours
            f"calendar: c, resolve: 1d, escalate: [{level('8h', 'desk')}, {level('1d', 'directors')}]",
            "level 2 comes after 1d, no later than level 1 (8h)",
        ),
        (
            f"resolve: 1d, escalate: [{level('1h', 'owner')}, {level('2h', 'desk')}, {level('3h', 'owner')}]",
            "{after: 3h,  | the levels go in a circle: owner was told at level 1 already",
        ),
    ],
)
def test_service_levels_that_are_refused(sla, mistake):
    (found,) = mistakes(document(f"{{s: {{{sla}}} }}"))
    assert mistake in found


def test_somebody_may_be_reminded():
    levels = f"[{level('1h', 'desk')}, {level('2h', 'desk')}, {level('1d', 'directors')}]"
    assert warned(document(f"{{s: {{resolve: 1d, escalate: {levels}}}}}")) == []


@pytest.mark.parametrize(
    ("sla", "warning"),
    [
        ("acknowledge: 4h, resolve: 2h", "resolve (2h) is sooner than acknowledge (4h)"),
        ("acknowledge: 4h, resolve: 2d, tiers: {gold: {resolve: 1h}}", "resolve (1h) is sooner than acknowledge (4h)"),
        (
            "acknowledge: 4h, resolve: 1d, kinds: {ticket: {acknowledge: 2d}}",
            "resolve (1d) is sooner than acknowledge (2d)",
        ),
        ("calendar: c, acknowledge: 8h, resolve: 1d", "resolve (1d) is sooner than acknowledge (8h)"),
    ],
)
def test_a_target_that_others_make_pointless_is_warned_of(sla, warning):
    assert warned(document(f"{{s: {{{sla}}}}}")) == [warning]


def test_one_mistake_of_a_calendar_is_told_once():
    text = document("{s: {calendar: c, resolve: 5d}}", "{c: {zone: UTC, hours: {mon: ['9-17']}}}")
    assert [one.split(" | ")[1] for one in mistakes(text)] == ["hours are written as 09:00-12:30"]
