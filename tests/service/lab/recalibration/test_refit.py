"""A source's probabilities corrected by its own reviewed items: refitted, live or waiting, never twice over."""

from datetime import timedelta

import pytest
from reviewed import read, review
from sqlalchemy import text
from sqlmodel import Session, col, select, update

from calibration.labels.label import Label
from calibration.promise import Promise
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy
from service.lab.gates.moves import approve
from service.lab.labels.samples import Wanted as Wish
from service.lab.labels.samples import close, draw
from service.lab.recalibration.beliefs import beliefs
from service.lab.recalibration.calibrators import NotWaiting, go_live, on_trial, waiting
from service.lab.recalibration.refit import agreed_labels, refit
from service.lab.recalibration.told import told
from service.lab.runs.run import Wanted, begin, compute
from service.lab.runs.run_result import RunResult
from service.source_maps import Calibrators, live, maps_of
from service.store.lab_tables import CalibrationRun, Calibrator, Certificate, GateChange, LabelCard
from service.store.tables import Classification, Feedback, now

SOURCE = "store-survey"
LATE = "The delivery came two weeks late, terrible."
GREAT = "Great staff, I love this shop!"
BLUE = "I ordered the blue one in March."


def reviewed(admin, database, reader, number: int, first: int = 0) -> None:
    """So many records, of whose angry ones people call half neutral: the model is too sure of itself."""
    said = {f"r-{place}": [(LATE, GREAT, BLUE)[place % 3]] for place in range(first, first + number)}
    ids = read(admin, database, reader, said)
    usual = {LATE: "negative", GREAT: "positive", BLUE: "neutral"}
    odd = {LATE: "neutral", GREAT: "neutral", BLUE: "negative"}
    with database.session() as session:
        right = {
            ids[name]: (odd if (place % 6 < 3 and words != BLUE) or place % 18 == 2 else usual)[words]
            for place, (name, (words,)) in enumerate(said.items())
        }
        review(session, right)
        session.commit()


def refitted(database, certified: str | None = None):
    """What a refit comes to, `certified` a label of sentiment that a live certificate is about."""
    with Session(database.engine) as session:
        if certified:
            certificate(session, "sentiment", certified)
        done = refit(session, SOURCE, now())
        session.commit()
        return done


def certificate(session: Session, axis: str, label: str, calibrator: str = "identity@1") -> Certificate:
    row = session.exec(select(Classification).order_by(col(Classification.id).desc())).first()
    run = CalibrationRun(axis=axis, precision=0.9, confidence=0.95, created_by="ada")
    session.add(run)
    session.flush()
    made = Certificate(
        run_id=run.id,
        axis=axis,
        label=label,
        sources=[SOURCE],
        languages=["en"],
        classifier=row.classifier,
        model_digest=row.model_digest,
        taxonomy=row.taxonomy,
        preparation=row.preparation,
        calibrators={SOURCE: calibrator},
        designs=[],
        samples=[],
        threshold=0.8,
        rungs=[0.8],
        proved=[],
        precision=0.9,
        confidence=0.95,
        n=100,
        correct=99,
        lower_bound=0.95,
        procedure="test",
        seed=1,
        expires_at=now() + timedelta(weeks=26),
    )
    session.add(made)
    session.commit()
    return made


def stored(database, external_id: str) -> Classification:
    with Session(database.engine) as session:
        return session.exec(
            select(Classification)
            .join(Feedback, col(Feedback.id) == col(Classification.feedback_id))
            .where(col(Feedback.external_id) == external_id)
        ).one()


def test_fifty_reviewed_items_make_a_calibrator_that_is_used_from_then_on(admin, database, reader):
    reviewed(admin, database, reader, 60)
    done = refitted(database)
    assert (done.calibrator, done.state) == ("store-survey@1", "live")
    assert done.reasons["urgency"] == "Urgency: 0 reviewed items of this source; 50 are needed."

    read(admin, database, reader, {"one": [LATE], "two": [LATE, GREAT]})
    read(admin, database, reader, {"elsewhere": [LATE]}, source="app-store")
    (plain,) = reader.read([Verbatim(LATE)])
    row, other = stored(database, "one"), stored(database, "elsewhere")
    assert (row.calibrator, other.calibrator) == ("store-survey@1", "identity@1")
    assert row.document["sentiment"]["probabilities"]["negative"] < plain.sentiment.probabilities["negative"] - 0.1
    alone, whole = (one["sentiment"]["probabilities"] for one in (row.document["verbatims"][0], row.document))
    assert whole == pytest.approx(alone, abs=1e-12)
    assert row.document["urgency"] == plain.urgency.model_dump()
    assert row.uncalibrated[0]["sentiment"] == plain.sentiment.probabilities
    assert other.document["verbatims"][0]["sentiment"] == plain.sentiment.model_dump()
    assert other.uncalibrated is None

    sent = admin.post("/v1/classify", json={"texts": [LATE]}).json()["results"][0]
    assert sent["sentiment"] == plain.sentiment.model_dump()


