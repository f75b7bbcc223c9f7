"""What checking a policy document found: errors that refuse it, and warnings that do not, each with its place."""

from dataclasses import dataclass

from service.route.marked import Mark

MAX_ERRORS = 500
_LONGEST = 400  # of a sentence: it quotes the document, where a name may have 100,000 characters


@dataclass(frozen=True, slots=True)
class PolicyError:
    """A mistake: 1-based line and column in the document, one plain sentence, and what was probably meant."""

    line: int
    column: int
    detail: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyWarning:
    """Something the author should know, though the policy stands."""

    line: int
    column: int
    detail: str


class InvalidPolicy(ValueError):
    """The document is no policy; `errors` holds every mistake found, in the order of the document."""

    def __init__(self, errors: list[PolicyError]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{error.line}:{error.column}: {error.detail}" for error in errors))


class Findings:
    """Collects while a document is read; several mistakes at one place are all kept, the same one once."""

    def __init__(self) -> None:
        self._errors: dict[PolicyError, None] = {}
        self._warnings: dict[str, PolicyWarning] = {}

    def error(self, mark: Mark, detail: str, suggestion: str | None = None) -> None:
        """Note a mistake.

        Raises:
            InvalidPolicy: it is the 500th; nobody reads on, and looking for what was meant takes its time.
        """
        half = _LONGEST // 2
        told = detail if len(detail) <= _LONGEST else f"{detail[:half]} ... {detail[-half:]}"
        self._errors[PolicyError(mark.line, mark.column, told, suggestion)] = None
        if len(self._errors) >= MAX_ERRORS:
            raise InvalidPolicy(self.errors())

    def warn(self, mark: Mark, detail: str) -> None:
        """Note a warning, the same sentence only at its first place."""
        self._warnings.setdefault(detail, PolicyWarning(mark.line, mark.column, detail))

    def errors(self) -> list[PolicyError]:
        """Give the mistakes in the order of the document."""
        return sorted(self._errors, key=lambda error: (error.line, error.column))

    def warnings(self) -> tuple[PolicyWarning, ...]:
        """Give the warnings in the order of the document."""
        return tuple(sorted(self._warnings.values(), key=lambda warning: (warning.line, warning.column)))
