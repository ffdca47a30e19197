"""The command `motcua scrub`: read every file of the archive of results, now."""

import asyncio
from typing import Annotated

import typer

from services.results import queries
from services.results.models import Finding, ScrubRound
from services.results.settings import ResultsSettings
from services.results.storage import Archive
from services.results.storage.scrubbing import Scrubber
from shared.blobs import Keyring
from shared.db import Database

SHOWN_MAX = 1000


def scrub(
    rate: Annotated[float, typer.Option(help="MiB a second; 0 is as fast as it goes.")] = 0.0,
) -> None:
    """Read all files, or the rest of a round that was broken off; settings come from the environment, as for `serve`.

    Ends with 1 when a file is missing or damaged.
    """
    last, findings = asyncio.run(_scrub(ResultsSettings.model_validate({}), int(rate * 1024 * 1024)))
    for one in findings:
        typer.echo(f"{one.problem}  {one.sha256}  since {one.found_at.isoformat(timespec='seconds')}")
    if last is not None:
        typer.echo(f"{last.files} files, {last.bytes_read} bytes read; {len(findings)} missing or damaged.")
    raise typer.Exit(1 if findings else 0)


async def _scrub(settings: ResultsSettings, bytes_per_s: int) -> tuple[ScrubRound | None, list[Finding]]:
    database = Database(settings.database_url.get_secret_value(), service="results", connections_max=2)
    keys = Keyring(settings.storage_keys.get_secret_value())
    archive = Archive(settings.storage_url, document_bytes_max=settings.document_bytes_max, keys=keys)
    try:
        last = await Scrubber(database, archive, bytes_per_s).run_once()
        async with database.session() as session:
            return last, list(await queries.list_findings(session, limit=SHOWN_MAX))
    finally:
        await database.close()
