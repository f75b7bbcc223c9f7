"""A difference between two policies in plain English, one sentence for each thing that changes. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from service.route.clocks import ALWAYS, TARGETS, Calendar, Sla, Target, Targets
from service.route.english import (
    Entry,
    action_words,
    bypass_entry,
    calendar_entry,
    escalation_words,
    example_entry,
    group_entry,
    joining_words,
    part_words,
    rule_entry,
    sla_entry,
    threshold_words,
)
from service.route.expression import And, Expression, Or
from service.route.phrases import (
    KINDS,
    a_kind,
    bound,
    clause,
    condition,
    field_words,
    kinds_of,
    length,
    listed,
    percent,
    value_words,
)
from service.route.policy import Action, Bypass, Example, Named, People, Policy, Rule, Split, Threshold

_NOUNS: Mapping[str, str] = {
    "rules": "rule",
    "bypass": "bypass",
    "slas": "service level",
    "calendars": "calendar",
    "groups": "group",
    "thresholds": "threshold",
    "fields": "field",
    "examples": "example",
}
_DUE: Mapping[Target, str] = {
    "acknowledge": "must be acknowledged within",
    "contact": "need a contact with the customer within",
    "resolve": "are due in",
}


def single(name: str, before: str | None, after: str | None) -> tuple[str, ...]:
    """The policy's name, its review group or its fallback."""
    if name == "name":
        return (f"The policy is called {after} instead of {before}.",)
    what = {"review": "What the reading of a text leaves open", "fallback": "What nobody else can take"}[name]
    if after is None:
        return (f"{what} no longer goes to {before}: it has no owner until somebody takes it.",)
    return (f"{what} now goes to {after}{f' instead of {before}' if before else ''}.",)


def added(section: str, name: str, part: object) -> tuple[str, ...]:
    """A part that is new, with all it says."""
    if section == "fields":
        return (f"Rules may now look at {name}, a {part}.",)
    return (f"New {_NOUNS[section]} {name}: {' '.join(_told(part))}",)


def removed(section: str, name: str, part: object) -> tuple[str, ...]:
    """A part that is gone."""
    if isinstance(part, Rule):
        return (f"The rule {name} is gone; it made {action_words(part.then)}, when {condition(part.when)}.",)
    return (f"The {_NOUNS[section]} {name} is gone.",)


def moved(section: str, name: str, following: str | None) -> tuple[str, ...]:
    """A part that is looked at earlier or later than before."""
    place = "as the last" if following is None else f"before {following}"
    return (f"The {_NOUNS[section]} {name} is now looked at {place}.",)


def changed(section: str, name: str, old: object, new: object, before: Policy, after: Policy) -> tuple[str, ...]:
    """A part that both have and that says something else now."""
    if isinstance(old, Rule) and isinstance(new, Rule):
        return tuple(_rule(name, old, new))
    if isinstance(old, Sla) and isinstance(new, Sla):
        return tuple(_sla(_items(name, before, after), name, old, new))
    if isinstance(old, Threshold) and isinstance(new, Threshold):
        return tuple(_threshold(name, old, new))
    if isinstance(old, Bypass) and isinstance(new, Bypass):
        return tuple(_bypass(name, old, new))
    if isinstance(old, Example) and isinstance(new, Example):
        return tuple(_example(name, old, new))
    if isinstance(old, Split) and isinstance(new, Split) and old.by == new.by:
        return tuple(_split(name, old, new))
    if section == "fields":
        return (f"{name} is now a {new} instead of a {old}.",)
    return (f"The {_NOUNS[section]} {name} now says: {' '.join(_told(new))}",)


def _told(part: object) -> Sequence[str]:
    entry = Entry("", ())
    match part:
        case Rule():
            entry = rule_entry(part)
        case Bypass():
            entry = bypass_entry(part)
        case Sla():
            entry = sla_entry("", part)
        case Calendar():
            entry = calendar_entry("", part)
        case Threshold():
            entry = Entry("", tuple(threshold_words(part)))
        case Example():
            entry = example_entry(part)
        case People() | Named() | Split():
            entry = group_entry("", part)
    return entry.sentences


