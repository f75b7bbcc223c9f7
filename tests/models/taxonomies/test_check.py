"""What is doubtful in a taxonomy."""

import pytest
from topics_of_a_shop import SHOP, embed

from models.taxonomies.check import check, check_descriptions, check_history
from models.taxonomies.taxonomy import default_taxonomy, parse_taxonomy


def taxonomy(topics, version=1, replaces="[]", name="shop"):
    return parse_taxonomy(f"name: {name}\nversion: {version}\ntopics: {topics}\nreplaces: {replaces}\n")


@pytest.mark.parametrize(
    ("topics", "severity", "place", "detail"),
    [
        ("[{name: a}]", "warning", "topic 'a'", "no description"),
        ("[{name: a, description: x, threshold: 0.95}]", "warning", "topic 'a'", "0.95 is extreme"),
        ("[{name: a, description: x, keywords: [late, '!!']}]", "error", "topic 'a', '!!'", None),
        ("[{name: a, description: x, keywords: ['*']}]", "error", "topic 'a', '*'", "holds no word"),
        ("[{name: a, description: x, keywords: [late, late]}]", "warning", "topic 'a', 'late'", "stands there twice"),
        (
            "[{name: a, description: x, keywords: [fee], hints: [fees]}]",
            "warning",
            "topic 'a', 'fees'",
            "the keyword 'fee'",
        ),
        ("[{name: App, description: x}, {name: app, description: y}]", "error", "topics 'App' and 'app'", "capitals"),
        (
            "[{name: a, description: x, keywords: [fee]}, {name: b, description: y, keywords: [fees]}]",
            "warning",
            "keyword 'fee'",
            "several topics: 'a', 'b'",
        ),
    ],
)
def test_each_doubt_has_a_place_and_a_remedy(topics, severity, place, detail):
    found = check(taxonomy(topics))
    if detail is None:
        assert found == []
        return
    assert [(one.severity, one.place) for one in found] == [(severity, place)]
    assert detail in found[0].detail
    assert found[0].remedy


def test_our_own_taxonomy_has_no_error():
    assert [one for one in check(default_taxonomy()) if one.severity == "error"] == []


def test_descriptions_that_say_the_same():
    twins = taxonomy("[{name: a, description: Where to park}, {name: b, description: where to park?}, {name: c}]")
    assert [one.place for one in check_descriptions(twins, embed)] == ["topics 'a' and 'b'"]
    assert check_descriptions(SHOP, embed) == []


@pytest.mark.parametrize(
    ("topics", "version", "replaces", "detail"),
    [
        ("[{name: a}, {name: b}]", 2, "[]", None),
        ("[{name: a}, {name: b}]", 1, "[]", "shop@1 does not follow shop@1"),
        ("[{name: a}, {name: c}]", 2, "[]", "nothing says what became"),
        ("[{name: a}, {name: c}]", 2, "{version: 1, renamed: {b: c}}", None),
        ("[{name: a}, {name: c}]", 2, "{version: 1, retired: [b]}", "'c' is new"),
        ("[{name: a}, {name: c}]", 2, "{version: 1, added: [c]}", "'b' is gone"),
        ("[{name: a}, {name: c}]", 2, "{version: 1, renamed: {b: c}, retired: [z]}", "'z' was no topic then"),
        ("[{name: a}, {name: b}]", 2, "{version: 1, added: [b]}", "'b' was a topic before"),
        ("[{name: ab}]", 2, "{version: 1, merge: {ab: [a, b]}}", None),
        ("[{name: a}, {name: b}, {name: c}]", 2, "{version: 1, split: {b: [b, c]}}", None),
        ("[{name: x}]", 3, "[{version: 1, merge: {y: [a, b]}}, {version: 2, renamed: {y: x}}]", None),
    ],
)
def test_a_version_says_what_became_of_the_one_before(topics, version, replaces, detail):
    found = check_history(taxonomy(topics, version, replaces), taxonomy("[{name: a}, {name: b}]"))
    assert [one.detail for one in found if detail is None or detail not in one.detail] == []
    assert bool(found) == (detail is not None)
    assert all(one.severity == "error" and one.place and one.remedy for one in found)
