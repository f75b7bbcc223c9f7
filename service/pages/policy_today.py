"""How the thresholds of a policy stand today, in plain language."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from sqlmodel import Session

from service.lab.gates.states import NO_VALUE, Cell, cells
from service.route.certificates import gates
from service.route.gate_words import certificate_words
from service.route.phrases import listed, percent
from service.route.policy import Policy


def today(session: Session, policy: Policy, at: datetime) -> Mapping[str, Sequence[str]]:
    """By threshold, what holds for the texts of which source and language; nothing where no certificate ever was."""
    words = {one.id: certificate_words(one) for one in gates(session).certificates}
    named: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells(session, policy, at):
        named[cell.threshold].append(cell)
    return {name: _sentences(found, words) for name, found in named.items() if _says_more(found)}


def _says_more(found: Sequence[Cell]) -> bool:
    """Whether there is anything beyond what the policy itself says."""
    return len(found) > 1 or found[0].reason not in {None, NO_VALUE}


def _sentences(found: Sequence[Cell], words: Mapping[str, str]) -> list[str]:
    alike = sorted(found, key=_said)
    return [_sentence(list(group), words) for _, group in groupby(alike, key=_said)]


def _said(cell: Cell) -> tuple[bool, bool, str, str, str]:
    return cell.source is None, cell.language is None, cell.state, cell.certificate or "", cell.reason or ""


def _sentence(alike: Sequence[Cell], words: Mapping[str, str]) -> str:
    one = alike[0]
    where = f"Today, for {_texts(alike)}"
    if one.value is None:
        return f"{where}: a person decides. {one.reason}"
    counts = f"{where}: it counts from {percent(one.value)} on"
    return f"{counts}, and nothing is promised." if one.certificate is None else f"{counts}; {words[one.certificate]}."


def _texts(alike: Sequence[Cell]) -> str:
    sources = sorted({one.source for one in alike if one.source is not None})
    languages = sorted({one.language for one in alike if one.language is not None})
    parts = [f"from {listed(sources, 'and')}"] if sources else []
    parts += [f"in {listed(languages, 'and')}"] if languages else []
    return " ".join(["texts", *parts]) if parts else "all other texts"
