"""Policies as rows: numbered without gap, never the author's alone where approval is asked, and who decides."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlmodel import Session

from service.route.activation import Scope
from service.route.case import Case, Customer
from service.route.findings import InvalidPolicy
from service.route.in_force import in_force
from service.route.versions import (
    NotNow,
    OwnPolicy,
    UnknownVersion,
    activate,
    active,
    active_version,
    deactivate,
    deciding,
    fetch,
    publish,
    rollback,
)

POLICY = "name: mine\nrules:\n  - {name: low, when: scores.nps <= 6, then: {create: follow_up}}\n"


def published(database, document: str | bytes = POLICY, by: str = "ana") -> int:
    with database.session() as session:
        return publish(session, document, [], by=by).version


def test_versions_are_numbered_without_gap_whoever_publishes(database):
    with ThreadPoolExecutor(6) as pool:
        versions = sorted(pool.map(lambda _: published(database), range(12)))
    assert versions == list(range(2, 14))


def test_a_policy_that_is_wrong_is_not_stored(database):
    for document in (b"", b"\xff", b"name: \x00", POLICY.replace("nps", "npz")):
        with pytest.raises(InvalidPolicy):
            published(database, document)
    assert published(database) == 2


def test_a_version_is_rebuilt_as_it_was_checked(database):
    version = published(database)
    with Session(database.engine) as session:
        policy = fetch(session, version)
        assert (policy.name, policy.rules[0].name) == ("mine", "low")
        stored = session.execute(text("SELECT document, tree FROM policy WHERE version = 2")).one()
    assert stored == (POLICY, policy.canonical)


def test_one_version_decides_and_the_times_of_all_touch(database):
    for _ in range(3):
        version = published(database)
        with database.session() as session:
            activate(session, version, by="eva", comment="next")
    with Session(database.engine) as session:
        assert active(session).version == active_version(session) == version
        rows = session.execute(
            text("SELECT policy_version, from_at, to_at, approved_by FROM policy_activation ORDER BY from_at")
        ).all()
    assert [row.policy_version for row in rows] == [1, 2, 3, 4]
    assert [row.to_at for row in rows] == [*(row.from_at for row in rows[1:]), None]
    assert [row.approved_by for row in rows] == [None, "eva", "eva", "eva"]


def test_many_activations_at_once_leave_one(database):
    versions = [published(database) for _ in range(4)]

    def switch(version: int) -> None:
        with database.session() as session:
            activate(session, version, by="eva")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(switch, versions))
    with Session(database.engine) as session:
        assert active_version(session) in versions


def test_nobody_approves_their_own(database):
    version = published(database)
    with database.session() as session:
        with pytest.raises(OwnPolicy, match="another admin"):
            activate(session, version, by="ana", need_approval=True)
        activate(session, version, by="eva", need_approval=True)
        assert active_version(session) == version


def test_an_unknown_version(database):
    with database.session() as session:
        with pytest.raises(UnknownVersion, match="There is no policy of version 7"):
            activate(session, 7, by="eva")
        with pytest.raises(UnknownVersion):
            fetch(session, 7)
        assert active_version(session) == 1


def test_what_the_policy_names_and_nobody_has_set_up_is_a_warning_at_its_place(database):
    document = (
        "name: mine\n"
        "rules:\n"
        "  - {name: low, when: scores.nps <= 6, then: {create: ticket, assign: desk, deliver: [helpdesk]}}\n"
        "groups:\n"
        "  desk: {people: [ana]}\n"
    )
    with database.session() as session:
        warnings = publish(session, document, [], by="eva").warnings
    assert [(one.line, one.column) for one in warnings] == [(3, 87), (5, 19)]
    assert "helpdesk is not set up" in warnings[0].detail
    assert "ana has no account" in warnings[1].detail


EMEA = Scope(region=("emea",))


def case(region: str | None = None, source: str = "web") -> Case:
    return Case(source=source, now=datetime(2026, 11, 20, tzinfo=UTC), customer=Customer(id="c-1", region=region))


def doing(session: Session) -> list[tuple[int, str, float]]:
    return [(one.version, one.mode, one.share) for one in in_force(session)]


@pytest.fixture
def three(database):
    """Versions 2, 3 and 4 beside the default, which decides."""
    for _ in range(3):
        published(database)
    return database


def test_a_staged_version_stands_beside_and_one_for_everyone_ends_it(three):
    with three.session() as session:
        activate(session, 2, by="eva", share=0.5)
        activate(session, 3, by="eva", scope=EMEA)
        activate(session, 4, by="eva", mode="shadow")
        assert doing(session) == [(1, "live", 1.0), (2, "live", 0.5), (3, "live", 1.0), (4, "shadow", 1.0)]
        assert active_version(session) == 1
        activate(session, 4, by="eva")
        assert doing(session) == [(4, "live", 1.0)]


def test_a_shadow_of_another_version_stays_when_one_decides_for_everyone(three):
    with three.session() as session:
        activate(session, 2, by="eva", mode="shadow")
        activate(session, 3, by="eva")
        assert doing(session) == [(2, "shadow", 1.0), (3, "live", 1.0)]


def test_another_share_takes_the_place_of_the_first(three):
    with three.session() as session:
        for share in (0.1, 0.2):
            activate(session, 2, by="eva", share=share)
        assert doing(session) == [(1, "live", 1.0), (2, "live", 0.2)]


def test_who_decides_a_record_and_who_looks_on(three):
    with three.session() as session:
        activate(session, 2, by="eva", scope=EMEA)
        activate(session, 3, by="eva", mode="shadow", scope=Scope(source=("web",)))
        activate(session, 2, by="eva", mode="shadow")
        policies = deciding(session)
        for region, source, live, shadows in (
            ("emea", "web", 2, [3]),
            ("amer", "web", 1, [2, 3]),
            (None, "app", 1, [2]),
        ):
            seen = case(region, source)
            assert policies.live(seen).version == live
            assert [one.version for one in policies.shadows(seen)] == shadows
        assert policies.live(case("emea")).policy.name == "mine"


def test_a_change_is_seen_by_the_next_decision_and_not_by_one_under_way(three):
    with ThreadPoolExecutor(1) as pool, Session(three.engine) as session:
        assert deciding(session).live(case("emea")).version == 1

        def stage() -> None:
            with three.session() as other:
                activate(other, 2, by="eva", scope=EMEA)

        staged = pool.submit(stage)
        assert deciding(session).live(case("emea")).version == 1
        session.commit()
        staged.result(timeout=30)
        assert deciding(session).live(case("emea")).version == 2


def test_what_was_staged_is_ended_and_the_one_for_everyone_is_not(three):
    with three.session() as session:
        activate(session, 2, by="eva", share=0.5)
        activate(session, 2, by="eva", mode="shadow")
        deactivate(session, 2, by="eva", comment="enough")
        assert doing(session) == [(1, "live", 1.0)]
        for version, said in ((1, "decides for everyone"), (2, "is not in force")):
            with pytest.raises(NotNow, match=said):
                deactivate(session, version, by="eva")
        with pytest.raises(UnknownVersion):
            deactivate(session, 9, by="eva")


@pytest.mark.parametrize("more", [{"mode": "shadow"}, {"share": 0.5}, {"scope": EMEA}])
def test_what_decides_for_everyone_is_not_tried_out(three, more):
    with three.session() as session, pytest.raises(NotNow, match="nothing to try"):
        activate(session, 1, by="eva", **more)


def test_a_rollback_brings_back_what_decided_before_and_the_next_takes_it_back(three):
    with three.session() as session:
        with pytest.raises(NotNow, match="nothing to go back to"):
            rollback(session, by="eva")
        activate(session, 2, by="eva")
        activate(session, 4, by="eva", share=0.3)
        activate(session, 3, by="eva")
        assert [rollback(session, by="eva", comment="no") for _ in range(2)] == [2, 3]
        assert doing(session) == [(3, "live", 1.0)]


def test_nobody_brings_back_their_own_where_approval_is_needed(three):
    with three.session() as session:
        activate(session, 2, by="eva")
        activate(session, 3, by="eva")
        with pytest.raises(OwnPolicy):
            rollback(session, by="ana", need_approval=True)
        assert rollback(session, by="eva", need_approval=True) == 2
