"""The time-stamping authority of the tests: real HTTP, with certificates of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.authority.app import create_app
from deploy.authority.certificates import CA_FILE
from gateway.operations.evidence import Anchoring, Authority, read_roots
from gateway.stamping import StampingAuthority
from shared.db import Database
from tests.support.serving import serving


@dataclass(frozen=True, slots=True)
class Notary:
    """An authority that runs, where it is, and what it keeps."""

    url: str
    folder: Path

    @property
    def root(self) -> Path:
        """The certificate to trust."""
        return self.folder / CA_FILE

    def anchoring(self, database: Database, *, url: str = "", folder: str = "") -> Anchoring:
        """Return what anchors a log there."""
        authority = Authority(StampingAuthority(url or self.url), read_roots(self.root))
        return Anchoring(database, authority, folder=folder)


@asynccontextmanager
async def notary_in(folder: Path) -> AsyncIterator[Notary]:
    """Run an authority whose memory is a folder."""
    app = create_app(folder)
    async with app.router.lifespan_context(app), serving(app) as url:
        yield Notary(url, folder)
