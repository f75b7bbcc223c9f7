"""Labels of an earlier version, read in topics of today."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.taxonomies.history import Step, UnknownTopic, carry
from models.taxonomies.taxonomy import BadTaxonomy, parse_taxonomy

CURRENT = ("parcels", "flights", "money", "shop", "staff", "app")
STEPS = (
    Step(1, split=(("delivery", ("parcels", "flights")),), renamed=(("store", "shop"),), added=("app",)),
    Step(2, merge=(("money", ("billing", "price")),), retired=("weather",)),
)


@pytest.mark.parametrize(
    ("topics", "version", "sure", "unknown"),
    [
        ({"staff"}, None, {"staff"}, set()),
        (set(), None, set(), set()),
        ({"billing"}, None, {"money"}, set()),
        ({"billing", "price"}, 2, {"money"}, set()),
        ({"weather", "staff"}, 2, {"staff"}, set()),
        ({"store"}, 1, {"shop"}, {"app"}),
        ({"delivery", "billing"}, None, {"money"}, {"parcels", "flights", "app"}),
        (set(), 1, set(), {"app"}),
        ({"app"}, 3, {"app"}, set()),
    ],
)
def test_old_labels_carry_over(topics, version, sure, unknown):
    carried = carry(topics, version, CURRENT, STEPS)
    assert (carried.topics, carried.unknown) == (sure, unknown)


def test_parts_that_became_one_again_are_certain():
    steps = (Step(1, split=(("a", ("b", "c")),)), Step(2, merge=(("d", ("b", "c")),)))
    assert carry({"a"}, 1, ("d",), steps).topics == {"d"}


def test_a_part_whose_sibling_is_retired_stays_uncertain():
    steps = (Step(1, split=(("a", ("b", "c")),)), Step(2, retired=("c",)))
    carried = carry({"a"}, 1, ("b",), steps)
    assert (carried.topics, carried.unknown) == (set(), {"b"})


@pytest.mark.parametrize(("topics", "version"), [({"wether"}, None), ({"billing"}, 3), ({"delivery", "?"}, 1)])
def test_a_name_nobody_knows_is_told(topics, version):
    with pytest.raises(UnknownTopic, match="no version of the taxonomy has the topic"):
        carry(topics, version, CURRENT, STEPS)


@given(st.sets(st.sampled_from(["delivery", "store", "billing", "price", "weather", "staff"])))
def test_what_is_carried_is_of_today_and_never_both(topics):
    carried = carry(topics, 1, CURRENT, STEPS)
    assert carried.topics | carried.unknown <= set(CURRENT)
    assert not carried.topics & carried.unknown
    assert ("staff" in topics) == ("staff" in carried.topics)
    assert bool(topics & {"billing", "price"}) == ("money" in carried.topics)


HEAD = "name: shop\nversion: 3\ntopics: [{name: parcels}, {name: flights}, {name: money}]\n"


def test_steps_are_read_from_the_file():
    text = (
        HEAD + "replaces:\n  - {version: 1, split: {delivery: [parcels, flights]}}\n  - {version: 2, added: [money]}\n"
    )
    assert parse_taxonomy(text).replaces == (
        Step(1, split=(("delivery", ("parcels", "flights")),)),
        Step(2, added=("money",)),
    )
    one = HEAD + "replaces: {version: 2, merge: {money: [billing, price]}, renamed: {post: parcels}, retired: [x]}\n"
    assert parse_taxonomy(one).replaces == (
        Step(2, merge=(("money", ("billing", "price")),), renamed=(("post", "parcels"),), retired=("x",)),
    )


@pytest.mark.parametrize(
    ("replaces", "told"),
    [
        ("{version: 3}", "rise"),
        ("[{version: 2}, {version: 1}]", "rise"),
        ("{version: 2, split: {delivery: [parcels, trains]}}", "no topic here: trains"),
        ("{version: 2, retired: [a], renamed: {a: money}}", "have two: a"),
        ("{version: 2, split: {delivery: []}}", "split.delivery"),
        ("{version: 2, joined: {a: b}}", "joined"),
        ("{split: {delivery: [parcels]}}", "version"),
    ],
)
def test_a_bad_history_names_the_place(replaces, told):
    with pytest.raises(BadTaxonomy, match=told):
        parse_taxonomy(HEAD + f"replaces: {replaces}\n")