def _rule(name: str, old: Rule, new: Rule) -> Iterator[str]:
    if old.when != new.when:
        yield f"The rule {name} {_conditions(old.when, new.when)}."
    yield from _actions(name, old.then, new.then)
    if old.stop != new.stop:
        yield f"After the rule {name} fires, later rules are {'no longer' if new.stop else 'now also'} asked."


def _conditions(old: Expression, new: Expression) -> str:
    """`now fires at NPS 7 or less instead of 6 or less`, or what comes nearest to it."""
    ours, theirs = _parts(old), _parts(new)
    gone, came = [part for part in ours if part not in theirs], [part for part in theirs if part not in ours]
    alike = _joint(old) is _joint(new) or len(ours) == 1 or len(theirs) == 1
    if alike and len(gone) == len(came) == 1 and len(ours) == len(theirs):
        was, now = bound(gone[0]), bound(came[0])
        if was and now and was[0] == now[0]:
            return f"now fires at {now[0]} {now[1]} instead of {was[1]}"
        return f"now asks whether {clause(came[0])}, instead of whether {clause(gone[0])}"
    if alike and not gone and came:
        joint = _joint(new)
        said = listed([clause(part) for part in came], "and" if joint is And else "or")
        return f"now also asks that {said}" if joint is And else f"now also fires when {said}"
    if alike and gone and not came:
        joint = _joint(old)
        said = listed([clause(part) for part in gone], "and" if joint is And else "or")
        return f"no longer asks that {said}" if joint is And else f"no longer fires when {said}"
    return f"now fires when {condition(new)}; before, when {condition(old)}"


def _joint(tree: Expression) -> type[And] | type[Or] | None:
    if isinstance(tree, And):
        return And
    return Or if isinstance(tree, Or) else None


def _parts(tree: Expression) -> list[Expression]:
    return list(tree.items) if isinstance(tree, And | Or) else [tree]


def _actions(name: str, old: Action, new: Action) -> Iterator[str]:
    if old.create != new.create:
        yield f"The rule {name} now makes {a_kind(new.create)} instead of {a_kind(old.create)}."
    if old.mandatory != new.mandatory:
        yield f"What the rule {name} makes {'must now be done' if new.mandatory else 'need not be done any more'}."
    if old.priority != new.priority:
        yield f"What the rule {name} makes has the priority {new.priority} instead of {old.priority}."
    made = f"What the rule {name} makes"
    yield from _turned(made, ("is now due", "is no longer due"), "as {} says", old.sla, new.sla)
    yield from _turned(made, ("now goes", "no longer goes"), "to {}", old.assign, new.assign)
    yield from _turned(made, ("is now sent", "is no longer sent"), "to {}", _all(old.deliver), _all(new.deliver))
    yield from _turned(made, ("is now tagged", "is no longer tagged"), "with {}", _tags(old), _tags(new))
    if (old.key, old.join) != (new.key, new.join):
        said = " ".join(joining_words(new))
        yield f"What the rule {name} makes {f'may now join others. {said}' if said else 'no longer joins others.'}"


def _turned(what: str, verbs: tuple[str, str], form: str, old: str | None, new: str | None) -> Iterator[str]:
    """One value that came, went or changed; `verbs` say what is so now, and what no longer is."""
    if old == new:
        return
    if new is None:
        yield f"{what} {verbs[1]} {form.format(old)}."
    else:
        instead = "" if old is None else f" instead of {form.format(old)}"
        yield f"{what} {verbs[0]} {form.format(new)}{instead}."


def _all(names: Sequence[str]) -> str | None:
    return listed(names, "and") if names else None


def _tags(then: Action) -> str | None:
    return "the topics of the text" if then.tags == "topics" else _all(then.tags)


def _items(sla: str, before: Policy, after: Policy) -> str:
    """What the rules make under a service level: `Tickets`, or `Items` of several kinds."""
    kinds = {rule.then.create for policy in (before, after) for rule in policy.rules if rule.then.sla == sla}
    return f"{KINDS[kinds.pop()]}s" if len(kinds) == 1 else "Items"


