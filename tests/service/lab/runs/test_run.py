"""A run judges blind labels once: a certificate, or what is missing; and it never gets easier by looking again."""

import pytest
from judged import answered, arrive, drawn, judge, of_negative, sure
from read_records import DIGEST
from sqlalchemy import text
from sqlmodel import Session, select

from calibration.promise import MOST_ATTEMPTS, Promise
from service.lab.labels.evidence import newest_binding
from service.lab.runs import run as runs
from service.lab.runs.looks import next_look
from service.lab.runs.verdicts import Look, Pile, judged, refusal
from service.pipeline import recover
from service.store import jobs
from service.store.lab_tables import Certificate, GateChange
from service.store.tables import now


@pytest.fixture
def session(database):
    with Session(database.engine, expire_on_commit=False) as opened:
        yield opened


def careless(card) -> bool:
    """The model is right in four of five of what it is sure of."""
    return sure(card) and round(10_000 * card.probabilities["negative"]) % 5 != 0


def test_labels_that_suffice_are_a_certificate_of_what_was_sampled(session):
    arrive(session, 80, 200)
    sample = drawn(session, 60)
    answered(session, sample)
    result = judge(session, comment="The winter catalogue is out.")
    found, (row,) = of_negative(result), session.exec(select(Certificate)).all()
    threshold = found.threshold
    assert threshold.status == "certified"
    assert (row.state, row.threshold, row.n, row.correct) == ("live", threshold.value, threshold.n, threshold.correct)
    stands = next(one for one in threshold.proved if one.threshold == threshold.value)
    assert (stands.n, row.rungs[0] <= 0.8 <= row.threshold) == (threshold.n, True)  # where the policy let it pass
    assert row.correct == row.n >= 29
    assert (row.sources, row.languages, row.calibrators) == (["shop"], ["en"], {"shop": "identity@1"})
    read = newest_binding(session)
    assert (row.classifier, row.model_digest, row.preparation) == (read.classifier, read.model_digest, read.preparation)
    assert (row.samples, row.designs) == ([str(sample.id)], [sample.design])
    assert row.reference["cuts"] == sample.reference["negative"]["cuts"]
    assert sum(row.reference["counts"]) == 280  # all that came in lately, not the pool that a sample was drawn from
    assert "they agree on all labels at once by 1.00" in result.notes[0]
    assert session.exec(select(GateChange.reason)).one() == "The winter catalogue is out."
    assert (found.metrics.n, found.held_back) == (found.counts.sample, None)
    assert all((found.reliability, found.what_if, found.agreement.raters))
    assert found.sentence.startswith(f"Promised from {row.threshold:g} on: of every 100 texts")
    assert (result.headline, result.seed, len(result.labels_digest)) == ("Proved: negative.", 1, 64)


def test_too_few_labels_spend_nothing_and_show_nothing_of_the_model(session):
    arrive(session, 60, 120)
    answered(session, drawn(session, 30))
    first = of_negative(judge(session))
    assert (first.threshold.status, first.threshold.reason_code, first.threshold.tested) == (
        "refused",
        "too few labels",
        False,
    )
    assert (first.threshold.have, first.threshold.need) == (first.counts.sample, 29)
    assert f"{29 - first.threshold.have} more" in first.threshold.label_next.sentence
    shown = (first.metrics, first.reliability, first.mistakes, first.what_if, first.agreement.model)
    assert shown == (None, (), (), (), None)
    assert {rung.correct for rung in first.ladder} == {None}
    answered(session, drawn(session, 30))
    second = of_negative(judge(session))
    assert (second.threshold.status, second.attempt, second.counts.cards) == ("certified", 1, 60)


def test_a_promise_that_was_tested_and_refused_takes_fresh_labels_and_half_the_error(session):
    arrive(session, 200, 200)
    answered(session, drawn(session, 60), careless)
    first = of_negative(judge(session))
    assert (first.threshold.reason_code, first.threshold.tested) == ("too many errors", True)
    assert "The labels of this run are spent" in first.threshold.label_next.sentence
    assert all((first.mistakes, first.metrics))
    again = of_negative(judge(session))
    assert (again.threshold.have, again.attempt, again.threshold.need) == (0, 2, 36)
    answered(session, drawn(session, 70))
    result = judge(session)
    third = of_negative(result)
    assert (third.threshold.status, third.attempt, third.counts.cards) == ("certified", 2, 70)
    assert third.confidence == pytest.approx(0.975)
    assert any("attempt 2 at this promise" in note for note in result.notes)
    after = of_negative(judge(session))
    assert (after.attempt, after.threshold.have, after.threshold.need) == (3, 0, 42)
    session.execute(text("UPDATE calibration_run SET finished_at = finished_at - interval '27 weeks'"))
    following = next_look(session, "sentiment", "negative", None, newest_binding(session))
    assert (following.attempt, following.spent) == (1, False)  # the certificate has had its whole life


