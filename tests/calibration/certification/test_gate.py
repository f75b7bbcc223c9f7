"""The gate: what certifies, what is refused, and what the reader is told."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.certification.agreement import overlap, people_agree
from calibration.certification.evidence import gather
from calibration.certification.gate import judge
from calibration.certification.gold import Standing
from calibration.certification.items import questions
from calibration.labels.label import Label
from calibration.promise import Promise

NINETY = Promise(precision=0.90, confidence=0.95)


def label(number, *, right=True, score=0.9, rater="ana", **facts):
    said = Label(
        f"r-{number}",
        f"The parcel came {number} days late",
        "topic",
        "delivery",
        score,
        right,
        rater,
        "audit",
        blind=True,
    )
    return replace(said, **facts)


def sound(n=100, wrong=0, doubled=40, **facts):
    """n audit texts above 0.9 judged blind, the last ones wrong, and 40 texts below; some judged by a second person."""
    first = [label(number, right=number < n - wrong, **facts) for number in range(n)]
    below = [label(n + number, right=False, score=0.1, **facts) for number in range(40)]
    again = [replace(one, rater="jan") for one in [*first[: doubled // 2], *below[: doubled - doubled // 2]]]
    return [*first, *below, *again]


def verdict(labels, **options):
    (question,) = questions(labels)
    return judge(question, NINETY, **options)


def failed(found):
    return {check.name: check.finding for check in found.checks if not check.holds}


def test_blind_uniform_labels_that_people_agree_on_certify():
    found = verdict(sound())

    assert found.certified
    assert (found.threshold, found.outcome.n, found.outcome.right) == (0.9, 100, 100)
    assert [check.finding for check in found.checks] == [
        "140 texts were drawn at random.",
        "140 texts were judged blind.",
        (
            "On the 40 texts that two people judged, agreement beyond chance (alpha: 1 is perfect, 0 is guessing) is "
            "1.00, with 95 % confidence "
            "above 0.86 (0.667 is needed)."
        ),
        "At 0.9 and above, 100 of 100 were right.",
    ]


@pytest.mark.parametrize(
    ("labels", "check", "words"),
    [
        (sound(pool=None), "drawn at random", "The file does not say how its texts were chosen"),
        (sound(pool="targeted"), "drawn at random", "No text was drawn at random (pool audit)"),
        (sound(blind=None), "blind", "The file does not say whether people answered before they saw"),
        (sound(blind=False), "blind", "No answer was blind"),
        (sound(doubled=0), "people agree", "Of the texts that count, 0 were judged by two people, 30 are needed"),
        (sound(doubled=12), "people agree", "let a second person judge 18 more"),
        (sound(n=28), "labels suffice", "28 checked answers at or above 0.9, 29 needed even if all are right"),
        (sound(wrong=20), "labels suffice", "20 of 100 checked answers at or above 0.9 are wrong"),
    ],
)
def test_a_condition_that_fails_is_told_with_its_remedy(labels, check, words):
    found = verdict(labels)

    assert not found.certified
    assert found.threshold is None
    assert words in failed(found)[check]


@pytest.mark.parametrize("unsaid", [{"pool": None}, {"blind": None}, {"pool": None, "blind": None}])
def test_a_file_that_does_not_say_how_it_was_made_is_computed_and_refused(unsaid):
    found = verdict(sound(**unsaid))

    assert (found.outcome.threshold, found.threshold) == (0.9, None)
    assert "labels suffice" not in failed(found)


def test_labels_of_the_targeted_pool_and_seen_ones_are_left_out():
    targeted = [label(1000 + number, right=False, pool="targeted") for number in range(50)]
    seen = [label(2000 + number, right=False, blind=False) for number in range(50)]

    found = verdict([*sound(), *targeted, *seen])

    assert found.certified
    assert (found.outcome.n, found.evidence.audit) == (100, 190)


def test_copies_of_a_text_are_one_proof():
    copies = [replace(label(1), id=f"copy-{number}") for number in range(200)]

    found = verdict(copies)

    assert found.outcome.have == 1


def test_people_who_contradict_each_other_are_below_the_floor():
    labels = sound(doubled=0)
    other = [replace(one, rater="jan", human=bool(number % 2)) for number, one in enumerate(labels)]

    found = verdict([*labels, *other])

    assert "is needed: sharpen the guideline where people differ" in failed(found)["people agree"]


def twice_judged(alike=58, rarer=2, differing=0):
    """A hundred sure texts, and so many pairs of answers: both yes, both no, and one of each."""
    pairs = [(True, True)] * alike + [(False, False)] * rarer + [(True, False)] * differing
    low = [
        label(number, right=right, score=0.2, rater=rater)
        for number, pair in enumerate(pairs)
        for rater, right in zip(("ana", "jan"), pair, strict=True)
    ]
    return [*low, *(label(1000 + number) for number in range(100))]


@pytest.mark.parametrize(
    ("pairs", "rule"),
    [
        ({}, "same answer"),  # alpha's lower bound is 0.25
        ({"alike": 57, "differing": 1}, "same answer"),
        ({"alike": 59, "rarer": 1}, "same answer"),  # 1 time in 120 by guessing
        ({"alike": 57, "rarer": 1, "differing": 2}, None),  # alpha 0.48: of the rarer ones most are contested
        ({"alike": 60, "rarer": 0}, None),  # nobody has shown that they can say no
        ({"alike": 58, "rarer": 0, "differing": 2}, None),
        ({"alike": 30, "rarer": 26, "differing": 4}, "alpha"),
        ({"alike": 30, "rarer": 22, "differing": 8}, None),
        ({"alike": 27, "rarer": 2}, None),  # too few
    ],
)
def test_where_nearly_all_answers_are_alike_people_may_prove_otherwise_that_they_agree(pairs, rule):
    found = verdict(twice_judged(**pairs))

    assert found.agreement.rule == rule
    assert found.certified == (rule is not None)
    if rule == "same answer":
        assert found.agreement.alpha.low < 0.667 <= found.agreement.alpha.value
        assert "Nearly all answers are the same, and the others too few to say more." in found.checks[2].finding


def test_by_guessing_is_how_often_answers_dealt_out_anew_agree_on_so_many():
    labels = twice_judged(alike=3, rarer=2, differing=1)
    (question,) = questions(labels)
    dealt = np.random.default_rng(1).permuted(np.tile(np.repeat([1, 0], [5, 7]), (20_000, 1)), axis=1)
    as_many = (dealt.reshape(-1, 6, 2).all(axis=2).sum(axis=1) >= 2).mean()

    found = people_agree(question.items)

    assert (found.n, found.rarer) == (6, 2)
    assert found.by_guessing == pytest.approx(as_many, abs=0.01)


def test_a_third_person_who_was_asked_since_two_differ_is_no_sign_that_people_agree():
    differing = [replace(label(n, score=0.2), rater="eva", tiebreak=True) for n in range(52, 60)]

    found = verdict([*twice_judged(alike=30, rarer=22, differing=8), *differing])

    assert found.agreement.alpha == verdict(twice_judged(alike=30, rarer=22, differing=8)).agreement.alpha
    assert found.evidence.unsettled == 0


def test_unanimous_people_leave_agreement_undefined_and_the_promise_refused():
    labels = [label(number, rater=rater) for number in range(60) for rater in ("ana", "jan")]

    assert "agreement cannot be measured" in failed(verdict(labels))["people agree"]


def test_a_disputed_text_counts_as_wrong_until_somebody_decides():
    labels = [one for one in sound() if one.id != "r-0"]
    dispute = [label(0), label(0, right=False, rater="jan")]

    before = verdict([*labels, *dispute])
    after = verdict([*labels, *dispute, label(0, rater="eva", blind=False, adjudicated=True)])

    assert (before.outcome.n, before.outcome.right, before.evidence.unsettled) == (100, 99, 1)
    assert "Of these, 1 is a disputed or unsure text that counts as wrong" in before.checks[3].finding
    assert (after.outcome.n, after.outcome.right, after.evidence.unsettled) == (100, 100, 0)


def test_a_text_nobody_was_sure_of_counts_as_wrong():
    labels = [one for one in sound() if one.id != "r-0"]

    found = verdict([*labels, label(0, right=None)])

    assert (found.outcome.n, found.outcome.right) == (100, 99)


def test_an_adjudicated_answer_that_settles_nothing_certifies_nothing():
    found = verdict([label(number, blind=False, adjudicated=True) for number in range(100)])

    assert not found.certified
    assert found.outcome.have == 0
    assert "No answer was blind" in failed(found)["blind"]


def test_unequal_chances_are_thinned_to_equal_ones():
    half = [replace(one, inclusion_probability=0.5 if number % 2 else 1.0) for number, one in enumerate(sound(300))]
    (question,) = questions([replace(one, inclusion_probability=0.5 if int(one.id[2:]) % 2 else 1.0) for one in half])

    found = judge(question, NINETY, seed=1)

    assert len(found.evidence.sample) < len(found.evidence.blind) == 340
    assert all(item.ids[0] for item in found.evidence.sample)
    assert "were left out again, so that all had the same chance" in found.checks[0].finding
    assert found == judge(question, NINETY, seed=1)


def at_line(n=100, wrong=0):
    """What a draw at the line leaves: all from 0.3 up with one chance, those below with a fifth of it."""
    return [replace(one, inclusion_probability=1.0 if one.probability >= 0.3 else 0.2) for one in sound(n, wrong)]


def test_from_the_line_up_nothing_is_thinned_and_below_it_nothing_counts():
    found, blunt = verdict(at_line(), line=0.3), verdict(at_line())

    assert found.certified
    assert (found.outcome.n, len(found.evidence.sample), found.evidence.below_line) == (100, 100, 40)
    assert found.checks[0].finding == "140 texts were drawn at random; 40 below 0.3 say nothing here."
    assert found.agreement == blunt.agreement
    assert len(blunt.evidence.sample) < 100
    assert (blunt.evidence.below_line, blunt.evidence.line) == (0, None)


def test_unequal_chances_above_the_line_are_thinned_among_themselves():
    labels = [
        replace(one, inclusion_probability=0.5 if one.probability >= 0.3 and int(one.id[2:]) % 2 else 1.0)
        for one in sound(300)
    ]

    found = verdict(labels, line=0.3)

    assert found.evidence.thinned == 300 - len(found.evidence.sample) > 50
    assert {item.inclusion_probability for item in found.evidence.sample} == {0.5, 1.0}
    assert re.search(r"; 40 below 0\.3 say nothing here; \d+ were left out again, so", found.checks[0].finding)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**16), st.floats(0.01, 1))
def test_what_lies_below_the_line_changes_no_outcome(seed, chance):
    generator = np.random.default_rng(seed)
    above = [label(n, right=bool(generator.random() < 0.95), score=float(generator.uniform(0.3, 1))) for n in range(90)]
    below = [
        label(n, right=bool(generator.random() < 0.5), score=float(generator.uniform(0, 0.29))) for n in range(90, 130)
    ]
    above = [replace(one, inclusion_probability=1.0) for one in above]
    below = [replace(one, inclusion_probability=chance) for one in below]

    assert verdict([*above, *below], line=0.3).outcome == verdict(above).outcome


def test_a_threshold_below_the_line_cannot_be_judged():
    with pytest.raises(ValueError, match=r"grid must lie at or above the line of 0\.5, not reach down to 0\.3"):
        verdict(sound(), line=0.5)


def test_two_of_three_people_are_gold():
    labels = [one for one in sound() if one.id != "r-0"]
    three = [label(0), label(0, right=False, rater="jan"), label(0, rater="eva")]

    found = verdict([*labels, *three])

    assert (found.outcome.right, found.evidence.unsettled, found.evidence.standing(Standing.MAJORITY)) == (100, 0, 1)


def test_chances_stated_for_some_texts_only_are_refused():
    labels = sound()

    found = verdict([replace(labels[50], inclusion_probability=0.5), *labels[:20], *labels[60:]])

    assert "state all or none" in failed(found)["drawn at random"]


def test_the_overlap_holds_sure_blind_answers_of_two_people():
    labels = [
        label(1),
        label(1, right=False, rater="jan"),
        label(2),
        label(2, right=None, rater="jan"),
        label(3),
        label(3, rater="jan", blind=False),
        label(4),
        label(4, rater="eva", adjudicated=True),
    ]
    (question,) = questions(labels)

    assert overlap(gather(question).blind).tolist() == [[1.0, 0.0]]


def test_the_overlap_of_a_crowd_is_as_wide_as_its_busiest_text():
    pairs = [label(number, right=right, rater=f"{right} {number}") for number in range(500) for right in (True, False)]
    (question,) = questions([*pairs, label(0, rater="third")])

    found = overlap(gather(question).blind)

    assert found.shape == (500, 3)
    assert np.nansum(found) == 501


@pytest.mark.parametrize("floor", [-0.1, 1.1])
def test_a_floor_out_of_range_is_refused(floor):
    with pytest.raises(ValueError, match="agreement_floor must be from 0 to 1"):
        verdict(sound(), agreement_floor=floor)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**16))
def test_one_more_error_never_loosens_what_was_promised(seed):
    generator = np.random.default_rng(seed)
    labels = [
        label(number, right=bool(generator.random() < score), score=round(float(score), 2))
        for number, score in enumerate(generator.beta(4, 1, 150))
    ]
    before = verdict(labels).outcome
    if not hasattr(before, "lower_bound"):
        return
    passing = next(place for place, one in enumerate(labels) if one.probability >= before.threshold and one.human)
    labels[passing] = replace(labels[passing], human=False)
    after = verdict(labels).outcome

    assert not hasattr(after, "lower_bound") or after.threshold >= before.threshold
