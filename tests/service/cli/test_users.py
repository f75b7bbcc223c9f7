"""`heed users`: accounts made at the command line, from a script and at a terminal."""

import json
import os
import pty
import re
import select
import subprocess
import sys

import pytest

PASSWORD = b"a long password\n"


def test_the_first_admin_is_one_line(shell):
    out, err = shell("users", "add", "ada", "--role", "admin", stdin=PASSWORD)
    assert (out, err) == ("ada can sign in now, as admin.\n", "")


def test_several_roles_and_the_list_without_passwords(shell):
    made = shell.json("users", "add", "both", "--role", "supervisor", "--role", "product", stdin=PASSWORD)
    assert set(made) == {"id", "name", "roles"}
    assert made["roles"] == ["supervisor", "product"]
    listed = shell.json("users", "list")
    (row,) = [row for row in listed["items"] if row["name"] == "both"]
    assert set(row) == {"id", "name", "roles", "active", "created_at"}
    assert listed["next"] is None
    table, _ = shell("users", "list")
    assert re.search(r"both\W+supervisor, product", table)
    assert "argon2" not in table + json.dumps(listed)


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (["eve", "--role", "root"], PASSWORD, r"There is no role 'root': choose from source, .*, admin\."),
        (["eve", "--role", "admin"], b"short\n", r"A password has 8 to 256 characters: this one has 5\."),
        (["eve", "--role", "admin"], b"", r"A password has 8 to 256 characters: this one has 0\."),
        (["eve", "--role", "admin"], b"x" * 1_000_000, r"A password has 8 to 256 characters: this one has 10000\."),
        (["eve", "--role", "admin"], b"\xff\xfe not text\n", r"A password is made of what can be typed: .*"),
        (["eve", "--role", "admin"], b"nul\0 in the middle\n", r"A password is made of what can be typed: .*"),
        (["", "--role", "admin"], PASSWORD, r"A name has 1 to 128 printable characters, .*"),
        (["taken", "--role", "admin"], PASSWORD, r"There is already somebody called 'taken': choose another name\."),
    ],
)
def test_what_cannot_be_is_one_sentence(shell, words, stdin, said):
    if words[0] == "taken" and "taken" not in shell("users", "list")[0]:
        shell("users", "add", "taken", "--role", "admin", stdin=PASSWORD)
    out, err = shell("users", "add", *words, stdin=stdin, code=1)
    assert out == ""
    assert re.fullmatch(said, err.strip())
    assert [row for row in shell.json("users", "list")["items"] if row["name"] == "eve"] == []


def test_without_a_role_it_is_used_wrongly(shell):
    assert "--role" in shell("users", "add", "eve", stdin=PASSWORD, code=2)[1]


def test_settings_are_set_and_taken_away(shell):
    for name in ("kim", "lea"):
        shell("users", "add", name, "--role", "admin", stdin=PASSWORD)
    words = ["--manager", "lea", "--zone", "Europe/Warsaw", "--alerts", "5", "--digest", "09:00", "--substitute", "lea"]
    hours = ["--hours", "mon-thu 09:00-12:00 13:00-17:00", "--hours", "fri 09:00-12:00"]
    out, _ = shell("users", "set", "kim", *words, *hours, "--absent-from", "2030-12-23T00:00:00Z")
    assert out == "kim: manager, zone, hours, absent_from, substitute, digest, alerts changed.\n"
    assert shell("users", "set", "kim", "--digest", "", "--alerts", "")[0] == "kim: digest, alerts changed.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--zone", "Europe/Warsau"], "zone: there is no time zone Europe/Warsau; did you mean Europe/Warsaw\\?"),
        (["--hours", "mon 9-17"], "hours: hours are written as 09:00-12:30"),
        (["--alerts", "many"], "Nothing was changed. alerts: A whole number is needed here."),
        (["--absent-from", "soon"], "Nothing was changed. absent_from: A time is written as 2026-11-20T10:00:00Z .*"),
        (["--manager", "kim2"], "manager: nobody is called kim2.*"),
    ],
)
def test_settings_that_cannot_be_are_one_sentence(shell, words, said):
    if "pat" not in shell("users", "list")[0]:
        shell("users", "add", "pat", "--role", "supervisor", stdin=PASSWORD)
    out, err = shell("users", "set", "pat", *words, code=1)
    assert out == ""
    assert re.fullmatch(said, err.strip())
    assert "There is nobody called 'pet'" in shell("users", "set", "pet", "--alerts", "1", code=1)[1]


def test_somebody_is_locked_out_and_let_in_again(shell):
    shell("users", "add", "chief", "--role", "admin", stdin=PASSWORD)
    shell("users", "add", "gone", "--role", "admin", stdin=PASSWORD)
    out, _ = shell("users", "deactivate", "gone")
    assert out == "gone can no longer sign in. Open items that went to others: 0.\n"
    (row,) = [row for row in shell.json("users", "list")["items"] if row["name"] == "gone"]
    assert row["active"] is False
    assert shell("users", "activate", "gone")[0] == "gone can sign in again.\n"


def test_at_a_terminal_the_password_is_asked_twice_and_not_shown(installation):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "service.cli", "users", "add", "terry", "--role", "supervisor"]
    environment = {"PATH": os.defpath, **installation}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        seen = b""
        asked, again = b"Password for terry: ", b"Repeat for confirmation: "
        typing = ((asked, b"a long password"), (again, b"another password"))
        for mark, typed in (*typing, (asked, b"a long password"), (again, b"a long password")):
            seen += until(ours, mark)  # what is typed before the question is thrown away, as on any terminal
            os.write(ours, typed + b"\n")
        seen += until(ours, b"supervisor.")
        assert process.wait(30) == 0
    os.close(ours)
    assert b"Password for terry" in seen
    assert b"do not match" in seen
    assert b"terry can sign in now, as supervisor." in seen
    assert b"a long password" not in seen


def until(terminal: int, mark: bytes) -> bytes:
    """What the program says up to and with a mark."""
    seen = b""
    while mark not in seen:
        assert select.select([terminal], [], [], 30)[0], seen
        seen += os.read(terminal, 1024)
    return seen
