"""A workbook's cells come as they are; one that is locked, damaged or a bomb is refused before it is opened."""

import struct
import zlib
from datetime import date, datetime
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pytest
import xlsxwriter

from service.ingest.file_layout import Layout, UnreadableFile, recognise
from service.ingest.file_rows import rows


def workbook(*sheets) -> bytes:
    """A workbook of sheets, each a list of rows."""
    out = BytesIO()
    made = xlsxwriter.Workbook(out, {"strings_to_formulas": False, "default_date_format": "yyyy-mm-dd hh:mm"})
    for sheet in sheets:
        page = made.add_worksheet()
        for number, row in enumerate(sheet):
            page.write_row(number, 0, row)
    made.close()
    return out.getvalue()


TEN = datetime.fromisoformat("2026-11-20T10:00")  # Excel knows no zones
ORDINARY = workbook([["id", "text"], ["1", "good"]])


def repacked(changes=(), raw=ORDINARY, **kind) -> bytes:
    """The same workbook with some of its parts replaced or added."""
    out = BytesIO()
    with ZipFile(BytesIO(raw)) as old, ZipFile(out, "w", **kind) as new:
        parts = {name: old.read(name) for name in old.namelist()} | dict(changes)
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
FAR_APART = "<row r='1'><c r='A1'><v>1</v></c></row><row r='1048576'><c r='XFD1048576'><v>1</v></c></row>"


def sheet(cells: str) -> list[tuple[str, str]]:
    head = f'<?xml version="1.0"?><worksheet {NAMESPACE}>'
    return [("xl/worksheets/sheet1.xml", f"{head}<sheetData>{cells}</sheetData></worksheet>")]


def with_directory(raw: bytes, offset: int, value: int, *, size: int = 4) -> bytes:
    """The same archive, whose central directory says something else of its first part."""
    at = raw.index(b"PK\x01\x02") + offset
    return raw[:at] + value.to_bytes(size, "little") + raw[at + size :]


def bomb(unpacked: int) -> bytes:
    """A workbook with a part that says it has 100 bytes, and unpacks to many."""
    content = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = content.compress(b"\0" * unpacked) + content.flush()
    name = b"xl/workbook.xml"
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(packed), 100, len(name), 0)
    local = b"PK\x03\x04" + fields + name + packed
    central = b"PK\x01\x02" + b"\x14\0" + fields + b"\0" * 10 + struct.pack("<I", 0) + name
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


@pytest.fixture
def put(tmp_path):
    def _put(content: bytes):
        path = tmp_path / "export.xlsx"
        path.write_bytes(content)
        return path

    return _put


def test_cells_of_every_kind_from_the_first_sheet_with_any(put):
    path = put(
        workbook(
            [],
            [[], ["id", "", "when", "nps", "ok"], ["007", "=1+1", TEN, 9, True], [], ["8", "x"]],
        )
    )
    layout = recognise(path, "x.csv")
    assert layout == Layout(
        "xlsx", None, None, "Sheet2", ("id", "column 2", "when", "nps", "ok"),
        ("Column 2 has no name: it is called 'column 2' here.",),
    )  # fmt: skip
    first, second = rows(path, layout)
    assert (first.number, first.typed) == (3, True)
    assert list(first.cells.values()) == ["007", "=1+1", TEN, 9.0, True]
    assert (second.number, second.cells["id"]) == (5, "8")
    assert [row.number for row in rows(path, layout, after=3)] == [5]


def test_errors_are_empty_and_dates_dates(put):
    out = BytesIO()
    with xlsxwriter.Workbook(out) as made:
        page = made.add_worksheet()
        page.write_row(0, 0, ["id", "text", "day"])
        page.write_formula(1, 0, "=A9", None, "#REF!")
        page.write(1, 1, "x")
        page.write_datetime(1, 2, date(2026, 11, 20), made.add_format({"num_format": "yyyy-mm-dd"}))
    path = put(out.getvalue())
    (row,) = rows(path, recognise(path, "x.xlsx"))
    assert row.cells == {"id": "", "text": "x", "day": date(2026, 11, 20)}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (workbook([]), "The workbook is empty: fill"),
        (workbook([["id", "text"]]), "Sheet 'Sheet1' holds only a header: add"),
        (workbook([[f"c{number}" for number in range(3_000)], ["x"]]), "at most 2,000 columns can be read"),
        (repacked([("../../etc/passwd", "x")]), "points outside of it: save it as CSV"),
        (repacked([("/etc/passwd", "x")]), "points outside of it: save it as CSV"),
        (repacked([("..\\x", "x")]), "points outside of it: save it as CSV"),
        (repacked([("C:/x", "x")]), "points outside of it: save it as CSV"),
        (repacked([(f"xl/{number}", "") for number in range(1_001)]), "parts, more than 1,000: save it as CSV"),
        (repacked(compression=ZIP_BZIP2), "packed in an unusual way: save it as CSV"),
        (repacked([("xl/media/x", b"\0" * 20_000_000)], compression=ZIP_DEFLATED), "over 100 times its size: save"),
        (repacked([("xl/media/x", b"x" * 60_000_000)]), "unpacks to more than 50 MB: save it as CSV"),
        (bomb(200_000_000), "unpacks to more than 50 MB: save it as CSV"),
        (bomb(20_000_000), "over 100 times its size: save it as CSV"),
        (bomb(5_000), "damaged: its parts are not as long as it says"),
        (with_directory(ORDINARY, 8, 1, size=2), "locked with a password: take it off"),
        (with_directory(ORDINARY, 24, 7), "its parts are not as long as it says"),
        (with_directory(ORDINARY, 42, 10**6), "damaged"),
        (ORDINARY[:-300], "The workbook is damaged: open it in Excel and save it as CSV"),
        (repacked(sheet("<row r='1'><c")), "The workbook is empty"),
        (repacked([("xl/workbook.xml", "<nonsense")]), "cannot be read"),
        (repacked([("xl/workbook.xml", "<!DOCTYPE x [<!ENTITY a 'aaaa'>]><workbook>&a;</workbook>")]), "The workbook"),
        (repacked(sheet(FAR_APART)), "needs too much memory: save it as CSV"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_remedy(put, content, says):
    with pytest.raises(UnreadableFile) as refused:
        recognise(put(content), "x.xlsx")
    assert says in str(refused.value)
    assert str(refused.value).endswith(".")


def test_a_long_text_used_by_every_cell_needs_too_much_memory(put):
    """Few bytes of a file, and 30 GB of cells."""
    shared = f"<sst {NAMESPACE}><si><t>{'x y' * 100_000}</t></si></sst>"
    cells = "".join(f"<row r='{row}'><c r='A{row}' t='s'><v>0</v></c></row>" for row in range(1, 100_000))
    with pytest.raises(UnreadableFile, match="needs too much memory: save it as CSV"):
        recognise(put(repacked([*sheet(cells), ("xl/sharedStrings.xml", shared)])), "x.xlsx")
