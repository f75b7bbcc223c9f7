"""The page of service levels: promises kept and missed, never without how many, each number opening its items."""

from datetime import timedelta
from html import unescape
from itertools import count

import pytest
from builders import record
from seen import seen
from sqlalchemy import text

from service.pages.attainment import PROMISES, STATES, Kept, attained, by_team, everybody
from service.pages.share import share
from service.store.tables import WorkItem, now
from service.work.events import Assign
from service.work.handing import happens

POLICY = """
name: levels
rules:
  - name: low
    when: scores.nps <= 6
    then: {create: follow_up, sla: quick, assign: desk}
  - name: fair
    when: scores.nps == 7
    then: {create: ticket, sla: slow, assign: spare}
slas:
  quick: {acknowledge: 4h, resolve: 2d}
  slow: {resolve: 5d}
groups:
  desk: {people: [ana]}
  spare: {people: [ada]}
"""
numbers = count(1)


@pytest.fixture(scope="module", autouse=True)
def work(site):
    """Of desk: acknowledged in time, too late, not yet and at risk, not at all. Of spare: one that still runs.

    What was not acknowledged at all was ana's; ada has taken it over since.
    """
    site.use(POLICY)
    site.push([record(f"l-{number}", scores={"nps": 3 if number <= 4 else 7}) for number in range(1, 6)])
    site.drain()
    late = "acknowledge_due_at = created_at + interval '4h'"
    with site.database.session() as session:
        items = session.execute(text("SELECT id FROM work_item WHERE kind = 'follow_up' ORDER BY id")).scalars().all()
        for item, change in zip(
            items,
            (
                "status = 'acknowledged', acknowledge_met_at = created_at + interval '1h'",
                "status = 'acknowledged', acknowledge_met_at = created_at + interval '5h'",
                f"""created_at = now() - interval '3h 30m', {late}, sla = jsonb_set(jsonb_set(sla,
                '{{at_risk,acknowledge}}', to_jsonb(now() - interval '30m')),
                '{{first_due,acknowledge}}', to_jsonb(now() + interval '30m'))""",
                f"created_at = now() - interval '9h', {late}",
            ),
            strict=True,
        ):
            update = f"UPDATE work_item SET {change} WHERE id = :item"  # noqa: S608 (the changes above)
            session.execute(text(update), {"item": item})
        update = f"UPDATE work_item SET {late} WHERE kind = 'follow_up'"  # noqa: S608 (the change above)
        session.execute(text(update))
    with site.database.session() as session:
        given = Assign(type="assign", owner="ada", comment="I take it.")
        happens(session, session.get_one(WorkItem, items[3]), given, actor="ada", at=now())


def test_shares_come_with_their_n_and_interval_and_few_say_so(site):
    page = site.visitor("supervisor").get("/service-levels?days=7")
    told = seen(page)
    assert "desk 4 items 33 % in time of 3, 6 to 79 %: few, so it says little 2 missed 1 running" in told
    assert "at risk now 1" in told
    assert "spare 1 item nothing was promised none is decided yet 1 running" in told
    assert "Contacted" not in told  # no service level promises it


def test_every_number_opens_as_many_items_as_it_says(site):
    supervisor = site.visitor("supervisor")
    with site.database.session() as session:
        moment = now()
        lines = attained(session, moment - timedelta(days=7), moment)
    assert everybody(lines).items == 5
    for line in [*by_team(lines), *lines]:
        owner = f"&owner={line.owner}" if line.owner else ""
        for promise in PROMISES:
            for state in STATES:
                address = f"/service-levels/items?days=7&team={line.team}{owner}&promise={promise}&state={state}"
                opened = supervisor.get(address).text.count('<a class="open')
                assert opened == getattr(getattr(line, promise), state), address


def test_a_missed_promise_counts_for_whose_it_was_and_what_still_runs_for_whose_it_is(site):
    with site.database.session() as session:
        moment = now()
        lines = attained(session, moment - timedelta(days=7), moment)
    of_desk = {line.owner: line for line in lines if line.team == "desk"}
    assert {owner: (line.items, line.acknowledge) for owner, line in of_desk.items()} == {
        "ana": (3, Kept(kept=1, missed=2, running=1, at_risk=1)),
        "ada": (1, Kept()),
    }
    assert of_desk["ada"].resolve == Kept(running=1)


def test_the_items_of_a_number_are_told_with_their_due_time(site):
    page = site.visitor("auditor").get("/service-levels/items?promise=acknowledge&state=missed&owner=ana")
    assert "Not acknowledged in time" in seen(page)
    assert "missed by" in seen(page)
    assert "/inbox?due=missed&owner=ana" in unescape(page.text)


def test_a_time_without_promises_says_what_would_fill_the_page(site):
    with site.database.session() as session:
        moment = now()
        assert attained(session, moment, moment) == []
    assert site.visitor("supervisor").get("/service-levels?days=8").status_code == 422
    assert "/inbox?team=desk" in unescape(site.visitor("supervisor").get("/service-levels").text)


@pytest.mark.parametrize(("right", "n", "few"), [(12, 14, True), (40, 50, False)])
def test_a_share_of_few_says_so(right, n, few):
    found = share(right, n)
    assert (found.right, found.n, found.few) == (right, n, few)
    assert found.low < found.percent < found.high
    assert share(0, 0) is None
