"""The `bypass` of a policy document: what goes straight to a named person."""

from collections.abc import Callable, Collection, Mapping

from service.route.expression import Expression
from service.route.findings import Findings
from service.route.marked import Mark, Marked, Scalar, Table
from service.route.policy import Bypass, Group, people_in
from service.route.section import Section

_KEYS = ("name", "when", "to", "quota", "reason")
_MOST = 1_000  # a day: more than that goes to a group, not to a person


def read_bypasses(
    parts: tuple[Marked, ...],
    condition: Callable[[Scalar], Expression | None],
    groups: Mapping[str, Group],
    findings: Findings,
) -> tuple[Bypass, ...]:
    """Read the entries of `bypass`; `condition` reads an expression and notes its mistakes."""
    nobody = groups.keys() - {name for group in groups.values() for name in people_in(group)}
    read = [_bypass(part, condition, nobody, findings) for part in parts]
    seen = set[str]()
    for name, mark in (named for named, _ in read if named is not None):
        if name in seen:
            findings.error(mark, f"there are two bypasses named {name}")
        seen.add(name)
    return tuple(bypass for _, bypass in read if bypass is not None)


def _bypass(
    part: Marked, condition: Callable[[Scalar], Expression | None], nobody: Collection[str], findings: Findings
) -> tuple[tuple[str, Mark] | None, Bypass | None]:
    if not isinstance(part, Table):
        findings.error(part.mark, f"a bypass is a mapping with {', '.join(_KEYS)}")
        return None, None
    section = Section(part, findings, _KEYS, _KEYS)
    name, to, reason, written = section.text("name"), section.text("to"), section.text("reason"), section.scalar("when")
    if to is not None and to in nobody:
        findings.error(section.mark("to"), f"{to} is a group; a bypass goes to one person")
    when = None if written is None else condition(written)
    quota = _quota(section, findings)
    named = None if name is None else (name, section.mark("name"))
    if name is None or when is None or to is None or quota is None or reason is None:
        return named, None
    return named, Bypass(name=name, when=when, to=to, quota=quota, reason=reason)


def _quota(section: Section, findings: Findings) -> int | None:
    quota = section.number("quota")
    if quota is None or (1 <= quota <= _MOST and quota.is_integer()):
        return None if quota is None else int(quota)
    findings.error(section.mark("quota"), f"quota is how many items a day go this way: a whole number, 1 to {_MOST}")
    return None
