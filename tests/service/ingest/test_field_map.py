"""Columns find their fields, and cells become records or are told by row and column; nothing ever raises."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ingest.field_map import CellError, InvalidMap, check, guess, translate
from service.ingest.field_places import FIELDS
from service.ingest.file_rows import Row
from service.ingest.record import FeedbackRecord

LONG = [
    "The parcel came two weeks late and nobody at the hotline could tell me where it was.",
    "All is well, thank you.",
]
COLUMNS = {
    "int": ["0", "7", "10"],
    "five": ["1", "5", "4,5"],
    "text": [LONG[0], LONG[1], LONG[0]],
    "id": ["a-1", "a-2", "a-3"],
    "time": ["2026-11-20 10:00", "20.11.2026 10:00", "2026-11-20T10:00:00+01:00"],
    "either": ["11/02/2026", "12/02/2026", "13/02/2026"],
    "mail": ["a@example.com", "", "b@example.com"],
    "yes": ["ja", "nein", "ja"],
    "word": ["gold", "gold", "silver"],
    "money": ["1.250,50", "99", "12000"],
    "lang": ["en", "pt-BR", "de_DE"],
}


@pytest.mark.parametrize(
    ("header", "values", "field"),
    [
        ("Response ID", "id", "external_id"),
        ("tweet_id", "id", "external_id"),
        ("Antwort-Nr.", "id", "external_id"),
        ("ID de respuesta", "id", "external_id"),
        ("Numéro de réponse", "id", "external_id"),
        ("Booking ID", "id", "external_id"),
        ("order_id", "id", "context.order_id"),
        ("Response ID", "word", "context.response_id"),
        ("created_at", "time", "submitted_at"),
        ("Zeitstempel", "time", "submitted_at"),
        ("Fecha de creación", "time", "submitted_at"),
        ("Horodateur", "time", "submitted_at"),
        ("bookingDate", "time", "submitted_at"),
        ("created_at", "either", "context.created_at"),
        ("NPS Score", "int", "scores.nps"),
        ("How likely are you to recommend us to a friend?", "int", "scores.nps"),
        ("Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen?", "int", "scores.nps"),
        ("¿Qué tan probable es que nos recomiende?", "int", "scores.nps"),
        ("score", "int", "scores.nps"),
        ("score", "five", "scores.csat"),
        ("Sterne", "five", "scores.stars"),
        ("Rating", "five", "scores.stars"),
        ("Zufriedenheit", "five", "scores.csat"),
        ("How satisfied are you?", "five", "scores.csat"),
        ("Effort score", "five", "scores.ces"),
        ("nps", "text", "verbatims.0.text"),
        ("Comment", "text", "verbatims.0.text"),
        ("Kommentar", "word", "verbatims.0.text"),
        ("commentaires", "text", "verbatims.0.text"),
        ("Whatever", "text", "verbatims.0.text"),
        ("What went well?", "text", "verbatims.0.text"),
        ("E-Mail", "mail", "customer.email"),
        ("Correo electrónico", "mail", "customer.email"),
        ("Kundennummer", "word", "customer.id"),
        ("customer tier", "word", "customer.tier"),
        ("Région", "word", "customer.region"),
        ("Umsatz", "money", "customer.account_value"),
        ("Dürfen wir Sie kontaktieren?", "yes", "consent.contact"),
        ("Sprache", "lang", "language"),
        ("Product Line (new)", "word", "context.product_line_new"),
        ("2nd choice", "word", "context.column_2nd_choice"),
        ("***", "word", "context.column_"),
        ("source", "word", "context.source"),
        ("scores.nps", "text", "scores.nps"),
        ("customer.attributes.plan", "word", "customer.attributes.plan"),
    ],
)
def test_a_column_is_guessed_by_name_and_values(header, values, field):
    sample = [{header: value} for value in COLUMNS[values]]
    assert guess([header], sample) == {field: header}


IDS = [f"r-{number}" for number in range(20)]


@pytest.mark.parametrize(
    ("header", "values", "field"),
    [
        ("Response ID", ["", *IDS[1:]], "external_id"),
        ("Response ID", [IDS[1], *IDS[1:]], "external_id"),
        ("Response ID", ["", "", *IDS[2:]], "context.response_id"),
        ("Response ID", [IDS[2], IDS[2], *IDS[2:]], "context.response_id"),
        ("Booking ID", ["", *IDS[1:]], "context.booking_id"),
        ("Booking ID", [IDS[1], *IDS[1:]], "context.booking_id"),
    ],
)
def test_an_id_by_name_may_lack_a_few_values(header, values, field):
    assert guess([header], [{header: value} for value in values]) == {field: header}


def test_a_whole_file_is_guessed():
    columns = ["Id", "ID Kunde", "Datum", "Text", "What else?", "Airline", "airline!", "nps", "NPS score", "Region"]
    sample = [
        {**dict.fromkeys(columns, f"v{n}"), "Datum": "20.11.2026", "Text": LONG[n % 2], "What else?": LONG[0] + str(n),
         "nps": str(n), "NPS score": str(n)}
        for n in range(5)
    ]  # fmt: skip
    assert guess(columns, sample) == {
        "external_id": "Id",
        "submitted_at": "Datum",
        "scores.nps": "nps",
        "customer.region": "Region",
        "verbatims.0.text": "Text",
        "verbatims.1.text": "What else?",
        "context.id_kunde": "ID Kunde",
        "context.airline": "Airline",
        "context.airline_2": "airline!",
        "context.nps_score": "NPS score",
    }


def test_records_of_the_contract_map_to_themselves():
    columns = ["source", "external_id", "revision", "scores.nps", "verbatims.0.text", "context.Lot No.", "language"]
    revisions = [dict.fromkeys(columns, "1"), dict.fromkeys(columns, "1")]
    assert guess([*columns, "Other one"], revisions) == {
        **{column: column for column in columns},
        "context.other_one": "Other one",
    }


@settings(deadline=None)
@given(st.data())
def test_a_guess_holds_whatever_the_file_holds(data):
    names = st.sampled_from(["id", "text", "score", "date", "source", "question", *FIELDS]) | st.text(max_size=30)
    columns = data.draw(st.lists(names, unique=True, max_size=60))
    value = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=90) | st.sampled_from(["7", "x y"])
    )
    sample = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, value)), max_size=4))
    guessed = guess(columns, sample)
    assert len(set(guessed.values())) == len(guessed)
    try:
        check(guessed, columns)
    except InvalidMap as wrong:
        assert "No score and no verbatim" in str(wrong) or "needs its answer" in str(wrong)  # noqa: PT017 (may hold, too)
    for number, cells in enumerate(sample, 2):
        assert translate(Row(number, cells), guessed, source="s")


@pytest.mark.parametrize(
    ("field_map", "problems"),
    [
        ({"verbatims.0.txt": "text"}, ["There is no such field (did you mean 'verbatims.0.text'?)", "No score and no"]),
        ({"scores.nps": "npx"}, ["The file has no column 'npx' (did you mean 'nps'?)."]),
        ({"context.a": "text"}, ["No score and no verbatim is mapped: name a column"]),
        ({}, ["No score and no verbatim is mapped: name a column"]),
        ({"scores.nps": "nps", "scores.csat": "nps"}, ["The column 'nps' is mapped to scores.nps, too: take one"]),
        ({"scores.nps": "nps", "verbatims.1.question": "text"}, ["A question needs its answer: map verbatims.1.text"]),
        ({"scores.nps": "nps", "contxt.lot": "text"}, ["There is no such field (did you mean 'context.lot'?)"]),
        ({"scores.nps": "nps", "context.": "text"}, ["There is no such field"]),
        ({"verbatims.100.text": "text", "scores.nps": "nps"}, ["There is no such field"]),
        ({"verbatims.00.text": "text", "scores.nps": "nps"}, ["There is no such field"]),
        (
            {"scores.nps": "nps", **{f"context.{n}": "text" for n in range(51)}},
            ["51 columns are mapped here, at most 50"],
        ),
    ],
)
def test_a_map_that_does_not_fit_is_told_completely(field_map, problems):
    with pytest.raises(InvalidMap) as wrong:
        check(field_map, ["nps", "text"])
    assert len(wrong.value.problems) == len(problems)
    for (_, detail), says in zip(wrong.value.problems, problems, strict=True):
        assert detail.startswith(says)


MAP = {
    "external_id": "id",
    "submitted_at": "when",
    "language": "lang",
    "revision": "rev",
    "scores.nps": "nps",
    "scores.csat": "csat",
    "verbatims.0.text": "Why this score?",
    "verbatims.1.text": "more",
    "customer.account_value": "value",
    "customer.attributes.plan": "plan",
    "context.lot": "lot",
    "consent.contact": "ok",
}


def made(typed=False, **cells):
    return translate(Row(7, {"id": "r-1", "nps": "9", **cells}, typed=typed), MAP, source="s")


def at(record: FeedbackRecord, field: str):
    value = record.model_dump()
    for step in field.split("."):
        value = value[int(step) if step.isdigit() else step]
    return value


TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "cell", "field", "value"),
    [
        *[("nps", cell, "scores.nps", 9) for cell in ("9", "9.0", " 9 ", "9,0", "09", "+9", "٩", 9, 9.0)],
        *[("csat", cell, "scores.csat", 4.5) for cell in ("4.5", "4,5", " 4,50 ", 4.5)],
        *[("value", cell, "customer.account_value", 1250.5) for cell in ("1250.5", "1250,5", "1.250,50", "1,250.50")],
        *[("value", cell, "customer.account_value", 1250000) for cell in ("1.250.000", "1 250 000", "1’250’000")],
        *[("ok", cell, "consent.contact", True) for cell in ("yes", "JA", " true ", "1", "Sí", "oui", True, 1, 1.0)],
        *[("ok", cell, "consent.contact", False) for cell in ("no", "Nein", "FALSE", "0", "non", False, 0)],
        *[("lot", cell, "context.lot", 7) for cell in ("7", " 7 ", "7.0", 7, 7.0)],
        *[("lot", cell, "context.lot", cell) for cell in ("007", "1234567890123456", "4,5", "+7", "1e5", "٣")],
        *[("lot", cell, "context.lot", cell) for cell in ("inf", "nan", "true")],
        *[("lot", cell, "context.lot", cell) for cell in ("=1+1", "<b onload=x>", "\u202eabc", "n/a", "-", "\x1b[31m")],
        ("lot", "-2.5", "context.lot", -2.5),
        ("lot", True, "context.lot", True),
        ("lot", date(2026, 11, 20), "context.lot", "2026-11-20"),
        ("plan", "pro", "customer.attributes.plan", "pro"),
        ("lang", "pt_BR", "language", "pt-BR"),
        ("rev", "2", "revision", 2),
        ("id", 12.0, "external_id", "12"),
        ("id", " 570306133677760513 ", "external_id", "570306133677760513"),
        ("id", "=HYPERLINK(1)", "external_id", "=HYPERLINK(1)"),
        ("more", " kept \n as it is ", "verbatims.0.text", " kept \n as it is "),
        *[
            ("when", cell, "submitted_at", TEN)
            for cell in (
                "2026-11-20T10:00:00Z", "2026-11-20T11:00:00+01:00", "2026-11-20 02:00:00 -0800", "2026-11-20 10:00",
                "2026-11-20 10:00:00", "2026-11-20 10:00:00 UTC", "2026-11-20t10:00:00.000000000z", "20.11.2026 10:00",
                "20.11.2026, 10:00:00", "20/11/2026 10:00", "11/20/2026 10:00 AM", "2026/11/20 10:00",
                "20 Nov 2026 10:00", "Nov 20, 2026 10:00 am", "Fri, 20 Nov 2026 10:00:00 +0000",
                "Fri Nov 20 10:00:00 +0000 2026", TEN, TEN.replace(tzinfo=None),
            )
        ],
        *[("when", cell, "submitted_at", MIDNIGHT) for cell in ("2026-11-20", "20.11.2026", "11/20/2026")],
        ("when", date(2026, 11, 20), "submitted_at", MIDNIGHT),
        ("when", "11/11/2026", "submitted_at", datetime(2026, 11, 11, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_cell_is_read_in_the_one_way_it_can_be(column, cell, field, value):
    record = made(**{column: cell})
    assert isinstance(record, FeedbackRecord), record
    assert at(record, field) == value
    assert isinstance(at(record, field), bool) == isinstance(value, bool)
    assert record.external_id
    record.canonical().encode()


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("nps", "11", "At most 10 is allowed here."),
        ("nps", "-1", "At least 0 is needed here."),
        ("nps", "7.5", "A whole number is needed here."),
        ("nps", str(2**70), "At most 10 is allowed here."),
        ("nps", 2**70, "At most 10 is allowed here."),
        ("nps", 10**400, "At most 10 is allowed here."),
        ("csat", 10**400, ""),
        ("csat", float("nan"), ""),
        ("csat", float("inf"), "At most 5"),
        ("value", 10**400, ""),
        ("lot", 10**400, "A number beyond 10^15 cannot be kept exactly: send it as a text."),
        *[("nps", cell, f"A number is needed here, not '{cell}'.") for cell in ("n/a", "TRUE", "inf", "nan", True)],
        *[("nps", cell, f"A number is needed here, not '{cell}'.") for cell in ("9/10", "1e1", "٩٩٩x")],
        ("nps", "9" * 50, "A number is needed here, not '9999"),
        ("nps", "9 \u202e\n\x1b", "A number is needed here, not '9    '."),
        ("csat", "0", "At least 1"),
        ("value", "1,250", "The number '1,250' can be read in two ways: write 1250 or 1.2500."),
        ("value", "12.500", "The number '12.500' can be read in two ways: write 12500 or 12.5000."),
        ("ok", "maybe", "Yes or no is needed here, not 'maybe'."),
        ("ok", 2, "Yes or no is needed here, not '2'."),
        ("lang", "in English", "A language is written as a tag, such as en or pt-BR (BCP 47)."),
        ("rev", "0", "At least 1 is needed here."),
        ("id", "", "This row has no id: fill the cell."),
        ("id", " ", "This row has no id: fill the cell."),
        ("id", "x" * 257, "This text is too long: at most 256 characters are allowed here."),
        ("id", "a\x07b", "Control characters are not allowed here."),
        ("id", 570306133677760513.0, "This number has more than 15 digits, which Excel does not keep: format"),
        ("more", "x" * 100_001, "This text is too long: at most 100"),
        ("more", "a\0b", "The text holds a NUL character: remove it."),
        ("more", "a\ud800b", "The text holds half of a surrogate pair: send whole characters."),
        ("lot", "\udc80", "The text holds half of a surrogate pair: send whole characters."),
        ("lot", "x" * 10_001, "A text here has at most 10,000 characters."),
        ("when", "11/02/2026", "The date '11/02/2026' can be read in two ways: write 2026-11-02 or 2026-02-11."),
        ("when", "11/02/2026 10:00 PM", "The date '11/02/2026 10:00 PM' can be read in two ways"),
        ("when", "2026-02-30 10:00 UTC", "There is no such day: '2026-02-30 10:00 UTC'."),
        ("when", "30.02.2026", "There is no such day: '30.02.2026'."),
        ("when", "31/31/2026", "There is no such day: '31/31/2026'."),
        ("when", "20.11.2026 25:00", "There is no such time of day: '20.11.2026 25:00'."),
        ("when", "2026-02-30T10:00:00Z", "A time is written as 2026-11-20T10:00:00Z (RFC 3339)."),
        ("when", "1424806552", "A time is written as 2026-11-20T10:00:00Z (RFC 3339), not '1424806552'."),
        ("when", 46346.5, "A time is written as 2026-11-20T10:00:00Z (RFC 3339), not '46346.5'."),
        ("when", "20.11.26", "A time is written as"),
        ("when", "20 Foo 2026", "A time is written as"),
        ("when", "0001-01-01", "The year must lie between 1970 and 9998."),
        ("when", datetime(1, 1, 1), "The year must lie between 1970 and 9998."),  # noqa: DTZ001 (as Excel has it)
        ("when", "2026-11-20 10:00 +99:99", "A time is written as"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_read_is_told_with_its_column(column, cell, says):
    (error,) = made(**{column: cell})
    assert (error.row, error.column) == (7, column)
    assert error.detail.startswith(says)
    assert error.detail.isprintable()


def test_all_mistakes_of_a_row_are_told_at_once():
    errors = made(nps="n/a", csat="9", when="soon", more="\0")
    assert [error.column for error in errors] == ["when", "nps", "more", "csat"]


def test_the_column_of_a_late_verbatim_is_found_where_an_early_one_is_empty():
    (error,) = made(more="x" * 100_001, **{"Why this score?": ""})
    assert error.column == "more"


def test_a_header_that_asks_is_the_question():
    record = made(more="two", **{"Why this score?": "one"})
    assert [(one.question, one.text) for one in record.verbatims] == [("Why this score?", "one"), (None, "two")]
    named = translate(
        Row(2, {"q": "Sure?", "a b": "x"}), {"verbatims.0.text": "a b", "verbatims.0.question": "q"}, source="s"
    )
    assert named.verbatims[0].question == "Sure?"


def test_what_is_typed_stays_what_it_is():
    assert made(typed=True, lot="7").context == {"lot": "7"}
    assert made(typed=False, lot="7").context == {"lot": 7}


@pytest.mark.parametrize("cells", [{}, {"nps": " "}, {"nps": None, "lot": "x"}, {"lot": "x"}])
def test_a_row_without_an_answer_is_told(cells):
    errors = translate(Row(3, {"id": "x", **cells}), MAP, source="s")
    assert errors == [CellError(3, None, "At least one score or one verbatim is needed.")]


def test_a_record_without_an_id_is_named_after_its_row_and_content():
    first, again, other = (
        translate(Row(number, {"t": text}), {"verbatims.0.text": "t"}, source="s")
        for number, text in [(2, "x"), (2, "x"), (2, "y")]
    )
    assert first == again
    assert first.external_id.startswith("row-2-")
    assert len(first.external_id) == len("row-2-") + 12
    assert other.external_id != first.external_id


def test_a_row_from_another_source_is_refused():
    field_map = {"external_id": "external_id", "scores.nps": "scores.nps", "source": "source"}
    row = Row(4, {"source": "app", "external_id": "1", "scores.nps": 9}, typed=True)
    assert isinstance(translate(row, field_map, source="app"), FeedbackRecord)
    (error,) = translate(row, field_map, source="shop")
    assert error == CellError(4, "source", "This row is from the source 'app', not from 'shop': import it on its own.")


def test_a_row_that_could_not_be_read_keeps_its_reason():
    assert translate(Row(5, {}, "Too long."), MAP, source="s") == [CellError(5, None, "Too long.")]


@settings(deadline=None, max_examples=300)
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            MAP.values(),
            st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.times() | st.datetimes()
            | st.text() | st.from_regex(r"[-+]?[0-9 .,/:]{1,20}"),
        ),
    ),
    st.booleans(),
)  # fmt: skip
def test_any_cells_make_a_record_or_errors(cells, typed):
    found = translate(Row(9, cells, typed=typed), MAP, source="s")
    if isinstance(found, FeedbackRecord):
        assert "\0" not in found.canonical().encode().decode()
    else:
        assert found
        assert all(error.row == 9 and error.detail for error in found)
