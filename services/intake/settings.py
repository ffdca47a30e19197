"""What intake reads from its environment."""

from importlib.resources import files
from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


def _sample() -> Path:
    return Path(str(files("services.intake").joinpath("data", "catalogue.json")))


class IntakeSettings(ServiceSettings):
    """Settings of the intake service."""

    catalogue_file: Path = Field(default_factory=_sample)
    """The catalogue that is brought in at start: JSON in the form of the packaged sample, which is the default."""
    catalogue_poll_s: float = 5.0
    """How long this process may go on with an older catalogue after another process brought in a newer one."""
    storage_url: str
    """Where uploaded documents are kept: file:///folder, or s3://bucket/prefix."""
    draft_days: int = Field(default=30, ge=1, le=365)
    """How long a draft is kept after it was saved last."""
    sweep_s: float = 600.0
    """How often drafts and uploads whose time is over are looked for."""
