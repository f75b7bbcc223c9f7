import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[3] / "service" / "demo" / "feedback.ndjson"
SOURCES = {"store-survey", "flight-survey", "bank-survey", "app-reviews", "clinic-survey"}
RANGES = {"nps": (0, 10), "csat": (1, 5), "stars": (1, 5), "ces": (1, 7)}
FIELDS = {
    "source", "external_id", "submitted_at", "scores", "verbatims", "customer", "context", "consent", "language",
}  # fmt: skip
CUSTOMER_FIELDS = {"id", "email", "tier", "region", "account_value"}

Record = dict[str, Any]


def refuse_twins(pairs: list[tuple[str, Any]]) -> Record:
    record = dict(pairs)
    assert len(record) == len(pairs), f"a key stands twice in {pairs}"
    return record


@pytest.fixture(scope="module")
def records() -> list[Record]:
    lines = FILE.read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    return [json.loads(line, object_pairs_hook=refuse_twins) for line in lines]


def texts(record: Record) -> list[str]:
    return [verbatim["text"] for verbatim in record.get("verbatims", [])]


def test_three_hundred_records_come_from_five_sources_in_equal_parts(records):
    assert Counter(record["source"] for record in records) == dict.fromkeys(SOURCES, 60)


def test_no_identity_and_no_text_is_used_twice(records):
    identities = Counter((record["source"], record["external_id"]) for record in records)
    written = Counter(text for record in records for text in texts(record))
    assert max(identities.values()) == 1
    assert max(written.values()) == 1


def test_only_fields_of_the_contract_are_used_and_each_record_says_something(records):
    for record in records:
        assert record.keys() <= FIELDS
        assert record["customer"].keys() <= CUSTOMER_FIELDS
        assert record["scores"] or record["verbatims"]
        assert record["consent"].keys() == {"contact"}
        assert isinstance(record["consent"]["contact"], bool)


def test_scores_lie_in_their_ranges(records):
    for record in records:
        for measure, value in record["scores"].items():
            low, high = RANGES[measure]
            assert type(value) is int
            assert low <= value <= high


def test_texts_and_context_keep_the_limits_of_the_contract(records):
    for record in records:
        assert all(0 < len(text) <= 100_000 for text in texts(record))
        assert all(verbatim.keys() == {"question", "text"} for verbatim in record.get("verbatims", []))
        assert len(record.get("context", {})) <= 50
        assert all(isinstance(value, str | int | float | bool) for value in record.get("context", {}).values())


def test_answers_arrive_in_order_over_twenty_days_of_november(records):
    times = [datetime.strptime(record["submitted_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) for record in records]
    assert times == sorted(times)
    assert times[0] >= datetime(2026, 11, 1, tzinfo=UTC)
    assert times[-1] < datetime(2026, 11, 21, tzinfo=UTC)
    assert len({time.date() for time in times}) == 20


def test_groups_of_every_region_have_something_to_do(records):
    assert {record["customer"]["region"] for record in records} == {"emea", "amer", "apac"}
    assert {record["customer"]["tier"] for record in records} == {"bronze", "silver", "gold"}


def test_languages_other_than_english_are_declared_by_some_platforms_and_not_by_others(records):
    declared = Counter(record["language"] for record in records if "language" in record)
    foreign = {code: count for code, count in declared.items() if code != "en"}
    assert sum(foreign.values()) >= 15
    assert foreign.keys() >= {"de", "fr", "pl", "it", "nl", "cs", "ar", "ja", "uk"}
    undeclared = [text for record in records if "language" not in record for text in texts(record)]
    assert any("Endlich ein Werkzeug" in text for text in undeclared)


@pytest.mark.parametrize(
    ("least", "kind"),
    [
        pytest.param(10, lambda record: not texts(record), id="scores only"),
        pytest.param(30, lambda record: len(texts(record)) > 1, id="several answers"),
        pytest.param(8, lambda record: any(len(text) < 16 for text in texts(record)), id="very short"),
        pytest.param(6, lambda record: any(600 <= len(text) <= 1500 for text in texts(record)), id="rambling"),
        pytest.param(60, lambda record: record["scores"].get("nps", 10) <= 6, id="detractors"),
        pytest.param(40, lambda record: "email" in record["customer"], id="e-mail known"),
        pytest.param(20, lambda record: not record["consent"]["contact"], id="no contact wished"),
    ],
)
def test_each_kind_of_answer_that_the_demo_shows_is_there(records, least, kind):
    assert sum(map(kind, records)) >= least


@pytest.mark.parametrize(
    "piece",
    ["<script>alert(1)</script>", "=HYPERLINK(", "\u202e", "\u200b", "I HAVE WRITTEN FIVE TIMES", "✈️", "4111 1111"],
)
def test_hostile_looking_and_personal_texts_are_there(records, piece):
    assert any(piece in text for record in records for text in texts(record))


def test_invisible_characters_are_written_as_escapes():
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069]", FILE.read_text(encoding="utf-8"))


def test_faulty_lots_have_enough_reports_to_make_one_quality_case_of_many(records):
    reports = Counter(
        (record["context"]["site"], record["context"]["lot"])
        for record in records
        if "lot" in record.get("context", {}) and record["scores"].get("csat", 5) <= 2
    )
    assert reports["Lodz", "L-204"] >= 5
    assert reports["Porto", "P-118"] >= 5
    assert reports["Brno", "B-77"] >= 2


def test_personal_data_is_made_up(records):
    written = FILE.read_text(encoding="utf-8")
    assert set(re.findall(r"[\w.+-]+@([\w.-]*\w)", written)) == {"example.com"}
    assert set(re.findall(r"\b\d{4}(?: \d{4}){3}\b", written)) == {"4111 1111 1111 1111"}
