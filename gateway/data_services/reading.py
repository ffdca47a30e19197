"""Reading an answer's body within bounds."""

import aiohttp


async def read_some(answer: aiohttp.ClientResponse, bytes_max: int) -> tuple[bytes, bool]:
    """Return the beginning of a body and whether it is the whole; a little more than `bytes_max` may have come.

    Raises what the client raises when the body breaks off.
    """
    chunks: list[bytes] = []
    size = 0
    while size <= bytes_max:
        chunk = await answer.content.readany()
        if not chunk:
            return b"".join(chunks), True
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks), answer.content.at_eof()
