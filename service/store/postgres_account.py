"""Who runs the embedded PostgreSQL: this user, or a system user in place of root, whom PostgreSQL refuses."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from service.store.postgres_errors import EmbeddedUnavailable

SYSTEM_USER = "heed-postgres"
_SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"  # root's own PATH often lacks the first two


@dataclass(frozen=True)
class Account:
    """Who runs the server: ids to change to, or None to stay who we are."""

    user: int | None = None
    group: int | None = None

    @property
    def uid(self) -> int:
        return os.geteuid() if self.user is None else self.user

    @property
    def extra_groups(self) -> tuple[int, ...] | None:
        return None if self.user is None else ()

    def own(self, path: Path) -> None:
        """Give a path that we have just made to this account."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)

    def run(self, command: Sequence[str | Path]) -> int:
        """Run a command of ours to its end as this account; returns its exit status."""
        return subprocess.run(  # noqa: S603 -- fixed programs, no shell parses the arguments
            command,
            user=self.user,
            group=self.group,
            extra_groups=self.extra_groups,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode

    def can_enter(self, folder: Path) -> bool:
        """Asked of the system itself, so that access lists and mount options count too."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder]) == 0


def find_account() -> Account:
    """The account of the server; as root a system user, made if missing.

    Raises:
        EmbeddedUnavailable: it is missing and cannot be made.
    """
    if os.geteuid() != 0:
        return Account()
    with suppress(KeyError):
        return _system_user()
    useradd = shutil.which("useradd", path=_SBIN)
    if useradd:
        nobody_home = ("--user-group", "--no-create-home", "--home-dir", "/nonexistent")
        Account().run([useradd, "--system", *nobody_home, "--shell", "/usr/sbin/nologin", SYSTEM_USER])
    with suppress(KeyError):  # looked up again rather than trusting useradd: another heed may have been first
        return _system_user()
    raise EmbeddedUnavailable(
        f"PostgreSQL does not run as root and the system user {SYSTEM_USER} could not be created: run "
        f"`useradd --system {SYSTEM_USER}`, run heed as an ordinary user, or set HEED_DATABASE_URL."
    )


def _system_user() -> Account:
    entry = pwd.getpwnam(SYSTEM_USER)
    return Account(entry.pw_uid, entry.pw_gid)


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user with the id {uid}"
