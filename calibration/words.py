"""Numbers within sentences: one text, two texts, 90 %."""


def counted(n: int, one: str, more: str) -> str:
    """The number before the words that go with it.

    >>> counted(1, "text was", "texts were"), counted(0, "text was", "texts were")
    ('1 text was', '0 texts were')
    """
    return f"{n} {one if n == 1 else more}"


def percent(share: float, digits: int = 0) -> str:
    """A share (0 to 1) as a percentage, with the space that reads the same everywhere.

    >>> percent(0.9), percent(0.8934, 1)
    ('90 %', '89.3 %')
    """
    return f"{100 * share:.{digits}f} %"
