"""Policies as rows: numbered without gap, never the author's alone where approval is asked, one of them deciding."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlmodel import Session

from service.route.findings import InvalidPolicy
from service.route.versions import OwnPolicy, UnknownVersion, activate, active, active_version, fetch, publish

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
