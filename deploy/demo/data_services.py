"""Two systems at the data services: polling by ETag, a breaker that opens and closes, a failed call sent again."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from shared import clock

AT = "/api/v1/data-services"
POLLS = 40
"""Of each client at each catalogue."""
CATALOGUES = ("VBQPPL/van-ban", "DMDC/danh-muc", "HTTTNTW/thong-ke/22336", "CSDL_GIA/gia-thi-truong?thang=2026-10")
FAILING, FAILING_SLUG = "BoGTVT/phuong-tien/79A-00001", "bogtvt"
ORDERS, ORDERS_SLUG = "VNPOST/don-hang", "vnpost"
ORDER = {
    "MaHoSo": "H32.14-260407-0001",
    "Loai": "PhatKetQua",
    "TenNguoiNhan": "Nguyễn Thị An",
    "DienThoai": "0905123456",
    "DiaChi": "Xã Diên Khánh",
}
CALLS_MAX, PATIENCE_S = 60, 60
OK, NOT_MODIFIED, UNAVAILABLE = 200, 304, 503


@dataclass(slots=True)
class Figures:
    """What came of it; all zero where the clients are granted nothing."""

    calls: int = 0
    not_modified: int = 0
    from_cache: int = 0
    breaker_opened: int = 0
    breaker_closed: int = 0
    sent_again: int = 0
    effects: int = 0

    def shortcomings(self) -> list[str]:
        """Return what should have happened and did not."""
        if not self.calls:
            return []
        expected = {
            "data services: no poller got 304": self.not_modified > 0,
            "data services: nothing came from the cache": self.from_cache > 0,
            "data services: the breaker did not open": self.breaker_opened > 0,
            "data services: the breaker did not close": self.breaker_closed > 0,
            "data services: the failed call was not sent again": self.sent_again == 1,
            f"data services: {self.effects} effects of one call": self.effects == 1,
        }
        return [words for words, happened in expected.items() if not happened]


class System:
    """One client at the door, seen from outside."""

    def __init__(self, http: httpx.AsyncClient, credentials: Mapping[str, Any], figures: Figures) -> None:
        self.http, self.figures = http, figures
        self._login = (credentials["client_id"], credentials["client_secret"])
        self._token = ""

    async def call(
        self, method: str, path: str, *, key: str = "", tag: str = "", body: object = None
    ) -> httpx.Response:
        """Call something below data-services; the token is fetched once."""
        if not self._token:
            answer = await self.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=self._login)
            self._token = answer.raise_for_status().json()["access_token"]
        headers = {"Authorization": f"Bearer {self._token}"}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"If-None-Match": tag} if tag else {}
        return await self.http.request(method, f"{AT}/{path}", headers=headers, json=body)

    async def poll(self, path: str) -> None:
        """Ask the same again and again, as machines do."""
        tag = ""
        for _ in range(POLLS):
            answer = await self.call("GET", path, tag=tag)
            self.figures.calls += 1
            self.figures.not_modified += answer.status_code == NOT_MODIFIED
            self.figures.from_cache += "; hit" in answer.headers.get("cache-status", "")
            tag = answer.headers.get("etag", tag)


async def use(stack: Mapping[str, Any], gateway: httpx.AsyncClient) -> Figures:
    """Let two systems use the data services of a running stack."""
    figures = Figures()
    clients = stack["clients"]
    poller, office, admin = (
        System(gateway, clients[name], figures) for name in ("statistics", "one-stop", "lgsp-admin")
    )
    granted = (await office.call("GET", "allowedMethods")).json().get("service", [])
    if not any(one["service_code"] == "VNPOST" for one in granted):
        return figures
    await asyncio.gather(*(one.poll(path) for one in (poller, office) for path in CATALOGUES))
    async with httpx.AsyncClient(base_url=stack["ministries"]["url"], timeout=30) as offices:
        await _break_and_mend(poller, offices)
        await _fail_and_send_again(office, admin, offices)
    return figures


async def _break_and_mend(poller: System, offices: httpx.AsyncClient) -> None:
    order = (await offices.post("/_control/faults", json={"kind": "down", "service": FAILING_SLUG})).json()
    for _ in range(CALLS_MAX):
        answer = await poller.call("GET", FAILING)
        poller.figures.calls += 1
        if answer.status_code == UNAVAILABLE and "data_service_resting" in answer.text:
            poller.figures.breaker_opened += 1
            break
    await offices.delete(f"/_control/faults/{order['id']}")
    until = clock.monotonic() + PATIENCE_S
    while clock.monotonic() < until:
        answer = await poller.call("GET", FAILING)
        poller.figures.calls += 1
        if answer.status_code == OK:
            poller.figures.breaker_closed += 1
            return
        await asyncio.sleep(1)


async def _fail_and_send_again(office: System, admin: System, offices: httpx.AsyncClient) -> None:
    key = str(uuid4())
    order = (await offices.post("/_control/faults", json={"kind": "500", "service": ORDERS_SLUG})).json()
    await office.call("POST", ORDERS, key=key, body=ORDER)
    office.figures.calls += 1
    await offices.delete(f"/_control/faults/{order['id']}")
    code = ORDERS.partition("/")[0]
    wanted = await _kept(admin, code)
    if not wanted:
        return
    body = {"service": code, "ids": wanted, "reason": "Bưu điện đã hoạt động lại", "calls_per_second": 20}
    rerun = (await admin.call("POST", "reruns", key=str(uuid4()), body=body)).json()
    until = clock.monotonic() + PATIENCE_S
    while rerun["stage"] == "running" and clock.monotonic() < until:
        await asyncio.sleep(0.3)
        rerun = (await admin.call("GET", f"reruns/{rerun['id']}")).json()
    office.figures.sent_again = rerun["outcomes"].get("succeeded", 0)
    effects = (await offices.get("/_control/effects")).json()["effects"]
    office.figures.effects = sum(one["key"] == key for one in effects)


async def _kept(admin: System, code: str) -> list[str]:
    """Return the newest call that is kept, as soon as there is one."""
    until = clock.monotonic() + PATIENCE_S
    while clock.monotonic() < until:
        found = (await admin.call("GET", f"calls?service={code}")).json()
        if found:
            return [found[-1]["id"]]
        await asyncio.sleep(0.3)
    return []
