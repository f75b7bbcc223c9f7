"""Secrets at rest: AES-256-GCM under keys derived from one master secret, and keyed digests for API keys."""

import hashlib
import hmac
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12  # bytes, NIST SP 800-38D 8.2


class Unreadable(Exception):
    """A sealed value was made under another key, for another place, or has been altered."""


class SecretKeyUnusable(Exception):
    """The master secret cannot be read or made; the message says where and how to mend it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext (nonce first) and the id of the key that opens it."""

    data: bytes
    key_id: str


class Vault:
    """Seals and opens values. Two vaults of the same master secret understand each other."""

    def __init__(self, master: str) -> None:
        derived = [
            HKDF(SHA256(), 32, salt=None, info=f"heed {use}".encode()).derive(master.encode())
            for use in ("sealing", "digests", "key id")
        ]
        self._cipher = AESGCM(derived[0])
        self._pepper = derived[1]
        self.key_id = derived[2].hex()[:16]

    def seal(self, plain: bytes, place: str) -> Sealed:
        """Encrypt `plain`; `place` names where it is kept, so that a ciphertext cannot be moved elsewhere."""
        nonce = os.urandom(_NONCE)
        return Sealed(nonce + self._cipher.encrypt(nonce, plain, place.encode()), self.key_id)

    def open(self, sealed: Sealed, place: str) -> bytes:
        """Decrypt.

        Raises:
            Unreadable: another key, another place, or altered data.
        """
        if sealed.key_id != self.key_id:
            raise Unreadable(f"This value was sealed with secret key {sealed.key_id}; heed runs with {self.key_id}.")
        try:
            return self._cipher.decrypt(sealed.data[:_NONCE], sealed.data[_NONCE:], place.encode())
        except InvalidTag as error:
            raise Unreadable(f"The value sealed for {place} has been altered.") from error

    def digest(self, secret: str) -> str:
        """HMAC-SHA256 of an API key, hex: fast enough for every request, useless without the master secret."""
        return hmac.new(self._pepper, secret.encode(), hashlib.sha256).hexdigest()


def master_secret(home: Path) -> str:
    """Read `home/secret.key`, or make it (32 random bytes in hex, mode 0600) where it is missing.

    Raises:
        SecretKeyUnusable: the file cannot be read, written, or is too short to be a secret.
    """
    path = home / "secret.key"
    try:
        if not path.exists():
            _make(path)
        secret = path.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        secret = ""
    except OSError as error:
        raise SecretKeyUnusable(
            f"The secret key {path} cannot be read or made ({error.strerror}): "
            "give heed a HEED_HOME it may write to, or set HEED_SECRET_KEY."
        ) from error
    if len(secret) < 32:
        raise SecretKeyUnusable(
            f"The file {path} holds no secret key of 32 plain characters or more: restore it from your backup, "
            "or set HEED_SECRET_KEY to the key this database was set up with."
        )
    return secret


def _make(path: Path) -> None:
    """Write the key beside its name, then link it there: nobody sees half a key, and of two makers one wins."""
    handle, fresh = tempfile.mkstemp(prefix=".secret.key-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(os.urandom(32).hex() + "\n")
            file.flush()
            os.fsync(handle)
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        Path(fresh).unlink()