@pytest.mark.parametrize("number", [0, 49])
def test_too_few_items_are_said_and_change_nothing(admin, database, reader, number):
    read(admin, database, reader, {"first": [LATE]})
    if number:
        reviewed(admin, database, reader, number)
    done = refitted(database)
    assert (done.calibrator, done.state) == (None, None)
    assert done.reasons["sentiment"] == f"Sentiment: {number} reviewed items of this source; 50 are needed."


def test_nothing_has_been_read_yet(database):
    assert refitted(database).reasons == dict.fromkeys(("sentiment", "urgency"), "Nothing has been read yet.")


def test_a_model_that_people_find_right_stays_as_it_is(admin, database, reader):
    said = {f"r-{place}": [(LATE, GREAT, BLUE)[place % 3]] for place in range(60)}
    ids = read(admin, database, reader, said)
    right = {LATE: "negative", GREAT: "positive", BLUE: "neutral"}
    with database.session() as session:
        review(session, {ids[name]: right[words] for name, (words,) in said.items()})
        session.commit()
    done = refitted(database)
    assert done.calibrator is None
    assert "the top score is always right" in done.reasons["sentiment"]


def test_one_label_missing_is_no_hindrance_and_a_withdrawn_record_teaches_nothing(admin, database, reader):
    said = {f"r-{place}": [f"{LATE} ({place})"] for place in range(60)}
    ids = read(admin, database, reader, said)
    with database.session() as session:
        review(session, {one: ("negative", "neutral")[place % 2] for place, one in enumerate(ids.values())})
        gone = list(ids.values())[:11]
        session.execute(update(Feedback).where(col(Feedback.id).in_(gone)).values(withdrawn_at=now()))
        session.commit()
    assert refitted(database).reasons["sentiment"].startswith("Sentiment: 49 reviewed items of this source")
    with database.session() as session:
        session.execute(update(Feedback).values(withdrawn_at=None))
    done = refitted(database)  # nothing is positive: the classes keep their weights, and only the temperature changes
    assert (done.state, "temperature" in done.reasons["sentiment"]) == ("live", True)
    with Session(database.engine) as session:
        (row,) = session.exec(select(Calibrator)).all()
        assert set(maps_of(row).maps["sentiment"].biases) == {0.0}


@pytest.mark.parametrize(
    ("answers", "agreed"),
    [
        ([("rea", "negative", {})], "negative"),
        ([("rea", None, {}), ("rob", None, {})], None),  # nobody was sure
        ([("rea", None, {}), ("rob", "neutral", {})], "neutral"),
        ([("rea", "negative", {}), ("rob", "neutral", {})], None),
        ([("rea", "negative", {}), ("rob", "neutral", {}), ("ada", "neutral", {"adjudicated": True})], "neutral"),
        ([("ana", "positive", {"blind": False})], "positive"),  # for training, what was not blind counts too
        ([("rea", "negative", {}), ("rob", "negative", {}), ("kim", "neutral", {})], "negative"),
    ],
)
def test_what_people_agree_on(answers, agreed):
    def labels(rater, right, **more):
        for label in ("negative", "neutral", "positive"):
            human = None if right is None else label == right
            yield Label("r", "Late.", "sentiment", label, 0.5, human, rater, "targeted", **{"blind": True, **more})

    given = [one for rater, right, more in answers for one in labels(rater, right, **more)]
    assert agreed_labels(given) == ({} if agreed is None else {"r": agreed})


