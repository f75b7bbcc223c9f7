"""A difference between two service levels, or two calendars, in plain English. Pure."""

from collections.abc import Collection, Iterator, Mapping
from itertools import zip_longest

from service.route.clock_words import escalation_words, hours_words, zone_words
from service.route.clocks import ALWAYS, TARGETS, Calendar, Duration, Sla, Target, Targets
from service.route.phrases import KINDS, length

_DUE: Mapping[Target, str] = {
    "acknowledge": "must be acknowledged within",
    "contact": "need a contact with the customer within",
    "resolve": "are due in",
}
_ENDED: Mapping[Target, str] = {"acknowledge": "acknowledged in", "contact": "contacted in", "resolve": "done in"}


def sla_changes(made: Collection[str], name: str, old: Sla, new: Sla) -> Iterator[str]:
    """What a service level promises otherwise; `made` are the kinds of item that rules make under it."""
    items = f"{KINDS[next(iter(made))]}s" if len(made) == 1 else "Items"
    calendars = (old.calendar, new.calendar)
    yield from _targets(f"{items} of {name}", old, new, calendars, "")
    for kind in dict.fromkeys([*old.kinds, *new.kinds]):
        whose = f"{KINDS.get(kind, kind)}s of {name}"
        yield from _targets(whose, old.kinds.get(kind), new.kinds.get(kind), calendars, " of their own")
    for tier in dict.fromkeys([*old.tiers, *new.tiers]):
        whose = f"{items} of {name} for customers of the tier {tier}"
        yield from _targets(whose, old.tiers.get(tier), new.tiers.get(tier), calendars, " of their own")
    if old.calendar != new.calendar:
        yield f"The clock of {name} now runs {_runs(new.calendar)} instead of {_runs(old.calendar)}."
    if old.hand_off != new.hand_off:
        within = "" if new.hand_off is None else _instead(old.hand_off, new.hand_off, calendars)
        yield f"A hand-off under {name} {f'must be accepted within {within}' if within else 'has no clock any more'}."
    yield from _levels(name, old, new)


def _runs(calendar: str) -> str:
    return "day and night" if calendar == ALWAYS else f"in the working hours of the calendar {calendar}"


def _levels(name: str, old: Sla, new: Sla) -> Iterator[str]:
    for number, (was, now) in enumerate(zip_longest(old.escalate, new.escalate), 1):
        if now is None:
            yield f"Level {number} of the escalation under {name} is gone: {escalation_words(was, old.calendar)}."
        elif was is None:
            yield f"New level {number} of the escalation under {name}: {escalation_words(now, new.calendar)}."
        elif was != now:
            before = escalation_words(was, old.calendar)
            yield f"Level {number} under {name} is now: {escalation_words(now, new.calendar)}. Before: {before}."


def _targets(
    whose: str, old: Sla | Targets | None, new: Sla | Targets | None, calendars: tuple[str, str], own: str
) -> Iterator[str]:
    """The times that differ; without one of `own`, what is general counts again."""
    for target in TARGETS:
        was, now = getattr(old, target, None), getattr(new, target, None)
        if now is not None and was != now:
            yield f"{whose} {_DUE[target]} {_instead(was, now, calendars)}."
        elif was != now:
            general = ": what is said for all of them counts" if own else ""
            yield f"{whose} have no time{own} to be {_ENDED[target]} any more{general}."


def _instead(was: Duration | None, now: Duration, calendars: tuple[str, str]) -> str:
    """`2 working days instead of 3`."""
    before, after = calendars
    if was is None:
        return length(now, after)
    alike = was.unit == now.unit and before == after
    return f"{length(now, after)} instead of {f'{was.amount:,}' if alike else length(was, before)}"


def calendar_changes(name: str, old: Calendar, new: Calendar) -> Iterator[str]:
    """What a calendar says otherwise."""
    if old.hours != new.hours:
        yield f"The hours of the calendar {name} are now {hours_words(new)} instead of {hours_words(old)}."
    if old.zone != new.zone:
        yield f"The calendar {name} is now {zone_words(new)} instead of {zone_words(old)}."
    if old.holidays != new.holidays:
        was = f" instead of those of {old.holidays}" if old.holidays else ""
        free = f"the public holidays of {new.holidays} are free{was}" if new.holidays else "no public holidays are free"
        yield f"In the calendar {name} {free} now."
