"""Any file is recognised for what it is, or refused with a sentence that says what to do."""

import codecs
import csv
import gzip
from contextlib import suppress
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ingest.file_layout import Layout, UnreadableFile, recognise
from service.ingest.file_rows import rows

TABLE = [["id", "Kommentar"], ["1", "Größe stimmt nicht, leider"], ["2", "10 € zu teuer; sonst gut"]]


@pytest.fixture
def put(tmp_path):
    def _put(content: bytes, name: str = "export"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return _put


def written(table, delimiter=",", **dialect) -> str:
    out = StringIO(newline="")
    csv.writer(out, delimiter=delimiter, **dialect).writerows(table)
    return out.getvalue()


def zipped(**parts: str) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "recognised", "bom"),
    [
        ("utf-8", "utf-8", b""),
        ("utf-8", "utf-8-sig", codecs.BOM_UTF8),
        ("utf-16-le", "utf-16", codecs.BOM_UTF16_LE),
        ("utf-16-be", "utf-16", codecs.BOM_UTF16_BE),
        ("cp1252", "cp1252", b""),
    ],
)
def test_encodings_and_delimiters(put, delimiter, encoding, recognised, bom):
    path = put(bom + written(TABLE, delimiter).encode(encoding))
    layout = recognise(path, "export.csv")
    assert layout == Layout("csv", recognised, delimiter, None, ("id", "Kommentar"))
    assert Layout.from_json(layout.to_json()) == layout
    assert [list(row.cells.values()) for row in rows(path, layout)] == TABLE[1:]


@pytest.mark.parametrize(
    ("text", "delimiter", "columns"),
    [
        ("comment\nGood, but late\nBad; very\n", None, ("comment",)),
        ("id;text\n1;a, b, c\n2;d\n3;e, f\n", ";", ("id", "text")),
        ('id,text\n1,"a;b;c\nd;e"\n2,x\n', ",", ("id", "text")),
        ("sep=|\nid|a,b\n1|2,3\n", "|", ("id", "a,b")),
        ("\n\nid,text\n1,x\n", ",", ("id", "text")),
        ('id\t"How likely, really; are you?"\n1\t9\n', "\t", ("id", "How likely, really; are you?")),
        ("a;b;c\n1,5;2,5;3,5\n", ";", ("a", "b", "c")),
        ("id,text\r1,x\r2,y\r", ",", ("id", "text")),
    ],
)
def test_the_delimiter_is_the_one_that_divides_steadily(put, text, delimiter, columns):
    layout = recognise(put(text.encode()), "x.csv")
    assert (layout.delimiter, layout.columns) == (delimiter, columns)


