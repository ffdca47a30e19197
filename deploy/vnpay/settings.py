"""Settings of the mocked VNPAY, from the environment (prefix MOTCUA_)."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class VnpaySettings(BaseSettings):
    """Who the merchant is, and where IPNs go."""

    model_config = SettingsConfigDict(env_prefix="MOTCUA_", extra="ignore", frozen=True)

    vnpay_folder: Path = Path(".run/vnpay")
    vnpay_tmn_code: str
    vnpay_secret: SecretStr
    gateway_url: str = "http://127.0.0.1:8000"
