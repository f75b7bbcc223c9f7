"""A difference between two policies in plain English, one sentence for each thing that changes. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from service.route.clocks import Calendar, Sla
from service.route.difference_clocks import calendar_changes, sla_changes
from service.route.english import (
    Entry,
    action_words,
    answer_words,
    bypass_entry,
    calendar_entry,
    example_entry,
    group_entry,
    joining_words,
    part_words,
    rule_entry,
    sla_entry,
    threshold_words,
)
from service.route.expression import And, Compare, Expression, Fixed, Or, ThresholdOf, text_of
from service.route.phrases import (
    TURNED,
    a_kind,
    bound,
    clause,
    condition,
    field_words,
    kinds_of,
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
ORDERED = frozenset({"rules", "bypass"})  # sections that are looked at from top to bottom


def single(name: str, before: str | None, after: str | None, left: str | None) -> tuple[str, ...]:
    """The policy's name, its review group or its fallback; `left` is the group that is asked where this one is gone."""
    if name == "name":
        return (f"The policy is called {after} instead of {before}.",)
    what = {"review": "What the reading of a text leaves open", "fallback": "What nobody else can take"}[name]
    if after is None:
        now = f"it goes to {left}" if left else "it has no owner until somebody takes it"
        return (f"{what} no longer goes to {before}: {now}.",)
    return (f"{what} now goes to {after}{f' instead of {before}' if before else ''}.",)


def added(section: str, name: str, part: object, after: str | None) -> tuple[str, ...]:
    """A part that is new, with all it says; `after` is the one before it, where the order counts."""
    if section == "fields":
        return (f"Rules may now look at {name}, a {part}.",)
    place = "" if section not in ORDERED else ", asked first" if after is None else f", asked after {after}"
    return (f"New {_NOUNS[section]} {name}{place}: {' '.join(_told(part))}",)


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
        kinds = {rule.then.create for policy in (before, after) for rule in policy.rules if rule.then.sla == name}
        return tuple(sla_changes(kinds, name, old, new))
    if isinstance(old, Calendar) and isinstance(new, Calendar):
        return tuple(calendar_changes(name, old, new))
    if isinstance(old, Threshold) and isinstance(new, Threshold):
        return tuple(_threshold(name, old, new))
    if isinstance(old, Bypass) and isinstance(new, Bypass):
        return tuple(_bypass(name, old, new))
    if isinstance(old, Example) and isinstance(new, Example):
        return tuple(_example(name, old, new))
    if isinstance(old, Split) and isinstance(new, Split) and old.by == new.by:
        return tuple(_split(name, old, new))
    if isinstance(old, People) and isinstance(new, People):
        return tuple(_people(f"In the group {name}", old, new))
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
        yield f"The rule {name} {_conditions(_forward(old.when), _forward(new.when))}."
    yield from _actions(name, old.then, new.then)
    if old.stop != new.stop:
        yield f"After the rule {name} fires, later rules are {'no longer' if new.stop else 'now also'} asked."


def _conditions(old: Expression, new: Expression) -> str:
    """`now fires at NPS 7 or less instead of 6 or less`, or what comes nearest to it."""
    ours, theirs = _parts(old), _parts(new)
    if old == new or (_joint(old) is _joint(new) and sorted(map(text_of, ours)) == sorted(map(text_of, theirs))):
        return "asks the same, written in another order"
    gone, came = [part for part in ours if part not in theirs], [part for part in theirs if part not in ours]
    alike = _joint(old) is _joint(new) or len(ours) == 1 or len(theirs) == 1
    if alike and len(gone) == len(came) == 1 and len(ours) == len(theirs):
        was, now = bound(gone[0]), bound(came[0])
        if was and now and was[0] == now[0]:
            return f"now fires at {now[0]} {now[1]} instead of {was[1]}"
        asks, asked = clause(came[0]), clause(gone[0])
        if asks == asked:  # two fields that people call the same
            asks, asked = text_of(came[0]), text_of(gone[0])
        return f"now asks whether {asks}, instead of whether {asked}"
    if alike and not gone and came:
        joint = _joint(new)
        said = listed([clause(part) for part in came], "and" if joint is And else "or")
        return f"now also asks that {said}" if joint is And else f"now also fires when {said}"
    if alike and gone and not came:
        joint = _joint(old)
        said = listed([clause(part) for part in gone], "and" if joint is And else "or")
        return f"no longer asks that {said}" if joint is And else f"no longer fires when {said}"
    return f"now fires when {condition(new)}; before, when {condition(old)}"


