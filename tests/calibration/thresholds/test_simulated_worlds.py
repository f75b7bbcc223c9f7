"""The promise itself, kept in simulated worlds whose truth is known; small counts, all seeded."""

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from calibration.certification.evidence import gather
from calibration.certification.items import questions
from calibration.labels.label import Label
from calibration.promise import Promise
from calibration.sampling.design import AtLine
from calibration.sampling.draw import draw_at_line
from calibration.thresholds.precision import Certified, certify_precision
from calibration.thresholds.recall import CertifiedRecall, certify_recall
from calibration.thresholds.topics import TopicLabels, certify_topics

PROMISE = Promise(precision=0.90, confidence=0.95)
WORLDS = 300
COARSE = np.arange(30, 100, 3) / 100


def most_broken(error_rate, worlds=WORLDS):
    return error_rate + 3 * np.sqrt(error_rate * (1 - error_rate) / worlds)


def labelled(generator, n):
    """Two normal logits 3 standard deviations apart, calibrated, a quarter positive."""
    right = generator.random(n) < 0.25
    return expit(3 * generator.standard_normal(n) + np.where(right, 4.5, -4.5) - np.log(3)), right


def true_precision(threshold):
    hits = 0.25 * norm.sf((logit(threshold) + np.log(3) - 4.5) / 3)
    return hits / (hits + 0.75 * norm.sf((logit(threshold) + np.log(3) + 4.5) / 3))


def true_recall(threshold):
    return norm.sf((logit(threshold) + np.log(3) - 4.5) / 3)


def test_a_promise_is_broken_no_more_often_than_said_and_the_point_estimate_every_other_time():
    generator = np.random.default_rng(20261121)
    broken = refused = fooled = 0
    for _ in range(WORLDS):
        outcome = certify_precision(*labelled(generator, 400), PROMISE, grid=COARSE)
        point = [rung.threshold for rung in outcome.ladder if rung.n and rung.right >= 0.9 * rung.n][-1]
        fooled += true_precision(point) < 0.9
        if isinstance(outcome, Certified):
            broken += true_precision(outcome.threshold) < 0.9
        else:
            refused += 1

    assert broken / WORLDS <= most_broken(0.05)
    assert refused / WORLDS <= 0.15
    assert fooled / WORLDS > 0.25  # about half on the full grid; a coarse one leaves it less room to be wrong


@pytest.mark.parametrize("local", [lambda s: np.full(len(s), 0.9), lambda s: 0.8 + 0.2 * (s < 0.65)])
def test_where_no_threshold_keeps_the_promise_hardly_anything_is_certified(local):
    # A hair below the promise everywhere; and scores that rank the wrong way round, the worst that they can do.
    generator = np.random.default_rng(7)
    certified = 0
    for _ in range(WORLDS):
        scores = generator.uniform(0.3, 1.0, 300)
        right = generator.random(300) < local(scores) - 1e-3
        certified += isinstance(certify_precision(scores, right, PROMISE, grid=COARSE), Certified)

    assert certified / WORLDS <= most_broken(0.05)


TIED = np.array([0.95, 0.85, 0.75, 0.65, 0.55, 0.45])


@pytest.mark.parametrize(
    "local",
    [
        [0.99, 0.97, 0.94, 0.88, 0.6, 0.3],  # falls with the score, as it should
        [0.84, 0.88, 0.92, 0.94, 0.96, 0.8],  # rises as the score falls: only the middle keeps the promise
        [0.99, 0.99, 0.70, 0.99, 0.99, 0.8],  # dips and recovers
        [0.899] * 6,
    ],
)
@pytest.mark.parametrize(("target", "n"), [(0.9, 100), (0.9, 400), (0.95, 800), (0.8, 200)])
def test_heavy_ties_and_precision_that_does_not_follow_the_score_break_no_more_promises(local, target, n):
    shares, local = np.array([0.3, 0.2, 0.15, 0.15, 0.1, 0.1]), np.array(local)
    true = dict(zip(TIED, (shares * local).cumsum() / shares.cumsum(), strict=True))
    generator = np.random.default_rng(20261122)
    broken = 0
    for _ in range(WORLDS):
        level = generator.choice(6, n, p=shares)
        right = generator.random(n) < local[level]
        outcome = certify_precision(TIED[level], right, Promise(target, 0.95), grid=TIED)
        broken += isinstance(outcome, Certified) and true[outcome.threshold] < target

    assert broken / WORLDS <= most_broken(0.05)


