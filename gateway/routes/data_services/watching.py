"""Noticing that a client has left while its call is under way."""

import asyncio

from starlette.types import Receive

from gateway.routes.data_services.outgoing import Body


class Watcher:
    """Waits for the client to leave, and then ends the task that serves it."""

    def __init__(self, receive: Receive, body: Body) -> None:
        self._receive, self._body = receive, body
        self._waiting: asyncio.Task[None] | None = None
        self.left = False

    def start(self, task: "asyncio.Task[None] | None") -> None:
        """Begin to wait, for the task that serves the client."""
        if task is None:
            return
        self._waiting = asyncio.create_task(self._wait(task))

    def stop(self) -> None:
        """End waiting."""
        if self._waiting is not None:
            self._waiting.cancel()

    async def _wait(self, task: "asyncio.Task[None]") -> None:
        # Until it is here as a whole, the body's own reading finds out.
        await self._body.whole.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        task.cancel()


def uncancel() -> None:
    """Take back the cancellation that a watcher asked for."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
