"""The `examples` of a policy document: records with the kinds of item they must create."""

from service.route.findings import Findings
from service.route.marked import Marked
from service.route.policy import Example


def read_examples(parts: tuple[Marked, ...], findings: Findings) -> tuple[Example, ...]:
    """Read the entries of `examples`."""
    return ()
