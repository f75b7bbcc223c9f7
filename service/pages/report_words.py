"""How reports say things: states with their signs, gate changes, and what acts without any promise. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service.lab.watch.light import Light
from service.lab.watch.light_words import title
from service.route.expression import And, Compare, Expression, FieldOf, Fixed, Not, Or, TopicOf
from service.route.phrases import BELIEFS, condition, percent
from service.route.policy import Policy
from service.store.lab_tables import GateChange


@dataclass(frozen=True, slots=True)
class State:
    """A state's word, its sign and its colour: never colour alone."""

    word: str
    sign: str
    tone: str
    meaning: str


STATES: Mapping[Light, State] = {
    Light.PROMISED: State("promised", "✓", "good", "proved and in date: heed acts by itself where it is sure enough"),
    Light.WATCH: State(
        "watch",
        "!",
        "warn",
        "heed acts by itself, but a promise is in doubt, ends soon, or was never made",
    ),
    Light.REVIEW_ALL: State("review all", "‖", "calm", "nothing passes by itself: people decide about each"),
    Light.OVER_CAPACITY: State(
        "over capacity",
        "▲",
        "bad",
        "who gets these has as many open items as the policy allows",
    ),
}
_NOT_COVERED = (
    "sources and languages that were not sampled; each report names those that were",
    "topics or words that came up after the sample was drawn",
    "a single customer or a single answer: a promise is about many",
    "one text that comes many times: each distinct text was checked once",
    "a changed model, list of topics or preparation of texts: heed ends the promise by itself then",
    "how the world changes from now on: only fresh blind labels can tell",
    "what a rule makes of an answer: the promise is about how the answer is understood",
)


def not_covered() -> tuple[str, ...]:
    """What no promise is about."""
    return _NOT_COVERED


def unproved(policy: Policy) -> list[str]:
    """The beliefs that rules compare with a number of their own: they act, and nobody can prove anything there."""
    found = [f"Rule {rule.name}: {words}" for rule in policy.rules for words in dict.fromkeys(_fixed(rule.when))]
    return list(dict.fromkeys(found))


def _fixed(tree: Expression) -> Iterator[str]:
    if isinstance(tree, And | Or):
        for item in tree.items:
            yield from _fixed(item)
    elif isinstance(tree, Not):
        yield from _fixed(tree.item)
    elif isinstance(tree, Compare):
        sides = (tree.left, tree.right)
        belief = any(isinstance(one, TopicOf) or (isinstance(one, FieldOf) and one.name in BELIEFS) for one in sides)
        if belief and any(isinstance(one, Fixed) for one in sides):
            yield condition(tree)


def change_words(change: GateChange) -> str:
    """What a gate change does, in a sentence."""
    about = f"{title(change.axis, change.label)}{_scope(change)}"
    if change.action == "issue":
        where = "with a new certificate" if change.after is None else f"from {percent(change.after)} sure on"
        before = "" if change.before is None else f", instead of {percent(change.before)}"
        return f"{about}: let heed act by itself {where}{before}."
    if change.action == "move":
        way = "down" if change.loosens else "up"
        return f"{about}: move the threshold {way}, from {_at(change.before)} to {_at(change.after)}."
    if change.action == "hold":
        return f"{about}: let people decide about each."
    return f"{about}: lift the hold, so that heed acts by itself again{_from(change.after)}."


def _at(threshold: float | None) -> str:
    return "nowhere" if threshold is None else percent(threshold)


def _from(threshold: float | None) -> str:
    return "" if threshold is None else f" from {percent(threshold)} sure on"


def _scope(change: GateChange) -> str:
    source = f" of {change.source}" if change.source else ""
    language = f" in {change.language}" if change.language else ""
    return source + language