def _sla(items: str, name: str, old: Sla, new: Sla) -> Iterator[str]:
    yield from _targets(f"{items} of {name}", old, new, old.calendar, new.calendar)
    for kind in dict.fromkeys([*old.kinds, *new.kinds]):
        whose = f"{KINDS.get(kind, kind)}s of {name}"
        yield from _targets(whose, old.kinds.get(kind), new.kinds.get(kind), old.calendar, new.calendar)
    for tier in dict.fromkeys([*old.tiers, *new.tiers]):
        whose = f"{items} of {name} for customers of the tier {tier}"
        yield from _targets(whose, old.tiers.get(tier), new.tiers.get(tier), old.calendar, new.calendar)
    if old.calendar != new.calendar:
        runs = "day and night" if new.calendar == ALWAYS else f"in the working hours of the calendar {new.calendar}"
        was = "day and night" if old.calendar == ALWAYS else f"in those of {old.calendar}"
        yield f"The clock of {name} now runs {runs} instead of {was}."
    if old.hand_off != new.hand_off:
        within = None if new.hand_off is None else length(new.hand_off, new.calendar)
        yield f"A hand-off under {name} {f'must be accepted within {within}' if within else 'has no clock any more'}."
    if old.escalate != new.escalate:
        levels = "; then ".join(escalation_words(step, new.calendar) for step in new.escalate)
        yield f"Escalation under {name}: {levels or 'nobody is told of a missed target any more'}."


def _targets(
    whose: str, old: Sla | Targets | None, new: Sla | Targets | None, old_calendar: str, new_calendar: str
) -> Iterator[str]:
    for target in TARGETS:
        was, now = getattr(old, target, None), getattr(new, target, None)
        if was == now:
            continue
        if now is None:
            yield f"{whose} have no time to be {_ENDED[target]} any more."
            continue
        said, instead = length(now, new_calendar), ""
        if was is not None:
            held = length(was, old_calendar)
            instead = f" instead of {was.amount if was.unit == now.unit and old_calendar == new_calendar else held}"
        yield f"{whose} {_DUE[target]} {said}{instead}."


_ENDED: Mapping[Target, str] = {"acknowledge": "acknowledged in", "contact": "contacted in", "resolve": "done in"}


def _threshold(name: str, old: Threshold, new: Threshold) -> Iterator[str]:
    if (old.axis, old.label) != (new.axis, new.label):
        yield f"The threshold {name} is now about {new.axis}.{new.label} instead of {old.axis}.{old.label}."
    if old.promise != new.promise:
        if new.promise is None:
            yield f"The threshold {name} no longer promises anything: it cannot be certified."
        else:
            was = f" instead of {percent(old.promise.precision)}" if old.promise else ""
            promised = (
                f"{percent(new.promise.precision)} precision{was}, at {percent(new.promise.confidence)} confidence"
            )
            yield f"The threshold {name} now promises {promised}."
    if old.uncertified != new.uncertified:
        if new.uncertified is None:
            yield f"Without a certificate for {name} a person now decides."
        else:
            was = f" instead of {percent(old.uncertified)}" if old.uncertified is not None else ""
            yield f"Without a certificate {name} now counts from {percent(new.uncertified)} on{was}."


def _split(name: str, old: Split, new: Split) -> Iterator[str]:
    by = field_words(old.by.name)
    for value in dict.fromkeys([*old.values, *new.values]):
        was, now = old.values.get(value, old.default), new.values.get(value, new.default)
        if was != now:
            said = f"{part_words(now)} instead of {part_words(was)}"
            yield f"In the group {name}, where {by} is {value}, it is now {said}."
    if old.default != new.default:
        yield f"In the group {name}, everybody else is now {part_words(new.default)}, not {part_words(old.default)}."


def _bypass(name: str, old: Bypass, new: Bypass) -> Iterator[str]:
    if old.when != new.when:
        yield f"The bypass {name} {_conditions(old.when, new.when)}."
    yield from _turned(f"The bypass {name}", ("now leads", "no longer leads"), "to {}", old.to, new.to)
    if old.quota != new.quota:
        yield f"The bypass {name} takes at most {new.quota:,} items a day instead of {old.quota:,}."
    if old.reason != new.reason:
        yield f'The reason kept with the bypass {name} is now "{value_words(new.reason)}".'


def _example(name: str, old: Example, new: Example) -> Iterator[str]:
    if old.record != new.record:
        yield f"The example {name} shows another record."
    if old.creates != new.creates:
        yield f"The example {name} must now make {kinds_of(new.creates)} instead of {kinds_of(old.creates)}."
