import os
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.store.vault import Sealed, SecretKeyUnusable, Unreadable, Vault, master_secret

MASTER = "a master secret of the tests, long enough"
VAULT = Vault(MASTER)


@given(st.binary(max_size=300), st.text(max_size=50))
def test_what_is_sealed_opens_again_and_looks_different_each_time(plain, place):
    sealed = VAULT.seal(plain, place)
    assert Vault(MASTER).open(sealed, place) == plain
    assert VAULT.seal(plain, place).data != sealed.data
    assert len(plain) < 4 or plain not in sealed.data


@given(st.integers(0, 8 * (12 + 5 + 16) - 1))
def test_no_bit_can_be_changed(bit):
    sealed = VAULT.seal(b"words", "here")
    data = bytearray(sealed.data)
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Unreadable, match="sealed for here has been altered"):
        VAULT.open(Sealed(bytes(data), sealed.key_id), "here")


def test_a_value_stays_where_it_belongs():
    with pytest.raises(Unreadable):
        VAULT.open(VAULT.seal(b"words", "destination a"), "destination b")


def test_another_key_says_which():
    other = Vault("another master secret of the tests")
    with pytest.raises(Unreadable, match=f"secret key {other.key_id}; heed runs with {VAULT.key_id}"):
        VAULT.open(other.seal(b"words", "here"), "here")


def test_digests_need_the_master_secret():
    assert VAULT.digest("key") == Vault(MASTER).digest("key") != Vault(MASTER + "!").digest("key")
    assert len(VAULT.digest("key")) == 64
    assert MASTER not in VAULT.key_id


def test_a_key_is_made_once_and_only_for_its_owner(tmp_path):
    before = os.umask(0)
    try:
        secret = master_secret(tmp_path)
    finally:
        os.umask(before)
    assert len(secret) == 64
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert master_secret(tmp_path) == secret
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


READ = """
import pathlib, sys
from service.store.vault import master_secret
print(master_secret(pathlib.Path(sys.argv[1])))
"""


def test_processes_that_start_at_once_agree(tmp_path):
    command = [sys.executable, "-c", READ, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [one.communicate(timeout=60)[0].strip() for one in running]
    assert [one.returncode for one in running] == [0] * 4
    assert len(set(said)) == 1
    assert len(said[0]) == 64


def test_one_who_comes_second_takes_the_key_of_the_first(tmp_path, monkeypatch):
    """Between looking and making, somebody else has made one."""
    first = master_secret(tmp_path)
    monkeypatch.setattr(type(tmp_path), "exists", lambda _path: False)
    assert master_secret(tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("content", [b"", b"short", b"\n" * 100, b"\xff" * 64, "ключ".encode() * 20])
def test_a_file_that_holds_no_key_is_named(tmp_path, content):
    (tmp_path / "secret.key").write_bytes(content)
    with pytest.raises(
        SecretKeyUnusable, match=r"secret\.key holds no secret key of 32 .* restore it from your backup"
    ):
        master_secret(tmp_path)
    assert (tmp_path / "secret.key").read_bytes() == content


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        SecretKeyUnusable, match=r"nowhere.*cannot be read or made \(No such file or directory\): give heed"
    ):
        master_secret(tmp_path / "nowhere")


def test_a_key_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "secret.key").mkdir()
    with pytest.raises(SecretKeyUnusable, match=r"cannot be read or made \(Is a directory\)"):
        master_secret(tmp_path)
