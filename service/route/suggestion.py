"""'Did you mean': the known name nearest to a mistyped one."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """Name the known word that was probably meant, as a question, or None where nothing is that near (0 to 1)."""
    if not word or len(word) > 64:  # comparing costs the product of both lengths
        return None
    names = list(known)
    tail = "." + word.casefold()
    near = [name for name in names if name.casefold() == tail[1:] or name.casefold().endswith(tail)]
    near = near or get_close_matches(word, names, n=1, cutoff=likeness)
    return f"did you mean {near[0]}?" if near else None
