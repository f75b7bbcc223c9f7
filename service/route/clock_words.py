"""Service levels and calendars in words: by when, on which hours, and who hears of what was missed. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from service.route.clocks import ALWAYS, DAYS, TARGETS, Calendar, Duration, Escalation, Interval, Sla, Target, Targets
from service.route.phrases import KINDS, length, listed, sentence, value_words

TARGET_WORDS: Mapping[Target, str] = {
    "acknowledge": "acknowledged",
    "contact": "the customer contacted",
    "resolve": "done",
}
_DAY_WORDS: Mapping[str, str] = dict(
    zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)
_STOPS: Mapping[str, str] = {
    "met": "unless it was met after all",
    "acknowledged": "unless somebody who was told has confirmed it",
    "resolved": "unless it is done",
}
_REACHED: Mapping[str, str] = {
    "owner": "the owner",
    "owner.manager": "the owner's manager",
    "owner.manager.manager": "the manager of the owner's manager",
}


def sla_words(sla: Sla) -> Iterator[str]:
    """A service level in sentences: its targets, its clock, its levels."""
    if any(getattr(sla, target) is not None for target in TARGETS):
        yield f"{sentence(targets_words(sla, sla.calendar))}."
    for kind, targets in sla.kinds.items():
        yield f"{KINDS.get(kind, kind)}s: {targets_words(targets, sla.calendar)}."
    for tier, targets in sla.tiers.items():
        yield f"For customers of the tier {tier}: {targets_words(targets, sla.calendar)}."
    if sla.hand_off is not None:
        yield f"A hand-off must be accepted within {length(sla.hand_off, sla.calendar)}."
    yield (
        "The clock runs day and night, on holidays too."
        if sla.calendar == ALWAYS
        else f"The clock runs in the working hours of the calendar {sla.calendar}."
    )
    for number, step in enumerate(sla.escalate, 1):
        yield f"Level {number}: {escalation_words(step, sla.calendar)}."


def targets_words(targets: Sla | Targets, calendar: str) -> str:
    """`acknowledged within 4 working hours, done within 2 working days`."""
    given: list[tuple[Target, Duration | None]] = [(target, getattr(targets, target)) for target in TARGETS]
    parts = [f"{TARGET_WORDS[name]} within {length(time, calendar)}" for name, time in given if time is not None]
    return ", ".join(parts)


def escalation_words(step: Escalation, calendar: str) -> str:
    """`4 working hours after a target was missed the owner's manager is told, unless ...`."""
    who = _REACHED.get(step.to, f"the group {step.to}")
    hours = ", also outside their own hours" if step.any_hour else ""
    words = f' "{value_words(step.notice)}"' if step.notice else ""
    after = length(step.after, calendar)
    return f"{after} after a target was missed {who} is told{words}{hours}, {_STOPS[step.stop]}"


def hours_words(calendar: Calendar) -> str:
    """`Monday to Friday 09:00-17:00`."""
    return "; ".join(f"{days} {spans}" for days, spans in _weeks(calendar.hours))


def zone_words(calendar: Calendar) -> str:
    """`in the time zone Europe/Warsaw`."""
    return "in the owner's own time zone" if calendar.zone == "owner" else f"in the time zone {calendar.zone}"


def _weeks(hours: Mapping[str, Sequence[Interval]]) -> Iterator[tuple[str, str]]:
    """Days that follow each other and have the same hours, taken together."""
    runs: list[tuple[list[str], str]] = []
    for day in (day for day in DAYS if day in hours):
        said = listed([interval_words(one) for one in hours[day]], "and")
        follows = runs and runs[-1][1] == said and DAYS.index(day) == DAYS.index(runs[-1][0][-1]) + 1
        if follows:
            runs[-1][0].append(day)
        else:
            runs.append(([day], said))
    for days, said in runs:
        first, last = _DAY_WORDS[days[0]], _DAY_WORDS[days[-1]]
        yield (first if first == last else f"{first} to {last}"), said


def interval_words(one: Interval) -> str:
    """`09:00-12:30`."""
    ends = (one.opens, one.closes)
    return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in ends)
