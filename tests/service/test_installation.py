import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlmodel import Session

from service.installation import WrongSecretKey, open_installation, open_vault
from service.route.versions import active, active_version, ensure_default
from service.settings import Settings
from service.store.database import DatabaseUnusable
from service.store.tables import Installation


@pytest.fixture
def settings(empty_database, tmp_path) -> Settings:
    return Settings(home=tmp_path / "home", database_url=SecretStr(empty_database.conninfo_url))


def test_an_empty_database_becomes_an_installation(settings):
    for _ in range(2):
        with open_installation(settings, pool=2) as opened, opened.database.session() as session:
            assert session.get_one(Installation, 1).key_id == opened.vault.key_id
            assert (active(session).version, active(session).policy.name) == (1, "default")
            assert session.execute(text("SELECT count(*) FROM policy")).scalar_one() == 1
    assert (settings.home / "secret.key").stat().st_mode & 0o777 == 0o600


def test_another_key_is_refused_in_one_sentence(settings, tmp_path):
    with open_installation(settings, pool=2):
        pass
    others = (
        settings.model_copy(update={"home": tmp_path / "other"}),
        settings.model_copy(update={"secret_key": SecretStr("another secret key, which is long enough")}),
    )
    for other in others:
        with (
            pytest.raises(WrongSecretKey, match="set up with another secret key: give every process the same"),
            open_installation(other, pool=2),
        ):
            pass
    with open_installation(settings, pool=2):
        pass


OPEN = """
from service.installation import open_installation
from service.settings import Settings
with open_installation(Settings(), pool=2) as opened:
    print(opened.vault.key_id)
"""


def test_processes_that_start_at_once_share_one_installation(settings, empty_database):
    environment = {"HEED_HOME": str(settings.home), "HEED_DATABASE_URL": empty_database.conninfo_url}
    command = [sys.executable, "-c", OPEN]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ends = [(*one.communicate(timeout=90), one.returncode) for one in running]
    assert [code for *_, code in ends] == [0, 0, 0], ends
    assert len({said.splitlines()[-1] for said, *_ in ends}) == 1
    with Session(empty_database.engine) as session:
        assert active_version(session) == 1
        assert session.execute(text("SELECT count(*) FROM policy_activation")).scalar_one() == 1


def test_a_start_does_not_wait_for_decisions_under_way(settings):
    with open_installation(settings, pool=3) as opened, Session(opened.database.engine) as deciding:
        active(deciding)
        with ThreadPoolExecutor(1) as pool, opened.database.session() as starting:
            pool.submit(ensure_default, starting, []).result(1)


def test_a_home_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        DatabaseUnusable, match=r"HEED_HOME .*/file/home cannot be made \(Not a directory\): set HEED_HOME"
    ):
        open_vault(Settings(home=tmp_path / "file" / "home"))


def test_a_key_from_the_environment_needs_no_file(tmp_path):
    secret = SecretStr("a key from the environment, long enough")
    assert open_vault(Settings(home=tmp_path / "none", secret_key=secret)).key_id
    assert not Path(tmp_path / "none").exists()


def test_a_newline_after_the_key_makes_no_other_key(tmp_path):
    secret = "a key from the environment, long enough"
    keys = {open_vault(Settings(home=tmp_path, secret_key=SecretStr(one))).key_id for one in (secret, f"{secret}\n")}
    assert len(keys) == 1
