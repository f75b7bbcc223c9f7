"""Lights: in which of four states a promise stands, and what is said about it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from calibration.promise import Promise
from service.lab.incoming.traffic import Flow
from service.lab.watch.light import Attempt, Facts, Lane, Light, Load, Proof, judge
from service.lab.watch.light_words import Checked, Range

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NINE_IN_TEN = Promise(precision=0.90, confidence=0.95)
SHOP = Flow("shop", "en", 900)
PROOF = Proof(
    NINE_IN_TEN,
    NOW + timedelta(weeks=20),
    Checked(412, date(2026, 11, 3), date(2026, 11, 17)),
    Range(0.66, 0.58, 0.73, 120),
)
CERTIFIED = Facts("sentiment", "negative", NINE_IN_TEN, [Lane(SHOP, 0.8, certified=True)], PROOF)
NEVER = Facts(
    "sentiment", "negative", NINE_IN_TEN, [Lane(SHOP, None, certified=False)], attempt=Attempt(18, 29, seconds=49)
)
UNPROVED = replace(NEVER, lanes=[Lane(SHOP, 0.8, certified=False)])
VOIDED = replace(CERTIFIED, lanes=[Lane(SHOP, None, certified=False, against="The certificate ran out on 3 Nov 2026.")])


def test_a_promise_is_said_in_natural_frequencies():
    light = judge(CERTIFIED, NOW)
    assert (light.state, light.promised, light.why, light.next_step) == (Light.PROMISED, True, [], "")
    assert light.sentence == (
        "Of every 100 answers that heed takes for negative by itself, at least 90 are (we can be wrong about this "
        "statement 1 time in 20). It finds about 66 of 100 such answers (58 to 73); the other 34 it does not act on. "
        "Based on 412 answers checked blind between 3 and 17 Nov 2026."
    )


def test_a_refusal_says_how_much_is_missing():
    light = judge(NEVER, NOW)
    assert light.sentence == "No promise possible yet. 18 checked answers, 29 needed. Label 11 more (about 9 minutes)."
    assert light.next_step == "Draw a sample, label it, then start a run."
    waiting = replace(NEVER, attempt=Attempt(18, 29, waiting=40, seconds=15))
    assert judge(waiting, NOW).next_step == "Label the 40 cards that wait (about 10 minutes), then start a run."


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
        (UNPROVED, Light.WATCH, "heed acts without a promise, where it is 80 % sure: nothing is proved yet"),
        (replace(UNPROVED, promise=None), Light.WATCH, "the policy asks for no proof"),
        (replace(NEVER, lanes=[]), Light.REVIEW_ALL, "nothing acts on it"),
    ],
)
def test_the_state_has_its_reason(facts, state, why):
    light = judge(facts, NOW)
    assert light.state is state
    assert why in " ".join(light.why)


@pytest.mark.parametrize(
    ("daily", "room", "state"),
    [(12.0, 11, Light.OVER_CAPACITY), (11.0, 11, Light.PROMISED), (12.0, None, Light.PROMISED)],
)
def test_more_than_people_can_take_is_over_capacity(daily, room, state):
    light = judge(replace(CERTIFIED, loads=[Load("desk", daily, room)]), NOW)
    assert light.state is state
    assert ("About 12 items a day come to desk" in " ".join(light.why)) is (state is Light.OVER_CAPACITY)
    assert light.promised


def test_nobody_is_crowded_by_what_people_decide_anyhow():
    assert judge(replace(NEVER, loads=[Load("desk", 99.0, 1)]), NOW).state is Light.REVIEW_ALL


def test_sources_and_languages_that_stand_otherwise_are_told_apart():
    german = Lane(Flow("shop", "de", 90), None, certified=False, against="People decide since 3 Nov.")
    other = Lane(Flow("app", "und", 9), 0.8, certified=False)
    light = judge(replace(CERTIFIED, lanes=[*CERTIFIED.lanes, german, other]), NOW)
    assert light.state is Light.PROMISED
    assert [(one.where, one.state, one.records) for one in light.parts] == [
        ("shop in en", Light.PROMISED, 900),
        ("shop in de", Light.REVIEW_ALL, 90),
        ("app in no known language", Light.WATCH, 9),
    ]
    assert judge(CERTIFIED, NOW).parts == ()


def test_a_voided_promise_is_not_called_one_that_was_never_made():
    assert judge(VOIDED, NOW).sentence.startswith("No promise holds now.")
    assert not judge(VOIDED, NOW).promised
