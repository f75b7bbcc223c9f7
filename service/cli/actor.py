"""Who ran a command, as the audit chain names them."""

import getpass
import os


def actor() -> str:
    """`cli:` and the name of the operating system's user, or their number where they have no name, as in containers."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"
