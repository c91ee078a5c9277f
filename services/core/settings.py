"""Settings of the installation, from the environment or `.env`. The README has a line for each."""

import functools
from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting with its default. `NUMBERDESK_` stands before each name, but for `DATABASE_URL`."""

    model_config = SettingsConfigDict(env_prefix="NUMBERDESK_", env_file=".env", extra="ignore")

    database_url: str = Field(default="", validation_alias=AliasChoices("DATABASE_URL", "NUMBERDESK_DATABASE_URL"))
    data_dir: Path = Path("data")
    demo: bool | None = None
    encryption_keys: str = ""
    cookie_key: str = ""
    cookie_days: float = Field(default=7, gt=0, le=90)
    log_level: str = "INFO"
    sandbox_url: str = ""
    sandbox_port: int = Field(default=0, ge=0, le=65535)
    settle_seconds: float = Field(default=60, ge=0)
    api_rate: str = "60/minute"
    busy_seconds: float = Field(default=5, gt=0)
    file_seconds: float = Field(default=60, gt=0)
    job_batch: int = Field(default=500, ge=1, le=10_000)
    works: bool = True
    summary_seconds: float = Field(default=1, ge=0)
    strict: bool = False

    @property
    def url(self) -> str:
        """The database: `DATABASE_URL`, or a SQLite file in `data_dir`."""
        return self.database_url or f"sqlite:///{self.data_dir / 'numberdesk.db'}"

    @property
    def shows_demo(self) -> bool:
        """Whether this is a demo installation: said so, or left at the embedded default."""
        return not self.database_url if self.demo is None else self.demo


@functools.cache
def current() -> Settings:
    """Return the settings of this process."""
    return Settings()


_sandbox: list[str] = []


def use_sandbox(url: str) -> None:
    """Make *url* the sandbox of this process."""
    _sandbox[:] = [url]


def sandbox_url() -> str:
    """Return the address that stands for the providers of sandbox connections; empty for none."""
    return current().sandbox_url or (_sandbox[0] if _sandbox else "")
