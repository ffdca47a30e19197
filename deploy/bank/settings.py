"""Settings of the mocked bank, from the environment (prefix MOTCUA_)."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class BankSettings(BaseSettings):
    """Who its client is, and where pushes go."""

    model_config = SettingsConfigDict(env_prefix="MOTCUA_", extra="ignore", frozen=True)

    bank_folder: Path = Path(".run/bank")
    bank_client: str
    bank_secret: SecretStr
    gateway_url: str = "http://127.0.0.1:8000"
