"""A YAML 1.2 (or JSON) document as a tree in which every part knows its line and column.

Built from ruamel's events rather than its objects: nothing in a document can construct anything, nesting is counted
instead of recursed into, and a scalar means what YAML 1.2's core schema says (`NO` and `12:30` are text).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from ruamel.yaml.reader import ReaderError

MAX_BYTES = 200_000
MAX_DEPTH = 32
MAX_NODES = 50_000

_NULL = re.compile(r"null|Null|NULL|~|")
_BOOLEAN = re.compile(r"(?P<true>true|True|TRUE)|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ESCAPES = re.compile(r"\\(?:x..|u....|U........|.)", re.DOTALL)

# What the YAML reader says, as a prefix, and what to tell people who do not know YAML.
_TOLD = {
    "found character '\\t'": "a tab stands here; indent with spaces",
    "mapping values are not allowed": "an entry cannot begin here; look where the line begins, and put a text that "
    "holds a colon in single quotes: 'like: this'",
    "expected <block end>": "this does not follow from what stands before it; lines of one entry begin in the same "
    "column, and a value that begins with a quote ends with that quote: put the whole of it in single quotes",
    "could not find expected ':'": "an entry is a name, a colon, a space and a value; one of these is missing above",
}


class Mark(NamedTuple):
    """A place in the document, both counted from 1."""

    line: int
    column: int


class Unreadable(ValueError):
    """The document is not one readable YAML mapping; `mark` says where reading stopped."""

    def __init__(self, mark: Mark, detail: str) -> None:
        self.mark, self.detail = mark, detail
        super().__init__(f"{mark.line}:{mark.column}: {detail}")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One written value: its text, how it was quoted, and its source with the place where that begins."""

    mark: Mark
    text: str
    quoting: str = ""
    source: str = ""

    @property
    def value(self) -> str | int | float | bool | None:
        """The value by YAML 1.2's core schema; what is quoted is text."""
        if self.quoting:
            return self.text
        if _NULL.fullmatch(self.text):
            return None
        if found := _BOOLEAN.fullmatch(self.text):
            return found.group("true") is not None
        if _INTEGER.fullmatch(self.text):
            return int(self.text)
        return float(self.text) if _FLOAT.fullmatch(self.text) else self.text

    def locate(self, offset: int) -> Mark:
        """Give the place in the document of a code point of the text, whatever folding and escapes lie between.

        Line breaks and indentation are the only things folding changes, so the signs that are no space are counted.
        """
        ahead = sum(not sign.isspace() for sign in self.text[:offset])
        for found in self._signs():
            if ahead == 0:
                before = self.source[:found]
                line = before.count("\n")
                column = found - (before.rfind("\n") + 1)
                return Mark(self.mark.line + line, column + (self.mark.column if line == 0 else 1))
            ahead -= 1
        return self.mark

    def _signs(self) -> Iterator[int]:
        """Yield where in the source each sign of the text that is no space stands."""
        position = len(self.quoting) if self.quoting in {'"', "'"} else 0
        if self.quoting in {"|", ">"}:
            position = self.source.find("\n")  # the header line holds no text
        while position < len(self.source):
            sign, width = self.source[position], 1
            if self.quoting == '"' and sign == "\\":
                found = _ESCAPES.match(self.source, position)
                width = found.end() - position if found else 1
                sign = " " if self.source[position + 1 : position + 2] in {"\n", "n", "t", "r", " "} else sign
            elif self.quoting == "'" and self.source.startswith("''", position):
                width = 2
            if not sign.isspace():
                yield position
            position += width


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of marked parts."""

    mark: Mark
    items: tuple["Marked", ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping in the order written; of a key written twice, the first."""

    mark: Mark
    entries: tuple[tuple[Scalar, "Marked"], ...]

    def get(self, key: str) -> "Marked | None":
        return next((value for name, value in self.entries if name.text == key), None)


Marked = Scalar | Listing | Table


class Document(NamedTuple):
    """The root mapping, and the keys that were written twice in one mapping."""

    root: Table
    repeated: tuple[Scalar, ...]


