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
