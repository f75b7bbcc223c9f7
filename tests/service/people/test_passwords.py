"""Passwords: argon2id, a few at a time, the same time for everybody."""

import threading
import unicodedata

import argon2
import pytest

from service.people import passwords
from service.people.passwords import TooBusy, WeakPassword, hashed, matches


def test_a_hash_is_argon2id_with_the_parameters_of_owasp():
    stored = hashed("correct horse")
    parameters = argon2.extract_parameters(stored)
    assert parameters.type is argon2.Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)
    assert parameters.salt_len >= 16
    assert hashed("correct horse") != stored
    assert "correct horse" not in stored


@pytest.mark.parametrize(
    "password",
    [
        "12345678",
        "x" * 256,
        "        ",
        "пароль-пароль",
        "\N{GRINNING FACE}" * 8,
        " leading and trailing ",
        "\u202edrowssap",
    ],
)
def test_a_password_opens_and_no_other_does(password):
    stored = hashed(password)
    assert matches(password, stored)
    for other in (password + "x", password[:-1], password.swapcase() + "!", ""):
        assert not matches(other, stored)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "8 to 256 characters: this one has 0"),
        ("1234567", "8 to 256 characters: this one has 7"),
        ("x" * 257, "this one has 257"),
        ("x" * 1_000_000, "this one has 1000000"),
        ("pass\0word", "control character"),
        ("password\n", "control character"),
        ("password\ud800", "half a one"),
    ],
)
def test_a_password_that_cannot_be_used_is_refused(password, said):
    with pytest.raises(WeakPassword, match=said):
        hashed(password)


@pytest.mark.parametrize("guess", ["", "\0", "\ud800" * 8, "x" * 1_000_000, "x" * 257])
def test_a_hostile_guess_is_only_wrong(guess):
    assert not matches(guess, hashed("x" * 256))


def test_an_accented_letter_is_the_same_from_every_keyboard():
    assert matches(unicodedata.normalize("NFD", "pässwörter"), hashed(unicodedata.normalize("NFC", "pässwörter")))


class Counting(argon2.PasswordHasher):
    """Counts what it verifies."""

    verified = 0

    def verify(self, hash, password):
        type(self).verified += 1
        return super().verify(hash, password)


@pytest.mark.parametrize("stored", [None, "no hash at all"])
def test_nobody_learns_by_the_time_it_takes_whether_a_name_exists(monkeypatch, stored):
    monkeypatch.setattr(Counting, "verified", 0)
    monkeypatch.setattr(passwords, "_HASHER", Counting(time_cost=1, memory_cost=8, parallelism=1))
    assert not matches("nobody has this password, whatever is typed", stored)
    assert Counting.verified == 1


def test_guesses_that_find_no_place_are_told_so_at_once(monkeypatch):
    """Twelve wait at most, so that most of the threads stay with other pages."""
    monkeypatch.setattr(passwords, "_places", threading.BoundedSemaphore(1))
    with passwords._slot(), pytest.raises(TooBusy, match="try again in a moment"):
        matches("whatever it is", None)
    assert not matches("whatever it is", None)