def _forward(tree: Expression) -> Expression:
    """The same condition with what is looked at on the left of each of its comparisons: `0.5 <= a` is `a >= 0.5`."""
    if isinstance(tree, And | Or):
        return type(tree)(items=tuple(_forward(item) for item in tree.items))
    if isinstance(tree, Compare) and isinstance(tree.left, Fixed | ThresholdOf):
        return tree.model_copy(update={"left": tree.right, "op": TURNED[tree.op], "right": tree.left})
    return tree


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
        how = "can no longer" if new.mandatory else "can now"
        yield f"What the rule {name} makes {how} be closed without a contact attempt, an outcome and a root cause."
    if old.priority != new.priority:
        yield f"What the rule {name} makes has the priority {new.priority} instead of {old.priority}."
    made = f"What the rule {name} makes"
    yield from _turned(made, ("is now due", "is no longer due"), "as {} says", old.sla, new.sla)
    yield from _turned(made, ("now goes", "no longer goes"), "to {}", old.assign, new.assign)
    yield from _turned(made, ("is now sent", "is no longer sent"), "to {}", _all(old.deliver), _all(new.deliver))
    yield from _turned(made, ("is now tagged", "is no longer tagged"), "with {}", _tags(old), _tags(new))
    if (old.key, old.join) != (new.key, new.join):
        said = " ".join(joining_words(new))
        now = "joins others in another way now" if any(joining_words(old)) else "may now join others"
        yield f"What the rule {name} makes {f'{now}. {said}' if said else 'no longer joins others.'}"


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
        if isinstance(was, People) and isinstance(now, People):
            yield from _people(f"In the group {name}, where {by} is {value}", was, now)
        elif was != now:
            said = f"{part_words(now)} instead of {part_words(was)}"
            yield f"In the group {name}, where {by} is {value}, it is now {said}."
    if isinstance(old.default, People) and isinstance(new.default, People):
        yield from _people(f"In the group {name}, for everybody else", old.default, new.default)
    elif old.default != new.default:
        yield f"In the group {name}, everybody else is now {part_words(new.default)}, not {part_words(old.default)}."


def _people(where: str, old: People, new: People) -> Iterator[str]:
    came = [one for one in new.people if one not in old.people]
    gone = [one for one in old.people if one not in new.people]
    if came:
        yield f"{where}: {listed(came, 'and')} may now get items."
    if gone:
        yield f"{where}: {listed(gone, 'and')} may get no more items."
    if old.people != new.people and not came and not gone:
        yield f"{where}: of those with as few items, the first of {', '.join(new.people)} now gets the next."
    if old.capacity != new.capacity:
        most = "any number of" if new.capacity is None else f"at most {new.capacity:,}"
        was = "" if old.capacity is None else f" instead of {old.capacity:,}"
        yield f"{where}: each may now have {most} open items{was}."
    yield from _turned(f"{where}: the manager", ("is now", "is no longer"), "{}", old.manager, new.manager)
    hours = ("are now", "are no longer")
    yield from _turned(f"{where}: working hours", hours, "those of {}", old.calendar, new.calendar)
    what = f"{where}: what they cannot take"
    yield from _turned(what, ("now goes", "no longer goes"), "to {}", old.fallback, new.fallback)
    for skill in dict.fromkeys([*old.skills, *new.skills]):
        before, after = (_all(one.skills.get(skill, ())) for one in (old, new))
        yield from _turned(f"{where}: {skill}", ("is now for", "is no longer for"), "{}", before, after)


def _bypass(name: str, old: Bypass, new: Bypass) -> Iterator[str]:
    if old.when != new.when:
        yield f"The bypass {name} {_conditions(_forward(old.when), _forward(new.when))}."
    yield from _turned(f"The bypass {name}", ("now leads", "no longer leads"), "to {}", old.to, new.to)
    if old.quota != new.quota:
        yield f"The bypass {name} takes at most {new.quota:,} items a day instead of {old.quota:,}."
    if old.reason != new.reason:
        yield f'The reason kept with the bypass {name} is now: "{value_words(new.reason)}"'


def _example(name: str, old: Example, new: Example) -> Iterator[str]:
    if old.record != new.record:
        yield f"The example {name} is now {answer_words(new)} instead of {answer_words(old)}."
    if old.creates != new.creates:
        yield f"The example {name} must now make {kinds_of(new.creates)} instead of {kinds_of(old.creates)}."
