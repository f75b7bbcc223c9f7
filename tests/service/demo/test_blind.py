import json
from importlib.resources import files

from sites import opened
from sqlmodel import Session, select

from service.demo.blind import CARDS, draw_once, unlabelled
from service.store.lab_tables import Guideline, LabelSample


def test_the_demo_draws_its_sample_once_and_brings_the_guideline(migrated, vault, reader, http):
    feedback = (files("service.demo") / "feedback.ndjson").read_text().splitlines()
    with opened(migrated, vault, reader, http) as site:
        site.push([json.loads(line) for line in feedback[: CARDS + 10]])
        site.drain()
        for _ in range(2):
            with site.database.session() as session:
                draw_once(session)
        with Session(site.database.engine) as session:
            (sample,) = session.exec(select(LabelSample)).all()
            assert (sample.axis, sample.label, sample.pool, sample.size) == ("sentiment", "negative", "audit", CARDS)
            assert unlabelled(session) == CARDS
            assert session.exec(select(Guideline).where(Guideline.axis == "sentiment")).all()
        shown = site.visitor("reviewer").get("/review")
        assert (shown.status_code, "0 of 6" in shown.text) == (200, True)  # some of them come a second time
