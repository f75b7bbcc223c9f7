"""Process-wide knobs from the environment, frozen; only the entry points read them."""

import os
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_home() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/heed")
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "heed"


class Settings(BaseSettings):
    """What can be set from outside, each as `HEED_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="HEED_", frozen=True, env_ignore_empty=True)

    home: Path = Field(default_factory=_default_home, description="where heed keeps its own files")
    database_url: SecretStr | None = Field(default=None, description="PostgreSQL to use instead of the embedded one")
    secret_key: SecretStr | None = Field(
        default=None, min_length=32, description="the master secret; else HOME/secret.key, made on first start"
    )
    model: str = Field(
        default="heed-en", description="the classifier: a name of models/catalog.py, a folder or a hub id"
    )
    taxonomy: Path | None = Field(
        default=None, description="topics of your own: a YAML file, or a folder fitted to labels"
    )
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str | None = Field(default=None, description="the address people and vendors reach heed at")
    allow_targets: str = Field(default="", description="host:port,... that heed may call although they are private")
    require_approval: bool = Field(default=False, description="a policy needs a second admin to become active")
    most_waiting: int = Field(
        default=100_000, ge=1, description="pushed records that may wait; beyond it senders are asked to come back"
    )
    worker_slots: int = Field(default=2, ge=1, le=64, description="jobs one worker runs at the same time")
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