def test_a_recall_promise_is_broken_no_more_often_than_said():
    generator = np.random.default_rng(3)
    broken = 0
    for _ in range(WORLDS):
        outcome = certify_recall(*labelled(generator, 400), recall=0.9, confidence=0.95)
        broken += isinstance(outcome, CertifiedRecall) and true_recall(outcome.threshold) < 0.9

    assert broken / WORLDS <= most_broken(0.05)


def test_several_topics_together_break_no_more_often_than_said():
    generator = np.random.default_rng(5)
    worlds = 100
    broken = 0
    for _ in range(worlds):
        topics = [TopicLabels(str(number), *labelled(generator, 800)) for number in range(3)]
        outcomes = [one.outcome for one in certify_topics(topics, PROMISE, grid=COARSE).outcomes]
        broken += any(isinstance(one, Certified) and true_precision(one.threshold) < 0.9 for one in outcomes)

    assert broken / worlds <= most_broken(0.05, worlds)


def attempted(generator, truth, attempts=4):
    """10 labels at a time and a look after each until something was tested; after a refusal, fresh labels."""
    for attempt in range(1, attempts + 1):
        scores, right = np.empty(0), np.empty(0)
        tested = False
        while not tested:
            scores = np.append(scores, generator.uniform(0.3, 1.0, 10))
            right = np.append(right, generator.random(10) < truth)
            outcome = certify_precision(scores, right, PROMISE.at_attempt(attempt), grid=COARSE)
            tested = isinstance(outcome, Certified) or outcome.tested
        if isinstance(outcome, Certified):
            return attempt
    return None


def test_looks_that_tested_nothing_are_free_and_all_attempts_err_at_most_twice_as_often_as_one():
    generator = np.random.default_rng(20261123)
    certified = [attempted(generator, truth=0.9 - 1e-3) for _ in range(WORLDS)]

    assert certified.count(1) / WORLDS <= most_broken(0.05)
    assert sum(one is not None for one in certified) / WORLDS <= most_broken(2 * 0.05)


def test_to_label_on_until_it_passes_breaks_the_promise_that_attempts_keep():
    # the rule that attempts replace: all labels so far, judged anew after every 10 at the full error
    generator = np.random.default_rng(20261124)
    worlds = 100
    fooled = 0
    for _ in range(worlds):
        right = generator.random(400) < 0.9 - 1e-3
        looks = (certify_precision(np.full(n, 0.9), right[:n], PROMISE, grid=[0.9]) for n in range(30, 401, 10))
        fooled += any(isinstance(one, Certified) for one in looks)

    assert fooled / worlds > most_broken(0.05, worlds)


def test_a_draw_at_the_line_keeps_the_promise():
    # below the line everything is wrong, so that a sample which mixed it in or weighed it wrongly would show
    generator = np.random.default_rng(11)
    ids = [str(number) for number in range(500)]
    worlds = 150
    broken = certified = 0
    for seed in range(worlds):
        scores = generator.random(500)
        right = generator.random(500) < np.where(scores < 0.3, 0, np.clip(0.55 + scores / 2, 0, 1))
        draw = draw_at_line(ids, scores, AtLine(labels=150, line=0.3), seed=seed)
        (question,) = questions(
            [
                Label(
                    one, one, "topic", "late", scores[int(one)], bool(right[int(one)]), "ana", "audit", pi, blind=True
                )
                for one, pi in zip(draw.ids, draw.inclusion_probability, strict=True)
            ]
        )
        evidence = gather(question, line=0.3)
        outcome = certify_precision(evidence.scores, evidence.right, PROMISE, grid=COARSE)
        if isinstance(outcome, Certified):
            certified += 1
            broken += np.clip(0.55 + np.linspace(outcome.threshold, 1, 1000) / 2, 0, 1).mean() < 0.9

    assert certified / worlds > 0.5
    assert broken / worlds <= most_broken(0.05, worlds)
