"""The `bypass` of a policy document: what goes straight to a named person."""

from collections.abc import Callable

from service.route.expression import Expression
from service.route.findings import Findings
from service.route.marked import Marked, Scalar
from service.route.policy import Bypass


def read_bypasses(
    parts: tuple[Marked, ...], condition: Callable[[Scalar], Expression | None], findings: Findings
) -> tuple[Bypass, ...]:
    """Read the entries of `bypass`; `condition` reads an expression and notes its mistakes."""
    return ()
