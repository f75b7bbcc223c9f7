"""placeholder."""


def demo() -> None:
    """To come."""
