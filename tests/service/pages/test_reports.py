"""The reports: what is promised and what not, five plots, a slider that saves nothing unproved, runs to take along."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from builders import record
from hypothesis import given
from hypothesis import strategies as st
from seen import seen
from sqlalchemy import text
from sqlmodel import Session, col, select

from calibration.promise import Promise
from models.taxonomies.taxonomy import default_taxonomy
from service.lab.labels.samples import Wanted, draw
from service.lab.runs import run as runs
from service.lab.runs.run_result import RunResult
from service.pages.report_canvas import apart
from service.pages.report_mistakes import SHOWN, pairs
from service.store.lab_tables import (
    CalibrationRun,
    Certificate,
    GateChange,
    HumanLabel,
    LabelCard,
    LabelSample,
    WeeklyReport,
)
from service.store.tables import now

POLICY = """
name: reports
thresholds:
  negative: {axis: sentiment, label: negative, promise: {precision: 0.90, confidence: 0.95}, uncertified: 0.80}
  idea: {axis: type, label: suggestion, promise: {precision: 0.90, confidence: 0.95}}
rules:
  - {name: words, when: sentiment.negative >= threshold("negative"), then: {create: ticket, assign: desk}}
  - {name: ideas, when: type.suggestion >= threshold("idea"), then: {create: backlog_item}}
  - {name: urgent, when: urgency.high >= 0.6, then: {create: follow_up, assign: desk}}
groups:
  desk: {people: [ana], capacity: 500}
