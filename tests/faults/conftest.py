"""What the long runs measured, as a table at the end."""

from collections.abc import Callable

import pytest

_FIGURES: list[tuple[str, str, object]] = []


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """`figure("records lost", 0)` puts a line into the table."""
    return lambda what, value: _FIGURES.append((request.node.name.removeprefix("test_"), what, value))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _FIGURES:
        terminalreporter.section("promises")
    last = ""
    for test, what, value in _FIGURES:
        if test != last:
            terminalreporter.write_line(test.replace("_", " "))
            last = test
        terminalreporter.write_line(f"  {what:<75} {value}")