def test_columns_without_a_name_of_their_own_get_one(put):
    layout = recognise(put(b"id,,text,text, text \n1,2,3,4,5\n"), "x.csv")
    assert layout.columns == ("id", "column 2", "text", "text (2)", "text (3)")
    assert layout.notes[0] == "Column 2 has no name: it is called 'column 2' here."
    assert len(layout.notes) == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty: choose"),
        (codecs.BOM_UTF8 + b" \r\n\t", "The file is empty: choose"),
        (codecs.BOM_UTF16_LE, "The file is empty: choose"),
        (b"id,text\n", "only a header: add"),
        (b"id,text\n\n,\n", "only a header: add"),
        (b"id,text\n1,\x00\n", "Byte 10 of the file is NUL"),
        ("id,text\n1,x\n".encode("utf-16-le"), "UTF-16 without a byte order mark: save"),
        (codecs.BOM_UTF32_LE + "id".encode("utf-32-le"), "UTF-32: save"),
        (codecs.BOM_UTF16_LE + "id,text\n1,x".encode("utf-16-le") + b"\xff", "cannot be read as such near byte"),
        (codecs.BOM_UTF16_LE + b"i\0\n\0\x00\xdc1\0\n\0", "cannot be read as such near byte"),
        (b"id,text\n1,caf\xe9\n2,\x81\n", "Byte 17 of the file (0x81) is neither UTF-8 nor Windows-1252: save"),
        (b"%PDF-1.7\n", "a PDF document: export"),
        (b"\x89PNG\r\n\x1a\n", "a picture: choose"),
        (b"\xff\xd8\xff\xe0", "a picture: choose"),
        (gzip.compress(b"id,text\n1,x\n", mtime=0), "packed with gzip: unpack"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (.xls) or one with a password: save"),
        (b"<!DOCTYPE html><table>", "a web page or XML: save"),
        (b'[{"id": "1"}]', "one JSON list: write one record per line"),
        (b'{"id": ', "No line of the file is a JSON object: write"),
        (b"{}\n{}\n", "No line of the file is a JSON object: write"),
        (zipped(**{"letter.txt": "x"}), "a zip archive without a workbook (.xlsx): unpack"),
        (zipped(**{"xl__workbook.bin": "x"}), "a binary workbook (.xlsb): save"),
        (b"PK\x03\x04 and nothing more", "The workbook is damaged: open it in Excel and save"),
        (b",".join(b"c%d" % n for n in range(3_000)) + b"\n1\n", "has 3,000 columns: at most 2,000"),
        (b"x" * 3_000_000, "The header, the first row of the file, cannot be read."),
        (b"," * 1_000_000 + b"\n1\n", "The header, the first row of the file, cannot be read."),
        (
            b'"id,text\n1,x\n2,y\n',
            "The header, the first row of the file, cannot be read. The quote that opens in line 1",
        ),
        (b'{"a": [' + b"1," * 3_000 + b"1]}", "more than 2,000 different names: write fewer"),
    ],
)
def test_what_cannot_be_read_is_refused_with_place_and_remedy(put, content, says):
    with pytest.raises(UnreadableFile) as refused:
        recognise(put(content), "export.csv")
    assert says in str(refused.value)
    assert str(refused.value).endswith((".", ".jsonl"))


def test_a_few_stray_bytes_do_not_make_utf8_another_encoding(put):
    text = "id,text\n" + "".join(f"{number},Größe ist zu groß für mich\n" for number in range(50_000))
    path = put(text.encode() + b"x,caf\xe9\n" + "y,Übrigens gut\n".encode())
    layout = recognise(path, "x.csv")
    *_, stray, last = rows(path, layout)
    assert layout.encoding == "utf-8"
    assert (stray.number, stray.cells) == (50_002, {})
    assert "line 50,002 of the file holds a byte that is not UTF-8" in stray.wrong
    assert last.cells == {"id": "y", "text": "Übrigens gut"}


def test_a_late_byte_of_windows_1252_decides_a_file_of_plain_letters(put):
    path = put(b"id,text\n" + b"1,plain letters only\n" * 100_000 + b"2,caf\xe9\n")
    layout = recognise(path, "x.csv")
    *_, last = rows(path, layout)
    assert (layout.encoding, last.cells["text"]) == ("cp1252", "café")


def test_json_lines_show_the_names_of_all_lines(put):
    path = put(b'{"external_id": "1", "scores": {"nps": 9}}\n\nbroken\n{"verbatims": [{"text": "x"}], "context": {}}\n')
    layout = recognise(path, "x.ndjson")
    assert layout == Layout("ndjson", "utf-8", None, None, ("external_id", "scores.nps", "verbatims.0.text"))


@pytest.mark.parametrize(("name", "expected"), [("x.csv", "csv"), ("x.ndjson", "ndjson"), ("x.xlsx", "csv")])
def test_the_content_goes_before_the_name(put, name, expected):
    content = b'broken line\n{"id": 1}\n' if expected == "ndjson" else b"id,text\n1,x\n"
    assert recognise(put(content), name).format == expected


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.sampled_from([b"", b"id,text\n", codecs.BOM_UTF16_LE, b"PK\x03\x04", b'{"a":1}\n']))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, start):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(start + content)
    with suppress(UnreadableFile):
        layout = recognise(path, "any")
        assert layout.columns
        assert all(row.wrong or row.cells for row in rows(path, layout))
