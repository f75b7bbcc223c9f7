"""A shell: commands run on an installation of the file's own, as whoever types them sees it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from service.cli.main import main
from service.store.database import connect


@dataclass(frozen=True)
class Shell:
    """Runs commands in this process, which is five times as fast; `process` runs one as a shell does."""

    environment: dict[str, str]
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str, stdin: bytes = b"", code: int = 0, **environment: str) -> tuple[str, str]:
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("HEED_")]:
                patch.delenv(name)
            for name, value in {**self.environment, **environment}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["heed", *words])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            patch.setattr("service.telemetry.configure", lambda _level: None)  # the tests' own logging stays
            with pytest.raises(SystemExit) as ended:
                main()
        said = self.capture.readouterr()
        assert ended.value.code == code, f"{words}: {said}"
        return said.out, said.err

    def json(self, *words: str, **more):
        """Standard output is one JSON value and nothing else, and standard error is empty."""
        out, err = self(*words, "--json", **more)
        assert err == ""
        return json.loads(out)

    def process(self, *words: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "service.cli", *words]
        everything = {"PATH": os.defpath, **self.environment, **environment}
        return subprocess.run(command, env=everything, input=stdin, capture_output=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def installation(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of an installation for this file alone."""
    name = f"heed_cli_{os.getpid()}"
    server = connect(server_url, pool=1)
    alone = server.engine.execution_options(isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = server.engine.url.set(database=name).render_as_string(hide_password=False)
    yield {
        "HEED_HOME": str(tmp_path_factory.mktemp("home")),
        "HEED_DATABASE_URL": url,
        "HEED_MODEL": "keywords",
        "COLUMNS": "200",
    }
    with alone.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.engine.dispose()


@pytest.fixture
def shell(installation: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(installation, capsys)


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Without any database: an address where nobody listens."""
    url = "postgresql://heed:top-secret@127.0.0.1:1/heed"
    return Shell({"HEED_HOME": str(tmp_path), "HEED_DATABASE_URL": url, "HEED_MODEL": "keywords"}, capsys)
