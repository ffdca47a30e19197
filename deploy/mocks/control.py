"""The control room that every mocked provider has: its faults, its reset, its health. No part of any wire."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from starlette.types import Receive, Scope, Send

from deploy.mocks.faults import OF_CALLS, Fault, Menu
from deploy.mocks.memory import Memory
from deploy.mocks.postman import Postman

router = APIRouter(tags=["control room"])


@dataclass(frozen=True, slots=True)
class House:
    """The parts of a running mock, as its routes find them."""

    memory: Memory
    menu: Menu
    postman: Postman


def house_of(request: Request) -> House:
    """Return the parts that serve a request."""
    return request.app.state.house


@asynccontextmanager
async def opened(
    app: FastAPI, memory: Memory, make_postman: Callable[[httpx.AsyncClient], Postman], gateway_url: str
) -> AsyncIterator[None]:
    """Open a mock's parts as `app.state.house`; notices nobody has taken go out again."""
    async with httpx.AsyncClient(base_url=gateway_url, timeout=15) as client:
        postman = make_postman(client)
        app.state.house = House(memory, Menu(memory), postman)
        postman.resume()
        try:
            yield
        finally:
            await postman.stop()
            memory.close()


class Hangup(Response):
    """No answer: the connection closes instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise a byte and end without it; the server then drops the connection."""
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


async def befallen(request: Request, reference: str, work: Callable[[], Awaitable[Response]]) -> Response:
    """Return the answer of some work, or what the faults of calls make of it."""
    fired = house_of(request).menu.draw(reference, OF_CALLS - {"refund_rejected", "refund_pending"})
    if "delay" in fired:
        await asyncio.sleep(fired["delay"].delay_s)
    if "down" in fired:
        return Response("Service Unavailable", 503)
    if "garbage" in fired:
        return Response("<html>bảo trì</html>", media_type="text/html")
    answer = await work()
    if "timeout_after_effect" in fired:
        await asyncio.sleep(fired["timeout_after_effect"].delay_s)
        return Hangup()
    return answer


@router.get("/health/live")
@router.get("/health/ready")
async def ready(request: Request) -> dict[str, str]:
    """Tell that the process answers and its memory can be used."""
    with house_of(request).memory.transaction():
        return {"status": "ready"}


@router.post("/_control/faults", status_code=201)
async def order_fault(request: Request, fault: Fault) -> dict[str, object]:
    """Let a fault happen from now on."""
    return house_of(request).menu.order(fault)


@router.get("/_control/faults")
async def list_faults(request: Request) -> dict[str, object]:
    """Return every fault that stands and how often it fired."""
    return {"faults": house_of(request).menu.standing()}


@router.delete("/_control/faults")
async def end_faults(request: Request) -> dict[str, int]:
    """End every fault."""
    return {"ended": house_of(request).menu.cancel()}


@router.delete("/_control/faults/{number}")
async def end_fault(request: Request, number: int) -> dict[str, int]:
    """End one fault."""
    ended = house_of(request).menu.cancel(number)
    if not ended:
        raise HTTPException(404)
    return {"ended": ended}


@router.post("/_control/reset")
async def reset(request: Request) -> dict[str, bool]:
    """Forget everything, faults too."""
    house = house_of(request)
    await house.postman.stop()
    house.memory.forget_everything()
    return {"reset": True}