def test_a_targeted_draw_asks_nobody_twice(admin, database, reader):
    said = {f"r-{place}": [f"{(LATE, GREAT, BLUE)[place % 3]} ({place})"] for place in range(20)}
    read(admin, database, reader, said | {"copy": [f"  {LATE.upper()} (0)"]})
    wanted = Wish("sentiment", None, 12, "targeted", seed=1)
    with database.session() as session:
        first = draw(session, wanted, default_taxonomy(), by="ada", at=now())
        second = draw(session, wanted, default_taxonomy(), by="ada", at=now())
        assert (first.size, second.size) == (12, 8)  # of 20 texts; the copy is none of its own
        close(session, second, now(), by="ada")
        assert draw(session, wanted, default_taxonomy(), by="ada", at=now()).size == 8  # nobody had answered those


def test_it_is_refitted_after_fifty_more_and_always_from_what_the_model_says(admin, database, reader):
    reviewed(admin, database, reader, 60)
    refitted(database)
    reviewed(admin, database, reader, 49, first=60)  # read under the first calibrator
    early = refitted(database)
    assert (early.calibrator, early.reasons["sentiment"]) == (
        None,
        "Sentiment: 109 reviewed items of this source, 60 of them known before; 110 are needed.",
    )

    plain = {
        words: one.sentiment.probabilities
        for words, one in zip(
            (LATE, GREAT, BLUE), reader.read([Verbatim(LATE), Verbatim(GREAT), Verbatim(BLUE)]), strict=True
        )
    }
    with Session(database.engine) as session:
        cards = session.exec(select(LabelCard)).all()
        own = beliefs(session, cards, "sentiment", Calibrators())
    assert {card.calibrator for card in cards} == {"identity@1", "store-survey@1"}
    assert len(own) == 109
    assert all(any(one == pytest.approx(other, abs=1e-12) for other in plain.values()) for one in own.values())

    reviewed(admin, database, reader, 60, first=200)
    again = refitted(database)
    assert (again.calibrator, again.state) == ("store-survey@2", "live")
    with Session(database.engine) as session:
        states = {row.name: row.state for row in session.exec(select(Calibrator))}
    assert states == {"store-survey@1": "ended", "store-survey@2": "live"}


def test_beliefs_under_a_calibrator_are_what_records_get_once_it_is_live(admin, database, reader):
    reviewed(admin, database, reader, 60)
    before = read(admin, database, reader, {"early": [LATE, f"{GREAT} {BLUE}", " "]})
    refitted(database)
    read(admin, database, reader, {"later": [LATE, f"{GREAT} {BLUE}", " "]})
    later = stored(database, "later")
    with database.session() as session:
        (card,) = review(session, {before["early"]: "negative"})
        calibrators = live(session, later.classifier, later.model_digest)
        (believed,) = beliefs(session, [card], "sentiment", calibrators).values()
        assert believed == later.document["sentiment"]["probabilities"]
        assert beliefs(session, [card], "topic", calibrators) == {card.id: card.probabilities}
        assert live(session, later.classifier, "f" * 64).name(SOURCE) == "identity@1"  # of another model


def holds_decisions_off(session: Session) -> bool:
    own = "pid = pg_backend_pid() AND locktype = 'advisory' AND mode = 'ExclusiveLock'"
    return session.execute(text(f"SELECT count(*) > 0 FROM pg_locks WHERE {own}")).scalar_one()  # noqa: S608 (our own)


def test_under_a_live_certificate_it_waits_and_goes_live_on_its_own(admin, database, reader):
    reviewed(admin, database, reader, 60)
    with Session(database.engine, expire_on_commit=False) as session:
        bound = certificate(session, "sentiment", "negative")
        same = certificate(session, "urgency", "high")
        same.state = "waiting"
        session.add(same)
        session.commit()
    done = refitted(database)
    assert (done.calibrator, done.state) == ("store-survey@1", "waiting")
    read(admin, database, reader, {"meanwhile": [LATE]})
    assert stored(database, "meanwhile").calibrator == "identity@1"

    with Session(database.engine) as session:
        row = stored(database, "meanwhile")
        (held,) = waiting(session, row.classifier, row.model_digest)
        assert on_trial(session, row.classifier, row.model_digest).name(SOURCE) == held.name
        assert live(session, row.classifier, row.model_digest).name(SOURCE) == "identity@1"
        own = certificate(session, "sentiment", "negative", calibrator=held.name)
        go_live(session, held.name, now())
        assert holds_decisions_off(session)
        session.commit()
        kept = {one.id: one.calibrators[SOURCE] for one in session.exec(select(Certificate))}
        assert kept == {bound.id: "identity@1", same.id: "store-survey@1", own.id: "store-survey@1"}
        assert live(session, row.classifier, row.model_digest).name(SOURCE) == "store-survey@1"
        with pytest.raises(NotWaiting):
            go_live(session, held.name, now())
        # Another model reads without it, and says so until it has been taught anew.
        assert told(session, now())[0].startswith("store-survey: since ")
        session.execute(update(Classification).values(model_digest="f" * 64))
        assert live(session, row.classifier, "f" * 64).name(SOURCE) == "identity@1"
        assert told(session, now())[0].startswith("store-survey: its correction was learnt for another model")
        assert refit(session, SOURCE, now()).calibrator is None


