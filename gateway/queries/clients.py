"""Who may call."""

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.models import (
    Client,
)


async def find_client(session: AsyncSession, client_id: str) -> Client | None:
    """Return an active client."""
    client = await session.get(Client, client_id)
    return client if client and client.active else None