def read(document: bytes | str) -> Document:
    """Read a document of at most 200 kB and 32 levels, anchors included.

    Raises:
        Unreadable: it is no such document.
    """
    text = _decoded(document)
    composer = _Composer(text)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            composer.take(event)
    except MarkedYAMLError as error:
        where = error.problem_mark or error.context_mark
        mark = Mark(where.line + 1, where.column + 1) if where else Mark(1, 1)
        raise Unreadable(mark, _told(str(error.problem or error.context))) from None
    except ReaderError as error:
        before = text[: error.position]
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise Unreadable(mark, "a character that YAML does not allow") from None
    except (YAMLError, ValueError, OverflowError, LookupError, AttributeError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(Mark(1, 1), "this is not YAML") from None
    if not isinstance(composer.root, Table):
        mark = composer.root.mark if composer.root else Mark(1, 1)
        raise Unreadable(mark, "a policy is a mapping with at least `name` and `rules`")
    return Document(composer.root, tuple(composer.repeated))


def _told(problem: str) -> str:
    told = next((told for begins, told in _TOLD.items() if problem.startswith(begins)), problem)
    return f"this is not YAML: {told}"


def _decoded(document: bytes | str) -> str:
    try:
        raw = document if isinstance(document, bytes) else document.encode()
        if len(raw) > MAX_BYTES:
            raise Unreadable(Mark(1, 1), f"the document has {len(raw)} bytes, at most {MAX_BYTES} are allowed")
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise Unreadable(mark, "the document is not UTF-8") from None
    except UnicodeEncodeError:
        raise Unreadable(Mark(1, 1), "the document holds half a character (a lone surrogate)") from None
    if text.lstrip().startswith("{"):
        return text.replace("\t", " ")  # JSON may be indented by tabs, and holds none inside its texts
    return text


@dataclass
class _Open:
    """A list or mapping whose end was not seen yet; `size` and `height` count the parts below it."""

    mark: Mark
    kind: Literal["list", "table"]
    anchor: str | None
    parts: list[Marked] = field(default_factory=list)
    size: int = 1
    height: int = 0


class _Composer:
    """Takes events one by one and builds the tree without recursion."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.root: Marked | None = None
        self.repeated: list[Scalar] = []
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Marked, int, int]] = {}
        self.nodes = 0

    def take(self, event: Event) -> None:
        mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, DocumentStartEvent) and (self.root is not None or event.version or event.tags):
            raise Unreadable(mark, "one document without YAML directives is expected")
        if isinstance(event, CollectionEndEvent):
            self.close()
        elif isinstance(event, AliasEvent):
            if event.anchor not in self.anchors:
                raise Unreadable(mark, f"*{event.anchor} refers to nothing above it")
            self.add(mark, *self.anchors[event.anchor])
        elif isinstance(event, NodeEvent):
            self.begin(event, mark)

    def begin(self, event: NodeEvent, mark: Mark) -> None:
        if tag := getattr(event, "tag", None):
            remedy = "; put the value in quotes, and for the opposite write `not`"
            raise Unreadable(mark, f"a value that begins with ! is a tag: tags such as {tag} are not used{remedy}")
        if isinstance(event, ScalarEvent):
            source = self.source[event.start_mark.index : event.end_mark.index]
            scalar = Scalar(mark, _whole(event.value, mark), event.style or "", source)
            self.anchors |= {event.anchor: (scalar, 1, 0)} if event.anchor else {}
            self.add(mark, scalar, 1, 0)
            return
        self.open.append(_Open(mark, "table" if isinstance(event, MappingStartEvent) else "list", event.anchor))
        if len(self.open) > MAX_DEPTH:
            raise Unreadable(mark, f"nested deeper than {MAX_DEPTH} levels")

    def close(self) -> None:
        ended = self.open.pop()
        made = self.table(ended) if ended.kind == "table" else Listing(ended.mark, tuple(ended.parts))
        if ended.anchor:
            self.anchors[ended.anchor] = made, ended.size, ended.height
        self.add(ended.mark, made, ended.size, ended.height)

    def add(self, mark: Mark, part: Marked, size: int, height: int) -> None:
        self.nodes += 1
        if not self.open:
            self.root = part
            return
        holder = self.open[-1]
        holder.parts.append(part)
        holder.size += size
        holder.height = max(holder.height, height + 1)
        if len(self.open) + height > MAX_DEPTH or max(holder.size, self.nodes) > MAX_NODES:
            raise Unreadable(mark, f"more than {MAX_NODES} parts or {MAX_DEPTH} levels, aliases written out")

    def table(self, ended: _Open) -> Table:
        entries: dict[str, tuple[Scalar, Marked]] = {}
        for key, value in zip(ended.parts[::2], ended.parts[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise Unreadable(key.mark, "a key is one word, not a list or a mapping")
            if key.text in entries:
                self.repeated.append(key)
            else:
                entries[key.text] = key, value
        return Table(ended.mark, tuple(entries.values()))


def _whole(text: str, mark: Mark) -> str:
    """Join the surrogate pairs that JSON escapes leave; half a pair is no character, and no database keeps U+0000."""
    if "\0" in text:
        raise Unreadable(mark, "the character U+0000, which no stored text can hold")
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise Unreadable(mark, "half a character (a lone surrogate)") from None
