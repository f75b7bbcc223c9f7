import pytest

from models.characters import normalise
from models.taxonomies.taxonomy import BadTaxonomy, Taxonomy, Topic, default_taxonomy, parse_taxonomy
from models.text import tokenise

LABELS = [
    "billing",
    "price",
    "delivery",
    "product quality",
    "reliability and bugs",
    "usability",
    "staff and support",
    "account and access",
    "waiting time",
    "information",
    "safety and legal",
]


def test_the_default_taxonomy_has_the_topics_of_the_contract():
    taxonomy = default_taxonomy()
    assert taxonomy.identity == "default@1"
    assert [topic.name for topic in taxonomy.topics] == LABELS
    assert all(topic.description and topic.keywords and topic.examples for topic in taxonomy.topics)


def test_taxonomies_of_one_name_are_told_apart_by_their_topics():
    one, other = (Taxonomy("shop", 1, (Topic(name),)) for name in ("price", "staff"))
    assert len({one: 1, other: 2, Taxonomy("shop", 1, (Topic("price"),)): 3}) == 2


def test_no_keyword_stands_twice_in_a_topic():
    for topic in default_taxonomy().topics:
        entries = [entry.casefold() for entry in (*topic.keywords, *topic.hints)]
        assert sorted(set(entries)) == sorted(entries), topic.name
        assert all(tokenise(normalise(entry)) for entry in entries)


def test_a_taxonomy_of_ones_own():
    document = """
    name: clinic
    version: 2
    topics:
      - name: parking
        description: Where to leave the car.
        keywords: [parking, car park]
        threshold: 0.7
      - {name: NO, keywords: [no]}
    """
    assert parse_taxonomy(document) == Taxonomy(
        "clinic",
        2,
        (
            Topic("parking", "Where to leave the car.", ("parking", "car park"), threshold=0.7),
            Topic("NO", keywords=("no",)),
        ),
    )


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("", "file"),
        ("[1, 2]", "file"),
        ("name: x\nversion: 1\ntopics: []", "topics"),
        ("name: x\nversion: 0\ntopics: [{name: a}]", "version"),
        ("name: x\nversion: 1\ntopics: [{name: a, threshold: 1.5}]", "topics.0.threshold"),
        ("name: x\nversion: 1\ntopics: [{name: a, colour: red}]", "topics.0.colour"),
        ("name: x\nversion: 1\ntopics: [{name: a}, {name: a}]", "appear twice: a"),
        ("name: x\nversion: 1\ntopics: [{name: 'un", "YAML"),
        ("name: x\nname: y\nversion: 1\ntopics: [{name: a}]", "YAML"),
        ("!!python/object/apply:os.getcwd []", "YAML"),
        ("[" * 5_000, "YAML: its lists lie too deep in each other"),
        ("name: x\nversion: 1\ntopics: [{name: a}, {name: [}]", "YAML: line 3, column "),
        ("name: 2026-99-99", "YAML: a value is not what it seems to be: month must be"),
        ("name: !!bool x", "YAML: a value is not"),
        ("version: " + "9" * 5_000, "YAML: a value is not"),
        ("a\x00b", "YAML"),
    ],
)
def test_a_bad_taxonomy_names_the_place(document, place):
    with pytest.raises(BadTaxonomy, match=place):
        parse_taxonomy(document)