"""
CARDS = 110
LABEL = "/reports/sentiment/negative"


@pytest.fixture(scope="module")
def proved(site):
    """Answers of some weeks, a sample of them that two people labelled alike, and a run that proves a promise."""
    site.use(POLICY)
    site.push([record(f"r-{place}", f"Lamp {place} flickers since the move.") for place in range(CARDS)])
    site.drain()
    site.person("eva", "admin")
    with site.database.session() as session:
        believe(session)
        wanted = Wanted("sentiment", None, CARDS, "audit", seed=1, overlap=0.6)
        label(session, draw(session, wanted, default_taxonomy(), by="ada", at=now()))
        asked = runs.Wanted("sentiment", "negative", Promise(0.90, 0.95), comment="the first")
        run = runs.begin(session, asked, by="ada", at=now())
        session.add(WeeklyReport(week=date(2026, 11, 16), sentences=["Negative answers: 1 of 40 was wrong."]))
        session.commit()
        runs.compute(session, run.id, now())
    return run.id


def believe(session):
    """Two thirds of the answers sound negative, from fairly to very sure; they came on 20 days."""
    ids = session.execute(text("SELECT id FROM feedback ORDER BY id")).scalars().all()
    for place, one in enumerate(ids):
        sure = 0.70 + 0.29 * place / len(ids) if place % 3 else 0.1
        believed = f'{{"negative": {sure}, "neutral": {1 - sure}, "positive": 0}}'
        session.execute(
            text(
                "UPDATE classification SET document = jsonb_set(jsonb_set(document, '{sentiment,probabilities}',"
                " CAST(:believed AS jsonb)), '{abstain}', 'null') WHERE feedback_id = :id"
            ),
            {"believed": believed, "id": one},
        )
        at = now() - timedelta(days=20 * (place * 41 % len(ids)) / len(ids))
        session.execute(text("UPDATE feedback SET received_at = :at WHERE id = :id"), {"at": at, "id": one})


def label(session, sample: LabelSample):
    """People find right what sounds negative, but for one that they agree is neutral."""
    session.flush()
    cards = session.exec(select(LabelCard).where(col(LabelCard.sample_id) == sample.id)).all()
    surest_first = sorted(cards, key=lambda card: -card.probabilities["negative"])
    for place, card in enumerate(surest_first):
        right = "negative" if card.probabilities["negative"] > 0.5 and place != 46 else "neutral"
        for rater in ("rea", "rob")[: card.places]:
            session.add(HumanLabel(card_id=card.id, rater=rater, labels=[right], blind=True, seconds=12))
        card.state = "settled"
    sample.state = "done"


def test_the_first_page_says_what_is_promised_what_not_and_what_next(site, proved):
    told = seen(site.visitor("supervisor").get("/reports"))
    assert "heed makes a promise about 1 of 2 kinds of answers." in told
    assert "What changed week of 16 Nov 2026 Negative answers: 1 of 40 was wrong." in told
    assert (
        "✓ promised Negative answers Of every 100 answers that heed takes for negative by itself, at least 90" in told
    )
    assert f"of {CARDS} answers checked blind on" in told
    assert "‖ review all Suggestions No promise yet. 0 checked answers, at least 29 needed. Label 29 more" in told
    assert "Rule urgent: the text is urgent (at least 60 % sure)" in told
    assert "Proved: negative." in told
    assert "As the model says: 0 of 50 training labels." in told
    assert 'href="/corrections"' in site.visitor("supervisor").get("/reports").text
    for word in ("p-value", "ECE", "alpha"):
        assert word not in told


def test_who_only_reads_has_no_form(site, proved):
    for role in ("supervisor", "auditor"):
        for address in ("/reports", LABEL):
            assert 'method="post"' not in site.visitor(role).get(address).text.partition("<main")[2].replace(
                "/sign-out", ""
            )
    assert site.visitor("reviewer").get("/reports").status_code == 403
    assert site.visitor("reviewer").get(LABEL).status_code == 403


def test_a_report_has_five_plots_each_with_its_reading_and_its_table(site, proved):
    page = site.visitor("supervisor").get(LABEL)
    told = seen(page)
    assert page.text.count('class="graph plot"') == 4
    assert page.text.count('<summary class="meta">As a table</summary>') == 4
    assert "style=" not in page.text
    assert "The promise is proved where heed is" in told
    assert "(n = " in told
    assert "heed beside your people heed agrees with the other raters in" in told
    assert "Nothing has been checked since the certificate" in told
    assert "heed: negative ; people: neutral acted on although wrong" in told
    assert page.text.count('href="/feedback/') == 1 + SHOWN  # the one, and as many of those that were missed
    assert "single customer" in told
    assert "Drawn by lot, seed" in told


def test_who_says_both_is_no_witness_to_a_mistake(site, proved):
    with Session(site.database.engine) as session:
        (sample,) = session.exec(select(LabelSample.id).where(col(LabelSample.label).is_(None)))
        cards = {one.feedback_id: one for one in session.exec(select(LabelCard).where(LabelCard.sample_id == sample))}
        (wrong,) = (pair for pair in pairs(session, [sample], "negative", 0.5) if pair.passes)
        card = cards[wrong.records[0].id]
        for rater in session.exec(select(HumanLabel.rater).where(HumanLabel.card_id == card.id)).all():
            session.add(HumanLabel(card_id=card.id, rater=rater, labels=["negative"], blind=True))
        session.flush()
        assert not [pair for pair in pairs(session, [sample], "negative", 0.5) if pair.passes]


def test_the_slider_saves_what_is_proved_and_nothing_else(site, proved):
    admin = site.visitor("admin")
    with site.database.session() as session:
        certificate = session.exec(select(Certificate).where(col(Certificate.state) == "live")).one()
        rungs, stands = certificate.rungs, certificate.threshold
    unproved = admin.get(f"{LABEL}?at=0.35")
    assert "not proved. It cannot be saved" in seen(unproved)
    assert 'value="move"' not in unproved.text
    refused = site.form(admin, LABEL, LABEL, act="move", at="0.35", reason="more of them")
    assert refused.status_code == 422
    assert "Nothing was proved at 35 %" in seen(refused)
    stricter = max(rungs)
    assert stricter > stands
    assert "proved, and stricter than today" in seen(admin.get(f"{LABEL}?at={stricter}"))
    assert site.form(admin, LABEL, LABEL, act="move", at=str(stricter), reason="").status_code == 422
    assert site.form(admin, LABEL, LABEL, act="move", at=str(stricter), reason="fewer").status_code == 303
    with site.database.session() as session:
        assert (
            session.exec(select(Certificate.threshold).where(col(Certificate.id) == certificate.id)).one() == stricter
        )
    asked = site.form(admin, LABEL, LABEL, act="move", at=str(stands), reason="back to where it stood")
    assert asked.headers["location"] == f"{LABEL}?done=asked"


def test_what_loosens_waits_for_somebody_else(site, proved):
    admin, other = site.visitor("admin"), site.signed_in("eva")
    with site.database.session() as session:
        waits = session.exec(select(GateChange).where(col(GateChange.state) == "waiting")).first()
        if waits is None:  # where this test runs alone
            certificate = session.exec(select(Certificate).where(col(Certificate.state) == "live")).one()
            low, high = certificate.threshold, max(certificate.rungs)
    if waits is None:
        site.form(admin, LABEL, LABEL, act="move", at=str(high), reason="fewer")
        site.form(admin, LABEL, LABEL, act="move", at=str(low), reason="back")
        with site.database.session() as session:
            waits = session.exec(select(GateChange).where(col(GateChange.state) == "waiting")).one()
    assert "You asked for it: somebody else has to agree." in seen(admin.get("/reports"))
    own = site.form(admin, f"/reports/changes/{waits.id}", decision="approve")
    assert own.status_code == 409
    assert "somebody else has to look at it" in seen(own)
    assert "Agree" in seen(other.get("/reports"))
    agreed = site.form(other, f"/reports/changes/{waits.id}", decision="approve", comment="fine")
    assert agreed.status_code == 303
    told = seen(other.get(LABEL))
    assert "Agreed by eva" in told
    assert "move the threshold down" in told


def test_a_hold_shows_at_once_and_is_lifted_by_two(site, proved):
    admin = site.visitor("admin")
    assert site.form(admin, LABEL, LABEL, act="hold", scope="", reason="a strange week").status_code == 303
    assert "‖ review all Negative answers The promise rests while people decide." in seen(admin.get("/reports"))
    assert site.form(admin, LABEL, LABEL, act="hold", scope="", reason="again").status_code == 409
    assert site.form(admin, LABEL, LABEL, act="lift", scope="/", reason="it was nothing").status_code == 303
    with site.database.session() as session:
        waits = session.exec(select(GateChange).where(col(GateChange.action) == "lift")).one()
    assert site.form(site.signed_in("eva"), f"/reports/changes/{waits.id}", decision="approve").status_code == 303
    assert "✓ promised Negative answers" in seen(admin.get("/reports"))


def test_forms_keep_what_was_typed_and_say_what_is_wrong(site, proved):
    admin = site.visitor("admin")
    sample = site.form(admin, "/reports/samples", "/reports", about="type/suggestion", size="many", pool="audit")
    assert sample.status_code == 422
    assert "A whole number of answers." in seen(sample)
    assert 'value="many"' in sample.text
    run = site.form(admin, "/reports/runs", "/reports", about="type/suggestion", reason="")
    assert run.status_code == 422
    assert "Say why" in seen(run)
    assert (
        site.form(admin, "/reports/samples", "/reports", about="type/suggestion", size="5", pool="audit").status_code
        == 303
    )
    assert "Reviewers label the 5 cards that wait" in seen(admin.get("/reports"))
    assert site.form(admin, "/reports/runs", "/reports", about="type/suggestion", reason="try").status_code == 303


def test_a_run_can_be_taken_along(site, proved):
    supervisor = site.visitor("supervisor")
    page = supervisor.get(f"/reports/runs/{proved}/report.html")
    assert page.headers["content-disposition"].startswith('attachment; filename="heed-sentiment-')
    for fetched in ("<script", "<link", "src=", "http://", "url(/"):
        assert fetched not in page.text
    assert page.text.count('class="graph plot"') == 3
    result = supervisor.get(f"/reports/runs/{proved}/result.json")
    (found,) = RunResult.model_validate_json(result.text).labels
    assert found.counts.cards == CARDS
    assert "flickers" not in result.text
    with site.database.session() as session:
        running = CalibrationRun(axis="sentiment", precision=0.9, confidence=0.95, created_by="ada")
        session.add(running)
        session.flush()
        unfinished = running.id
        session.commit()
    assert supervisor.get(f"/reports/runs/{unfinished}/result.json").status_code == 409
    with site.database.session() as session:
        of_another_version = session.get(CalibrationRun, unfinished)
        of_another_version.state, of_another_version.result = "done", {"headline": "In another shape."}
        session.commit()
    refused = supervisor.get(f"/reports/runs/{unfinished}/result.json")
    assert (refused.status_code, "Another version of heed" in refused.text) == (409, True)
    assert supervisor.get(LABEL).status_code == 200  # drawn from the newest run that can be read


@pytest.mark.parametrize(
    "address", ["/reports/sentiment/joy", "/reports/weather/rain", "/reports/topic/nothing at all"]
)
def test_what_nobody_judges_has_no_report(site, proved, address):
    assert site.visitor("supervisor").get(address).status_code == 404


@given(st.lists(st.floats(20, 250), max_size=8))
def test_words_in_a_picture_never_touch(heights):
    moved = sorted(apart(heights))
    assert all(after - before >= 15.9 for before, after in pairwise(moved))
    assert not moved or moved[-1] <= 252.1