def test_what_waited_goes_live_once_nothing_is_left_to_void(admin, database, reader):
    reviewed(admin, database, reader, 60)
    with Session(database.engine) as session:
        bound = certificate(session, "sentiment", "negative")
        assert refitted(database).state == "waiting"
        bound.expires_at = now()
        session.add(bound)
        session.commit()
    done = refitted(database)
    assert (done.calibrator, done.state) == ("store-survey@1", "live")


def test_a_declined_certificate_leaves_its_calibrator_waiting_until_there_is_nothing_to_void(admin, database, reader):
    reviewed(admin, database, reader, 60)
    assert refitted(database, certified="negative").state == "waiting"
    with Session(database.engine) as session:
        asked = certificate(session, "sentiment", "negative", calibrator="store-survey@1")
        for state, words in (("waiting", "waits for a second person"), ("declined", "known before; 110 are needed")):
            asked.state = state
            session.add(asked)
            session.commit()
            done = refit(session, SOURCE, now())
            assert (done.calibrator, done.state) == ("store-survey@1", "waiting")
            assert words in done.reasons["sentiment"]


def test_what_taught_a_calibrator_proves_nothing_under_it(admin, database, reader):
    reviewed(admin, database, reader, 60)
    assert refitted(database).state == "live"
    said = {f"a-{place}": [f"{LATE if place < 50 else GREAT} ({place})"] for place in range(60)}
    ids = read(admin, database, reader, said | {"again": [LATE]})  # the words of twenty that taught it
    right = {one: "positive" if name in said and GREAT in said[name][0] else "negative" for name, one in ids.items()}
    with Session(database.engine) as session:
        review(session, right, pool="audit", raters=("rea", "rob"))
        run = begin(session, Wanted("sentiment", "negative", Promise(0.9, 0.95)), by="ada", at=now()).id
        session.commit()
        compute(session, run, now())
        result = RunResult.model_validate(session.get_one(CalibrationRun, run).result)
        (proved,) = result.labels[0].threshold.proved
        assert (proved.n, proved.correct) == (51, 50)
        assert any(note.startswith("1 card had taught the calibration of its source") for note in result.notes)


def test_a_run_judges_under_what_waits_and_its_certificate_puts_that_to_use(admin, database, reader):
    reviewed(admin, database, reader, 60)
    said = {f"a-{place}": [f"{(LATE, LATE, GREAT)[place % 3]} ({place})"] for place in range(120)}
    ids = read(admin, database, reader, said)
    right = {ids[name]: "positive" if words.startswith(GREAT) else "negative" for name, (words,) in said.items()}
    with Session(database.engine) as session:
        assert refitted(database, certified="negative").state == "waiting"
        cards = review(session, right, pool="audit", raters=("rea", "rob"))
        run = begin(session, Wanted("sentiment", "negative", Promise(0.9, 0.95)), by="ada", at=now()).id
        session.commit()
        compute(session, run, now())
        issued = session.exec(select(Certificate).where(col(Certificate.run_id) == run)).one()
        maps = on_trial(session, issued.classifier, issued.model_digest)
        highest = max(one["negative"] for one in beliefs(session, cards, "sentiment", maps).values())
        assert issued.calibrators == {SOURCE: "store-survey@1"}
        assert max(issued.rungs) <= highest < max(card.probabilities["negative"] for card in cards)
        # It stands lower than the one in force: a second person agrees, and only then are records read that way.
        assert (issued.state, session.get_one(Calibrator, "store-survey@1").state) == ("waiting", "waiting")
        change = session.exec(select(GateChange).where(col(GateChange.state) == "waiting")).one()
        assert "waits for a second person" in refit(session, SOURCE, now()).reasons["sentiment"]
        approve(session, change.id, "eva", None, now())
        session.commit()
        assert (issued.state, session.get_one(Calibrator, "store-survey@1").state) == ("live", "live")
