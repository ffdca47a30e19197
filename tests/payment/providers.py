"""The mocked VNPAY and the mocked bank as processes of their own, started and ended by tests."""

from pathlib import Path

from tests.support.served import Served

TMN_CODE, VNPAY_SECRET, VNPAY_SECRET_PREVIOUS = "DEMOH32", "SECRETVNPAY", "SECRETVNPAY2025"
BANK_CLIENT, BANK_SECRET, BANK_SECRET_PREVIOUS = "H32", "SECRETBANK", "SECRETBANK2025"
ACCOUNT = {"bank_bin": "970415", "number": "3712012345678", "name": "KHO BAC NHA NUOC KHANH HOA"}
ROUTES = [
    {"agency": "H32", "providers": ["national_platform", "vnpay", "vietqr", "cash"], "account": ACCOUNT},
    {"agency": "H32.77", "providers": ["cash"]},
]


class MockProcess(Served):
    """Runs `motcua vnpay` or `motcua bank` in a folder."""

    def __init__(self, name: str, folder: Path, gateway_url: str) -> None:
        settings = {
            "gateway_url": gateway_url,
            "vnpay_tmn_code": TMN_CODE,
            "vnpay_secret": VNPAY_SECRET,
            "bank_client": BANK_CLIENT,
            "bank_secret": BANK_SECRET,
        }
        super().__init__(folder, "deploy.cli", name, "--folder", str(folder), settings=settings)
