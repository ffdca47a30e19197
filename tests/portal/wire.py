"""What a province says to the portal, and what a test asks it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx

from deploy.portal.payment import hashes
from tests.portal.process import PARTNER, PASSWORD, SECRET, USERNAME, PortalProcess

WAIT_S = 10
Row = dict[str, Any]


def code_of(number: int) -> str:
    return f"H32.14-261122-{number:04}"


def make_hoso(number: int = 1, status: str = "1", **changes: Any) -> Row:
    """Return a HoSo that the portal takes; a change to None takes the field out."""
    accepted = status in {"2", "4", "8", "9", "10"}
    row = {
        "MaHoSo": code_of(number),
        "MaTTHC": "1.001456",
        "TenTTHC": "Cấp hộ chiếu phổ thông ở trong nước",
        "MaLinhVuc": "xuat_nhap_canh",
        "TenLinhVuc": "Quản lý xuất nhập cảnh",
        "KenhThucHien": "2",
        "ChuHoSo": "Nguyễn Văn A",
        "LoaiDoiTuong": "1",
        "Email": "",
        "SoDienThoai": "0901234567",
        "TrichYeuHoSo": "Cấp hộ chiếu",
        "NgayNopHoSo": "20261120080000",
        "NgayTiepNhan": "20261120091500" if accepted else "",
        "NgayHenTra": "20261202170000" if accepted else "",
        "TrangThaiHoSo": status,
        "HinhThuc": "0",
        "DonViXuLy": "Công an tỉnh Khánh Hòa",
        "DinhDanhCHS": [{"LoaiDinhDanh": "1", "SoDinhDanh": "056090000001"}],
        **changes,
    }
    return {name: value for name, value in row.items() if value is not None}


def make_tien_do(number: int = 1, status: str = "1", at: str = "20261120080000", **changes: Any) -> Row:
    row = {
        "MaHoSo": code_of(number),
        "NguoiXuLy": "Trần Thị B",
        "ThoiDiemXuLy": at,
        "NoiDungXuLy": "Tiếp nhận hồ sơ",
        "TrangThai": status,
        **changes,
    }
    return {name: value for name, value in row.items() if value is not None}


class Wire:
    """A logged-in province, and the control room beside it."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, headers={"dstcode": "VN:GOV:000.00.00.G22"}, timeout=30)
        self.session = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def log_in(self, **changes: str) -> Row:
        answer = self.client.post("/auth", json={"username": USERNAME, "password": PASSWORD, **changes}).json()
        self.session = answer.get("session", self.session)
        return answer

    def post(self, service: str, *, door: str = "/integration", **words: Any) -> httpx.Response:
        body = {"session": self.session, "madonvi": "H32", "service": service, **words}
        return self.client.post(door, json={name: value for name, value in body.items() if value is not None})

    def call(self, service: str, *, door: str = "/integration", **words: Any) -> Row:
        return self.post(service, door=door, **words).json()

    def push(self, rows: Sequence[object], *, updating: bool) -> Row:
        return self.call("DongBoHoSoMC", isUpdating=str(updating), data=rows)

    def progress(self, *rows: Row) -> Row:
        return self.call("CapNhatTienDoHoSoMC", data=rows)

    def walk(self, number: int, statuses: str) -> Row:
        """Tell a new dossier's statuses one after the other ("1 2 4"), and return the last answer's row."""
        row: Row = {}
        for place, status in enumerate(statuses.split()):
            row = self.push([make_hoso(number, status)], updating=place > 0)["result"][0]
        return row

    def control(self, method: str, path: str, **arguments: Any) -> Any:
        answer = self.client.request(method, f"/_control{path}", **arguments)
        assert answer.is_success, answer.text
        return answer.json()

    def fault(self, service: str, kind: str, **more: Any) -> int:
        return self.control("POST", "/faults", json={"service": service, "kind": kind, **more})["id"]

    def fired(self, fault_id: int) -> int:
        standing = self.control("GET", "/faults")["faults"]
        return next(fault["fired"] for fault in standing if fault["id"] == fault_id)

    def dossier(self, number: int = 1) -> Row:
        return self.control("GET", f"/dossiers/{code_of(number)}")

    def statuses(self, number: int = 1) -> list[str]:
        return [one["status"] for one in self.dossier(number)["statuses"]]

    def wait_for(self, reached: Callable[[], bool]) -> None:
        """Wait until the portal's work behind the scenes has got somewhere."""
        deadline = time.monotonic() + WAIT_S
        while not reached():
            assert time.monotonic() < deadline, "it did not come about in time"
            time.sleep(0.02)


@contextmanager
def own_portal(folder: Path, gateway_url: str, **settings: str) -> Iterator[Wire]:
    """Run a portal with settings of its own; nobody is logged in yet."""
    with PortalProcess(folder, gateway_url=gateway_url, **settings) as process, Wire(process.url) as wire:
        yield wire


def make_init(reference: str = "dvcH32142611220001", amount_vnd: int = 50_000, **changes: Any) -> Row:
    """Return a signed INIT; a change comes before the signature."""
    message = {
        "LoaiBanTin": "INIT",
        "PhienBan": "1.0.6",
        "MaDoiTac": PARTNER,
        "MaThamChieu": reference,
        "SoTien": str(amount_vnd),
        "LoaiHinhThanhToan": "PAY",
        "MaKenhThanhToan": "1",
        "MaThietBi": "1",
        "NgonNgu": "vi-VN",
        "MaTienTe": "VND",
        "MaNganHang": "PAYMENT",
        "ThongTinGiaoDich": f"THANH TOAN HO SO {code_of(1)}",
        "ThoiGianGD": "20261122140533",
        "Ip": "10.0.0.1",
        "ThongTinBienLai": {"MaHoSo": code_of(1), "MaDichVu": "2"},
        **changes,
    }
    return signed(message, hashes.INIT)


def make_question(kind: str, reference: str = "dvcH32142611220001", **changes: Any) -> Row:
    message = {
        "LoaiBanTin": kind,
        "PhienBan": "1.0.6",
        "MaDoiTac": PARTNER,
        "MaThamChieu": reference,
        "ThoiGianGD": "20261122140633",
        **changes,
    }
    return signed(message, hashes.QUERY)


def signed(message: Mapping[str, Any], order: tuple[str, ...]) -> Row:
    return {**message, "MaXacThuc": hashes.authentication_code(message, order, SECRET)}
