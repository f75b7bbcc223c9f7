"""The report: verdicts, counts anybody can compute again, and a page that makes sense and stays inert."""

import json
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import numpy as np
import pytest

from calibration.binomial import lower_bound, p_value_at_least
from calibration.promise import Promise
from calibration.report.as_json import to_json
from calibration.report.page import inert, to_html
from calibration.report.report import report
from calibration.report.sentences import promised, reach

VOID = {"meta", "br", "circle", "polyline", "polygon", "path"}


@pytest.fixture(scope="module")
def document(found):
    return json.loads(to_json(found, file="labels.csv", digest="ab" * 32))


@pytest.fixture(scope="module")
def page(found):
    return to_html(found, file="labels <i>.csv", digest="ab" * 32, on=date(2026, 11, 22))


def question(document, label):
    return next(one for one in document["questions"] if one["label"] == label)


def test_labels_of_an_axis_share_the_error_rate_and_others_do_not(found):
    confidences = {one.verdict.label: round(one.verdict.outcome.promise.confidence, 4) for one in found.questions}

    assert confidences == {"negative": 0.975, "positive": 0.975, "delivery <b>": 0.95}


def test_a_promise_is_said_in_whole_numbers_and_a_refusal_says_what_is_missing(found):
    said = {one.verdict.label: promised(one) for one in found.questions}

    assert re.fullmatch(
        r"Promised: of every 100 texts that the model gives 0\.\d\d or more, at least 90 are right\. "
        r"We can be wrong about this statement 1 time in 40\.",
        said["negative"],
    )
    assert said["delivery <b>"].startswith("No promise possible yet: 18 checked answers at or above 0.3, 29 needed")


def test_reach_says_what_is_caught_and_what_people_do(found):
    negative = next(one for one in found.questions if one.verdict.label == "negative")

    assert re.fullmatch(
        r"It catches about \d+ of 100 such texts \(\d+ to \d+ is what \d+ of them can tell\); "
        r"the others go to a person\.",
        reach(negative),
    )


def test_no_page_one_word_is_a_statisticians(page):
    first = re.sub(r"<[^>]*>", " ", page[: page.index("<section")])

    assert not re.search(r"p-value|\bECE\b|confidence interval|hypothesis", first)


def test_every_count_can_be_computed_again_from_the_sample(document):
    negative = question(document, "negative")
    counted = [one for one in negative["items"] if one["counted"]]
    probability = np.array([one["probability"] for one in counted])
    right = np.array([one["right"] is True for one in counted])
    for rung in negative["ladder"]:
        above = probability >= rung["threshold"]
        n, k = int(above.sum()), int(right[above].sum())
        assert (rung["n"], rung["right"]) == (n, k)
        assert rung["p_value"] == pytest.approx(p_value_at_least(n - k, n, 0.90))
        assert rung["lower_bound"] == pytest.approx(lower_bound(k, n, confidence=0.975))
    assert negative["counts"] == {
        "texts": 800,
        "duplicates": 0,
        "audit": 800,
        "blind": 800,
        "sample": 800,
        "unsettled_counted_as_wrong": 4,
    }


def test_agreement_can_be_computed_again_from_the_answers(document):
    negative = question(document, "negative")
    said = [[answer["right"] for answer in one["answers"]] for one in negative["items"]]
    doubled = [one for one in said if len(one) == 2]

    assert negative["people"]["percent"]["value"] == pytest.approx(np.mean([one == other for one, other in doubled]))
    assert negative["people"]["overlap"] == len(doubled) == 200


def test_status_have_and_need_are_plain(document):
    delivery = question(document, "delivery <b>")

    assert (delivery["status"], delivery["have"], delivery["need"], delivery["threshold"]) == ("refused", 18, 29, None)
    assert delivery["label_next"]["sentence"].startswith("Label 28 more above 0.3 and, if at most 1 is wrong")
    assert question(document, "negative")["status"] == "certified"


def test_no_figure_travels_without_n_interval_and_procedure(document):
    def walk(value):
        if isinstance(value, dict):
            if "low" in value and "high" in value and "value" in value:
                assert value["procedure"]
                assert value["n"] >= 0
                assert value["low"] <= value["value"] <= value["high"]
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(document)


def test_the_json_holds_no_customers_words(document):
    assert "kettle" not in json.dumps(document)


def test_the_same_labels_give_the_same_report_in_any_order(labels, found, document):
    again = report(labels[::-1], Promise(precision=0.90, confidence=0.95))

    assert json.loads(to_json(again, file="labels.csv", digest="ab" * 32)) == document


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def elements(page):
    parser = Elements()
    parser.feed(page)
    return parser


def test_the_page_is_well_formed_and_self_contained(elements):
    assert elements.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(elements.seen)
    assert not [one for one in elements.attributes if one[1] in {"src", "srcset", "style"} or one[1].startswith("on")]
    assert all(value.startswith("#") for _, name, value in elements.attributes if name == "href")


def test_hostile_texts_and_names_are_inert(page):
    assert "&lt;script&gt;alert(1)&lt;/script&gt;[U+202E]kcab" in page or "alert(1)" not in page
    assert "delivery &lt;b&gt;" in page
    assert "labels &lt;i&gt;.csv" in page
    assert "\u202e" not in page
    assert "\x00" not in page


def test_charts_say_in_words_what_they_show(elements, page):
    assert elements.seen.count("svg") == 8  # three for each sentiment, two where nobody can compare people
    assert page.count("<desc>") == page.count("<svg")


def test_a_text_of_any_length_is_cut():
    assert len(inert("a" * 10_000_000)) == 400


@pytest.mark.parametrize("human", [True, False, None])
def test_a_single_label_makes_a_whole_report(labels, human):
    one = report([replace(labels[0], human=human)], Promise(precision=0.90, confidence=0.95))

    assert json.loads(to_json(one, file="x", digest=""))["questions"][0]["status"] == "refused"
    assert "No promise possible yet" in to_html(one, file="x", digest="", on=date(2026, 11, 22))
