"""Lights: in which of four states a promise stands, and what is said about it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from calibration.promise import Promise
from calibration.result import Estimate
from service.lab.incoming.flows import Flow
from service.lab.watch.light import Attempt, Facts, Lane, Light, Proof, judge
from service.lab.watch.light_words import Checked
from service.lab.watch.load import Load

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NINE_IN_TEN = Promise(precision=0.90, confidence=0.95)
SHOP = Flow("shop", "en", 900)
PROOF = Proof(
    NINE_IN_TEN,
    NOW + timedelta(weeks=20),
    Checked(412, date(2026, 11, 3), date(2026, 11, 17), threshold=0.8, acted=152, right=147),
    Estimate(0.66, 0.58, 0.73, 0.95, 120, "ratio"),
)
CERTIFIED = Facts("sentiment", "negative", NINE_IN_TEN, [Lane(SHOP, 0.8, certified=True)], PROOF)
NEVER = Facts(
    "sentiment", "negative", NINE_IN_TEN, [Lane(SHOP, None, certified=False)], attempt=Attempt(18, 29, seconds=49)
)
UNPROVED = replace(NEVER, lanes=[Lane(SHOP, 0.8, certified=False)])
HELD = replace(CERTIFIED, lanes=[Lane(SHOP, None, certified=False, against="A strange week.", held="person")])
ALARM = replace(
    CERTIFIED,
    lanes=[Lane(SHOP, None, certified=False, against="9 of 9 wrong.", held="alarm")],
    attempt=Attempt(0, 36, seconds=20),
)
VOIDED = replace(CERTIFIED, lanes=[Lane(SHOP, None, certified=False, against="The certificate ran out on 3 Nov 2026.")])


def test_a_promise_is_said_in_natural_frequencies():
    light = judge(CERTIFIED, NOW)
    assert (light.state, light.promised, light.why, light.next_step) == (Light.PROMISED, True, [], "")
    assert light.sentence == (
        "Of every 100 answers that heed takes for negative by itself, at least 90 are (we can be wrong about this "
        "statement 1 time in 20). It finds about 66 of 100 such answers (58 to 73); the other 34 it does not act on. "
        "It acts where it is 80 % sure or more: of 412 answers checked blind between 3 and 17 Nov 2026 these were 152, "
        "and 147 of them right."
    )


def test_a_refusal_says_how_much_is_missing():
    light = judge(NEVER, NOW)
    assert light.sentence == (
        "No promise yet. 18 checked answers, at least 29 needed. Label 11 more (about 9 minutes)."
    )
    assert light.next_step.startswith("An administrator draws a fresh sample")
    waiting = judge(replace(NEVER, attempt=Attempt(18, 29, waiting=40, seconds=15)), NOW)
    assert waiting.sentence == "No promise yet. 18 checked answers, at least 29 needed."
    assert waiting.next_step == (
        "Reviewers label the 40 cards that wait (about 10 minutes); then an administrator starts a run."
    )


@pytest.mark.parametrize(
    ("facts", "sentence", "next_step"),
    [
        (replace(NEVER, attempt=Attempt(51, 29)), "51 checked answers: enough to test it.", "enough checked answers"),
        (
            replace(NEVER, attempt=Attempt(0, 36, refusal="7 were wrong.", advice="Mend it.")),
            "7 were wrong.",
            "Mend it.",
        ),
        (HELD, "The promise rests while people decide. What was proved stays proved.", "asks on its page to lift this"),
        (replace(ALARM, anew=True), "nothing passes by itself until a second", "asks on its page to lift this"),
        (replace(NEVER, awaited=True), "nothing passes by itself until a second", "who did not start the run agrees"),
        (
            replace(NEVER, attempt=Attempt(40, 29, refusal="People differ.", advice="Mend it.", looked_at=40)),
            "",
            "Mend it.",
        ),
        (ALARM, "No promise holds any more. 0 checked answers, at least 36 needed.", "Look on its page at what went"),
    ],
)
def test_no_sentence_asks_for_what_is_there_or_cannot_help(facts, sentence, next_step):
    light = judge(facts, NOW)
    assert light.state is Light.REVIEW_ALL
    assert sentence in light.sentence
    assert next_step in light.next_step
    assert "Label 0 more" not in light.sentence


@pytest.mark.parametrize(
    ("facts", "state", "why"),
    [
        (CERTIFIED, Light.PROMISED, ""),
        (replace(CERTIFIED, proof=replace(PROOF, expires_at=NOW + timedelta(days=7))), Light.PROMISED, ""),
        (replace(CERTIFIED, proof=replace(PROOF, expires_at=NOW + timedelta(days=6))), Light.WATCH, "ends on 28 Nov"),
        (replace(CERTIFIED, proof=replace(PROOF, against="6 of 40 were wrong.")), Light.WATCH, "6 of 40 were wrong."),
        (replace(CERTIFIED, proof=replace(PROOF, drift="Other texts.")), Light.WATCH, "Other texts."),
        (VOIDED, Light.REVIEW_ALL, "ran out on 3 Nov"),
        (NEVER, Light.REVIEW_ALL, "a person decides about each"),
        (UNPROVED, Light.WATCH, "where it is 80 % sure or more: nothing is proved, and the policy lets it."),
        (replace(UNPROVED, promise=None), Light.WATCH, "and asks for no proof"),
        (replace(NEVER, lanes=[]), Light.REVIEW_ALL, "nothing acts on it"),
    ],
)
def test_the_state_has_its_reason(facts, state, why):
    light = judge(facts, NOW)
    assert light.state is state
    assert why in " ".join(light.why)


@pytest.mark.parametrize(
    ("each", "state"), [(19, Light.OVER_CAPACITY), (20, Light.OVER_CAPACITY), (21, Light.PROMISED)]
)
def test_a_group_is_over_capacity_when_each_has_as_many_open_items_as_the_policy_allows(each, state):
    load = Load("desk", ["ana", "jan"], each, open=[20, 25], daily=9.0, fallback="triage")
    light = judge(replace(CERTIFIED, loads=[load]), NOW)
    assert light.state is state
    said = (
        f"desk is full: ana and jan have 45 open items, and the policy allows {each} each. What comes now goes to tri"
    )
    assert (said in " ".join(light.why)) is (state is Light.OVER_CAPACITY)
    assert light.promised
    assert light.room == pytest.approx(2 * each * 9 / 45)  # an item stays open for five days


def test_who_has_no_limit_is_never_over_capacity_and_draws_no_line():
    unlimited = replace(CERTIFIED, loads=[Load("desk", ["ana"], 20, [3], 9.0)], unlimited=True)
    assert (judge(unlimited, NOW).state, judge(unlimited, NOW).room) == (Light.PROMISED, None)


def test_nobody_is_crowded_by_what_people_decide_anyhow():
    assert judge(replace(NEVER, loads=[Load("desk", ["ana"], 1, [9], 9.0)]), NOW).state is Light.REVIEW_ALL


def test_sources_and_languages_that_stand_otherwise_are_told_apart():
    german = Lane(Flow("shop", "de", 90), None, certified=False, against="People decide since 3 Nov.")
    other = Lane(Flow("app", "und", 9), 0.8, certified=False)
    shops = Lane(Flow("app", "en", 5), 0.8, certified=True)
    light = judge(replace(CERTIFIED, lanes=[*CERTIFIED.lanes, shops, german, other]), NOW)
    assert light.state is Light.PROMISED
    assert [(one.where, one.state, one.records) for one in light.parts] == [
        ("app and shop in English", Light.PROMISED, 905),
        ("shop in German", Light.REVIEW_ALL, 90),
        ("app in no known language", Light.WATCH, 9),
    ]
    assert judge(CERTIFIED, NOW).parts == ()


def test_a_voided_promise_is_not_called_one_that_was_never_made():
    assert judge(VOIDED, NOW).sentence.startswith("No promise holds any more.")
    assert not judge(VOIDED, NOW).promised
