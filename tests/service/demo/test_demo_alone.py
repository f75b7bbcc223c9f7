import fcntl
import os

from typer.testing import CliRunner

from service.cli.main import app


def test_a_second_demo_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("HEED_HOME", str(tmp_path))
    (tmp_path / "demo").mkdir()
    held = os.open(tmp_path / "demo" / "demo.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        answer = CliRunner().invoke(app, ["demo"])
    finally:
        os.close(held)
    assert answer.exit_code == 1
    assert answer.stderr.startswith("A demo already runs in ")
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["demo.lock"]
