"""Topics from descriptions and keywords alone."""

from dataclasses import replace

import pytest
from topics_of_a_shop import SHOP, embed

from models.keywords import KeywordClassifier
from models.prediction import Verbatim
from models.taxonomies.taxonomy import Topic
from models.taxonomies.zero_shot import zero_shot


def read(text, taxonomy=SHOP, keywords=True):
    verbatim = Verbatim(text)
    quiet = dict.fromkeys(taxonomy.labels, 0.03)
    found = KeywordClassifier().read([verbatim], taxonomy)[0].topics if keywords else quiet
    return zero_shot(taxonomy, embed).read(embed([verbatim])[0], found)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Whether parcels arrive in time", "delivery"),
        ("what it costs", "price"),
        ("sending things back", "returns"),
    ],
)
def test_a_description_alone_finds_its_topic(text, label):
    found = read(text, keywords=False)
    assert list(found) == SHOP.labels
    assert max(found, key=found.__getitem__) == label
    assert found[label] > 0


def test_keywords_add_to_descriptions():
    text = "so friendly, and a courier who waves"
    assert read(text)["staff"] > 0 > read(text, keywords=False)["staff"]
    assert read(text)["delivery"] > 0


def test_none_of_these():
    assert max(read("zebra umbrella quartz", keywords=False).values()) < 0


def test_examples_draw_texts_like_them_once_there_are_three():
    def score(*examples):
        topics = (*SHOP.topics[:3], Topic("returns", "Sending things back.", examples=examples))
        return read("my refund never came", replace(SHOP, topics=topics), keywords=False)["returns"]

    examples = ("where is my refund", "refund never paid", "I want my refund")
    assert score(*examples) > 0 > score()
    assert score(*examples[:2]) == score()


def test_a_taxonomy_of_one_topic():
    alone = replace(SHOP, topics=SHOP.topics[:1])
    assert read("whether parcels arrive", alone, keywords=False)["delivery"] > 0
    assert read("zebra umbrella", alone, keywords=False)["delivery"] < 0
