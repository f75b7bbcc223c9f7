"""A whole policy in plain language: what it makes of which answer, for whom, and by when. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from service.route.clock_words import hours_words, sla_words, zone_words
from service.route.clocks import ALWAYS, Calendar, Sla
from service.route.phrases import (
    a_kind,
    condition,
    field_words,
    kinds_of,
    length,
    listed,
    percent,
    same_words,
    sentence,
    value_words,
)
from service.route.policy import Action, Bypass, Example, Group, Named, People, Policy, Rule, Threshold

_NOTHING: Mapping[str, Sequence[str]] = {}
_FEW = 3  # rules named one by one
_BELIEFS: Mapping[str, str] = {
    "sentiment": "the text sounds {}",
    "type": "the text is of the type {}",
    "urgency": "the urgency of the text is {}",
    "topic": "the text is about {}",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One named thing of a policy, in sentences."""

    name: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a policy under its heading; `key` is what the document calls it."""

    key: str
    title: str
    entries: tuple[Entry, ...]


def describe(policy: Policy, today: Mapping[str, Sequence[str]] = _NOTHING) -> tuple[Section, ...]:
    """Say everything a policy says, in the order of its rules; a part that it does not have is left out.

    `today` are sentences about how a threshold stands now, by its name: the policy itself knows no certificates.
    """
    sections = (
        Section("rules", "What is made of an answer", tuple(_rules(policy))),
        Section("bypass", "Straight to a person", tuple(bypass_entry(one) for one in policy.bypass)),
        Section("slas", "By when", tuple(sla_entry(name, sla) for name, sla in policy.slas.items())),
        Section("calendars", "Working hours", tuple(calendar_entry(name, c) for name, c in policy.calendars.items())),
        Section(
            "groups", "Who", (*(group_entry(name, group) for name, group in policy.groups.items()), *_last(policy))
        ),
        Section("thresholds", "How sure the reading must be", tuple(_thresholds(policy, today))),
        Section("examples", "Examples", tuple(example_entry(example) for example in policy.examples)),
    )
    return tuple(section for section in sections if section.entries)


def rule_entry(rule: Rule) -> Entry:
    """A rule on its own."""
    return Entry(rule.name, tuple(_rule(rule)))


def _rules(policy: Policy) -> Iterator[Entry]:
    made: dict[str, list[str]] = {}
    for rule in policy.rules:
        earlier = made.setdefault(rule.then.create, [])
        who = listed(earlier, "or") if 0 < len(earlier) <= _FEW else "one of the rules above"
        yields = f"Where {who} has made {a_kind(rule.then.create)} already, it makes none."
        yield Entry(rule.name, (*_rule(rule), *([yields] if earlier else [])))
        if not rule.stop:  # where a rule that ends the reading has fired, no later one is asked
            earlier.append(rule.name)


def _rule(rule: Rule) -> Iterator[str]:
    said = condition(rule.when)
    yield f"{'Always' if said == 'always' else f'When {said}'}: {action_words(rule.then)}."
    if rule.then.sla:
        yield f"It is due as the service level {rule.then.sla} says."
    if rule.then.tags == "topics":
        yield "It carries the topics of the text as tags."
    elif rule.then.tags:
        yield f"It carries the tag{'' if len(rule.then.tags) == 1 else 's'} {listed(rule.then.tags, 'and')}."
    yield from joining_words(rule.then)
    if rule.stop:
        yield "No later rule is asked then."


def action_words(then: Action) -> str:
    """What a rule makes: `a follow-up that must be done, urgent, for duty, sent to helpdesk`."""
    parts = [a_kind(then.create) + (" that must be done" if then.mandatory else "")]
    if then.priority != "normal":
        parts.append({"low": "not pressing", "high": "of high priority"}.get(then.priority, then.priority))
    if then.assign:
        parts.append(f"for {then.assign}")
    if then.deliver:
        parts.append(f"sent to {listed(then.deliver, 'and')}")
    return ", ".join(parts)


def joining_words(then: Action) -> Iterator[str]:
    """How an item joins an open one instead of being made; nothing where it never does."""
    if not then.key and then.join is None:
        return
    what = [same_words(part.name) for part in then.key]
    same = f"with {listed(what, 'and')}" if what else "of the same customer about the same topic"
    within = "" if then.join is None else f" that is at most {length(then.join, ALWAYS)} old"
    yield f"Where there is an open one {same}{within}, the answer joins that instead."


def bypass_entry(one: Bypass) -> Entry:
    """What goes straight to a person."""
    most = f"at most {one.quota:,} a day" if one.quota > 1 else "at most one a day"
    first = f"When {condition(one.when)}: what the rules make goes straight to {one.to}, {most}."
    return Entry(one.name, (first, f'The reason kept with it: "{value_words(one.reason)}"'))


def sla_entry(name: str, sla: Sla) -> Entry:
    """What is promised, on which hours, and who hears of a promise that was missed."""
    return Entry(name, tuple(sla_words(sla)))


def calendar_entry(name: str, calendar: Calendar) -> Entry:
    """When people work, where, and which days are free."""
    free = [f"The public holidays of {calendar.holidays} are free."] if calendar.holidays else []
    return Entry(name, (f"{hours_words(calendar)}, {zone_words(calendar)}.", *free))


def group_entry(name: str, group: Group) -> Entry:
    """Who is in a group, or which group it stands for."""
    return Entry(name, tuple(_group(group)))


def _group(group: Group) -> Iterator[str]:
    if isinstance(group, Named):
        yield f"The same as {group.name}."
    elif isinstance(group, People):
        yield f"{part_words(group)}."
    else:
        by = field_words(group.by.name)
        for value, part in group.values.items():
            yield f"Where {by} is {value}: {part_words(part)}."
        yield f"Anybody else, and where {by} is not known: {part_words(group.default)}."


def part_words(group: Group) -> str:
    """A group, or what stands for one value of a split one, in a line."""
    if isinstance(group, Named):
        return f"the group {group.name}"
    if isinstance(group, People):
        skilled = [f"{listed(people, 'and')} for {skill}" for skill, people in group.skills.items()]
        return "; ".join([_people(group), *skilled])
    by = field_words(group.by.name)
    parts = [f"where {by} is {value}, {part_words(part)}" for value, part in group.values.items()]
    return f"{'; '.join(parts)}; else {part_words(group.default)}"


def _people(group: People) -> str:
    parts = [listed(group.people, "and")]
    if group.capacity is not None:
        parts.append(f"each with at most {group.capacity:,} open item{'' if group.capacity == 1 else 's'}")
    if group.calendar:
        parts.append(f"working the hours of {group.calendar}")
    if group.manager:
        parts.append(f"managed by {group.manager}")
    if group.fallback:
        parts.append(f"what they cannot take goes to {group.fallback}")
    return ", ".join(parts)


def _last(policy: Policy) -> Iterator[Entry]:
    if policy.review:
        yield Entry(
            "review", (f"What the reading of a text leaves open goes to {policy.review}, where a person decides.",)
        )
    if policy.fallback:
        yield Entry("fallback", (f"What nobody else can take goes to {policy.fallback}.",))


def _thresholds(policy: Policy, today: Mapping[str, Sequence[str]]) -> Iterator[Entry]:
    for name, threshold in policy.thresholds.items():
        yield Entry(name, (*threshold_words(threshold), *today.get(name, ())))


def threshold_words(threshold: Threshold) -> Iterator[str]:
    """From where on a belief counts, and on whose word."""
    held = _BELIEFS[threshold.axis].format(threshold.label)
    promise = threshold.promise
    if promise is None:
        yield f"It says from where on {held}. Nothing is promised about it, so no certificate can stand behind it."
    else:
        yield (
            f"Of the texts taken to show that {held}, {percent(promise.precision)} must be rightly taken "
            f"({percent(promise.confidence)} confidence)."
        )
    if threshold.uncertified is None:
        yield "Without a certificate a person decides."
    else:
        until = "" if promise is None else "Until a certificate shows from where on that holds, "
        said = f"{until}it counts from {percent(threshold.uncertified)} on, and the decision says `uncertified`."
        yield sentence(said)


def example_entry(example: Example) -> Entry:
    """What an example has to make."""
    return Entry(example.name, (sentence(f"{answer_words(example)} must make {kinds_of(example.creates)}."),))


def answer_words(example: Example) -> str:
    """What answer an example is about: `an answer with NPS 3 and the customer's region emea`."""
    return f"an answer with {listed([*_facts('', example.record)] or ['nothing'], 'and')}"


def _facts(path: str, value: object) -> Iterator[str]:
    """What an example's record holds: `NPS 3`, `the customer's region emea`, `the text "..."`."""
    if path == "verbatims" and isinstance(value, Sequence):
        yield from (f'the text "{value_words(one["text"])}"' for one in value)
    elif path == "classification":
        yield "its reading written down"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _facts(f"{path}.{key}" if path else str(key), inner)
    else:
        yield f"{field_words(path)} {value_words(value)}"
