"""Values in the rule language: what is written, named or called becomes an operand, or a mistake with its place."""

import ast
import math

from service.route.case import FIELDS, KINDS, Kind
from service.route.expression import (
    LOOKED,
    CountRecent,
    DaysSinceLast,
    FieldOf,
    Fixed,
    Looked,
    Operand,
    ThresholdOf,
    TopicOf,
)
from service.route.names import FUNCTIONS, Names, field_type, lacking, unknown_field
from service.route.suggestion import did_you_mean
from service.route.tokens import MAX_DEPTH, MAX_NODES, NO_ARITHMETIC, InvalidExpression, Problem, problem

MAX_NUMBER = 1e15
MAX_DAYS = 3_650
MAX_GUESSES = 4  # mistakes after which the slow steps end: what was meant, what is wrong with a pattern
_ONLY_SEARCHED = "the text can only be searched"
_HOW_TO_SEARCH = 'write matches(text, "word")'
_CALLED_ON_A_NAME = {"topic", "threshold", "days_since_last"}


class Operands:
    """Reads the values of one expression; one with a mistake becomes None and the reading goes on."""

    def __init__(self, text: str, blank: str, names: Names) -> None:
        self.text = text
        self.bytes = f"({blank})".encode()
        self.names = names
        self.problems: list[Problem] = []
        self.nodes = 0

    def refuse(self, node: ast.expr, detail: str, suggestion: str | None = None) -> None:
        start = max(len(self.bytes[: node.col_offset].decode()) - 1, 0)  # a bare tuple begins at our own bracket
        end = len(self.bytes[: node.end_col_offset].decode()) - 1
        self.problems.append(problem(self.text, start, self.text[start:end], detail, suggestion))

    def count(self, node: ast.expr, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            limit = f"{MAX_NODES} parts" if self.nodes > MAX_NODES else f"{MAX_DEPTH} levels"
            self.refuse(node, f"the expression has more than {limit}: split the rule")
            raise InvalidExpression(self.problems[-1])

    def looked(self, node: ast.expr, operand: Operand | None, detail: str) -> Looked | None:
        if isinstance(operand, LOOKED):
            return operand
        if operand is not None:
            self.refuse(node, detail)
        return None

    def operand(self, node: ast.expr, depth: int) -> Operand | None:
        """Read one value: written, named or called."""
        self.count(node, depth)
        if isinstance(node, ast.Constant):
            return self.written(node, node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
            value = node.operand.value
            if isinstance(node.op, ast.USub) and isinstance(value, int | float) and not isinstance(value, bool):
                return self.written(node, -value)
        if isinstance(node, ast.Name | ast.Attribute):
            return self.named(node)
        if isinstance(node, ast.Call):
            return self.called(node)
        detail = "a value is needed here: a field, a number, a text, true or false"
        self.refuse(node, NO_ARITHMETIC if isinstance(node, ast.BinOp) else detail)
        return None

    def written(self, node: ast.expr, value: object) -> Fixed | None:
        if isinstance(value, str) and any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in value):
            self.refuse(node, "this text holds a character that no stored text can hold")
        elif isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= MAX_NUMBER):
            self.refuse(node, f"this number is too large: at most {MAX_NUMBER:g}")
        elif isinstance(value, bool | int | float | str):
            return Fixed(value=value)
        else:
            self.refuse(node, "this is not a value of the rule language")
        return None

    def named(self, node: ast.Name | ast.Attribute) -> Operand | None:
        name = dotted(node)
        if name in {"true", "false"}:
            return Fixed(value=name == "true")
        kind = field_type(name, self.names.fields)
        if kind is not None:
            return FieldOf(name=name, type=kind)
        if name == "text":
            self.refuse(node, _ONLY_SEARCHED, _HOW_TO_SEARCH)
        elif name in FUNCTIONS:
            self.refuse(node, f"{name} needs brackets", f"write {FUNCTIONS[name].written}")
        else:
            guess = len(self.problems) < MAX_GUESSES
            self.refuse(node, *self.unknown(name) if guess else (lacking(name),))
        return None

    def unknown(self, name: str) -> tuple[str, str | None]:
        detail, meant = unknown_field(name, self.names.fields)
        bare = meant is None and "." not in name
        return detail, f'if it is a text, put it in quotes: "{name}"' if bare else meant

    def called(self, node: ast.Call) -> Operand | None:
        word = dotted(node.func)
        if word == "count_recent":
            return self.recent(node)
        if word in _CALLED_ON_A_NAME:
            return self.called_on_a_name(node, word)
        if word in FUNCTIONS:
            self.refuse(node.func, f"{word}() is a condition, not a value")
        else:
            self.refuse(node.func, f"there is no function {word}", did_you_mean(word, FUNCTIONS))
        return None

    def called_on_a_name(self, node: ast.Call, word: str) -> Operand | None:
        name = constant(node.args[0]) if len(node.args) == 1 else None
        if not isinstance(name, str) or node.keywords:
            self.refuse(node, f"{word}() takes one name in quotes, as in {FUNCTIONS[word].written}")
            return None
        if word == "days_since_last":
            kind = self.kind(node.args[0])
            return None if kind is None else DaysSinceLast(of=kind)
        known = self.names.topics if word == "topic" else self.names.thresholds
        if name not in known:
            meant = did_you_mean(name, known) if len(self.problems) < MAX_GUESSES else None
            self.refuse(node.args[0], f'{word} "{name}" is not defined', meant)
            return None
        return TopicOf(label=name) if word == "topic" else ThresholdOf(name=name)

    def recent(self, node: ast.Call) -> CountRecent | None:
        given = [*node.args, *(one.value for one in node.keywords)]
        if len(given) != 2 or len(node.keywords) > 1 or not isinstance(constant(given[0]), str):
            example = FUNCTIONS["count_recent"].written
            self.refuse(node, f"count_recent() takes a kind of item and a number of days, as in {example}")
            return None
        days = constant(given[1])
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MAX_DAYS:
            self.refuse(given[1], f"days is a whole number from 1 to {MAX_DAYS}")
            return None
        kind = self.kind(given[0])
        return None if kind is None else CountRecent(of=kind, days=days)

    def kind(self, node: ast.expr) -> Kind | None:
        name = str(constant(node))
        for kind in KINDS:
            if kind == name:
                return kind
        meant = did_you_mean(name, KINDS) if len(self.problems) < MAX_GUESSES else None
        self.refuse(node, f"there is no kind of item {name[:64]}; there are {', '.join(KINDS)}", meant)
        return None

    def fields(self) -> list[str]:
        return [*FIELDS, *self.names.fields]


def constant(node: ast.expr) -> object:
    """The value written at a place, None where it is something else."""
    return node.value if isinstance(node, ast.Constant) else None


def dotted(node: ast.expr) -> str:
    """The name at a place with its dots; `?` stands for what is no name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"