def test_where_no_attempt_is_left_the_refusal_says_so():
    look = Look("sentiment", "negative", None, Promise(0.9, 0.95), MOST_ATTEMPTS, sharing=1, seed=1, spent=True)
    said = refusal(judged((), look), Pile(0, 0, 0, 0, 0, 0, 20.0))
    assert (said.reason_code, said.tested, said.label_next) == ("too many attempts", False, None)
    assert "This promise was tried 40 times" in said.reason


def test_what_is_open_or_disputed_is_told_and_a_dispute_counts_as_wrong(session):
    arrive(session, 200, 200)
    answered(session, drawn(session, 70), differ=range(3), leave=4)
    result = judge(session)
    found = of_negative(result)
    assert (found.counts.cards, found.counts.open, found.counts.disputed) == (66, 4, 3)
    assert result.notes[:2] == (
        "4 cards wait to be labelled and counted for nothing yet.",
        "3 cards wait for an adjudicator, counted as wrong until then.",
    )


@pytest.mark.parametrize(
    ("said", "code"),
    [({"raters": ("rea",)}, "people agree"), ({"blind": False}, "blind")],
)
def test_labels_that_cannot_certify_spend_nothing(session, said, code):
    arrive(session, 80, 120)
    answered(session, drawn(session, 60), **said)
    found = of_negative(judge(session))
    expected = "too few labels" if code == "blind" else code
    assert (found.threshold.reason_code, found.threshold.tested, found.metrics) == (expected, False, None)
    assert of_negative(judge(session)).attempt == 1


@pytest.mark.faults
def test_weekly_samples_under_a_certificate_prove_nothing_and_others_count_their_turns(session):
    arrive(session, 300, 300)
    answered(session, drawn(session, 60))
    assert of_negative(judge(session)).threshold.status == "certified"
    answered(session, drawn(session, 60, purpose="weekly"))
    assert of_negative(judge(session)).threshold.have == 0
    for attempt in (2, 3):
        answered(session, drawn(session, 20))
        found = of_negative(judge(session))
        assert (found.attempt, found.threshold.tested) == (attempt, False)


@pytest.mark.faults
def test_a_run_of_a_source_speaks_of_no_other_and_uses_its_labels_up_for_all(session):
    arrive(session, 80, 120)
    arrive(session, 80, 120, source="app")
    answered(session, drawn(session, 120))
    result = judge(session, source="app")
    assert (result.sources, of_negative(result).threshold.status) == (("app",), "certified")
    assert 29 <= of_negative(result).counts.cards < 91
    assert of_negative(judge(session)).counts.cards == 0


def test_labels_of_another_model_do_not_count(session):
    arrive(session, 80, 200)
    answered(session, drawn(session, 60))
    arrive(session, 1, model_digest=f"{DIGEST}, newer")
    found = of_negative(judge(session))
    assert (found.threshold.have, found.counts.cards) == (0, 0)


@pytest.mark.faults
def test_an_axis_shares_the_error_among_the_labels_that_samples_asked_about(session):
    arrive(session, 80, 200)
    answered(session, drawn(session, 60))
    answered(session, drawn(session, 30, label="positive"), lambda _: False)
    result = judge(session, label=None, promise=Promise(0.9, 0.9))
    assert [(one.label, round(one.confidence, 3)) for one in result.labels] == [("negative", 0.95), ("positive", 0.95)]


def test_a_run_that_lost_its_worker_is_done_by_the_next_and_given_up_in_the_end(session, works):
    arrive(session, 1)
    row = runs.begin(session, asked(), by="ada", at=now())
    session.execute(text("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'calibrate'"))
    session.commit()
    recover(works)
    assert jobs.waiting(session).get("calibrations") == 1
    for tries, state in ((1, "done"), (3, "failed")):
        session.execute(text("UPDATE calibration_run SET state = 'running', tries = :tries"), {"tries": tries})
        session.commit()
        runs.run(works.database, row.id, now())
        session.refresh(row)
        assert row.state == state
        session.commit()


def asked(**changes):
    return runs.Wanted(**{"axis": "sentiment", "label": "negative", "promise": Promise(0.9, 0.95), **changes})


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"axis": "mood"}, "axis"), ({"label": "angry"}, "label"), ({"source": "nowhere"}, "source")],
)
def test_a_run_about_nothing_is_refused(session, changes, field):
    arrive(session, 1)
    with pytest.raises(runs.InvalidRun) as refused:
        runs.begin(session, asked(**changes), by="ada", at=now())
    assert refused.value.field == field
