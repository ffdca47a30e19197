"""Settings of payment, besides those of every service."""

from pathlib import Path

from pydantic import SecretStr

from services.payment.operations.routing import Route
from shared.settings import ServiceSettings


class PaymentSettings(ServiceSettings):
    """Where the providers are, who we are to them, how often they are asked, and which agency offers which."""

    platform_url: str
    """Where INIT, QUERY and GET_BILL are sent to: /payment/init, /payment/query, /payment/bill below it."""
    platform_partner: str
    """MaDoiTac."""
    platform_secret: SecretStr
    """The secret that ends every MaXacThuc."""
    platform_secret_previous: SecretStr = SecretStr("")
    """The secret before it, still taken in what the platform tells; empty when none is."""
    platform_ip: str = "127.0.0.1"
    """Ip of INIT and vnp_IpAddr: the address that providers know us by."""
    platform_account: str = ""
    """TKThuHuong: the account that fees are paid to."""
    platform_account_bank: str = ""
    """MaNHThuHuong: the bank of that account."""
    platform_account_name: str = ""
    """TenTKThuHuong: the holder of that account."""
    platform_timeout_s: float = 10.0
    """The longest that one call to a provider may take."""
    platform_calls_max: int = 16
    """Calls to providers at a time."""
    platform_poll_s: float = 1.0
    """How often due questions are looked for; a new attempt does not wait for that."""
    platform_ask_after_s: float = 60.0
    """Age of an open attempt when its provider is first asked about it."""
    attempt_life_s: float = 86_400.0
    """Age at which an attempt that its provider knows to be unpaid expires."""
    vnpay_url: str = ""
    """VNPAY: where querydr and refund are sent to; empty offers no VNPAY."""
    vnpay_pay_url: str = ""
    """Where payers pay, as their browsers reach it; empty: the same."""
    vnpay_tmn_code: str = ""
    """vnp_TmnCode."""
    vnpay_secret: SecretStr = SecretStr("")
    """The secret of every vnp_SecureHash."""
    vnpay_secret_previous: SecretStr = SecretStr("")
    """The secret before it, still taken in what VNPAY tells."""
    vnpay_return_url: str = "http://127.0.0.1:8000/"
    """vnp_ReturnUrl of attempts that name none."""
    bank_url: str = ""
    """The bank that keeps the agencies' accounts: /inquiry is below it; empty offers no transfer by QR code."""
    bank_client: str = ""
    """Who we are to the bank."""
    bank_secret: SecretStr = SecretStr("")
    """The secret of every X-Signature."""
    bank_secret_previous: SecretStr = SecretStr("")
    """The secret before it, still taken in what the bank tells."""
    provider_routes: tuple[Route, ...] = ()
    """Which agency offers which ways of paying, with its account for transfers (JSON); the longest code decides."""
    seals_folder: Path | None = None
    """Where the issuers' seals are: PKCS#12 files named after their agencies, `H32.14.p12`, for those below as well."""
    seals_password: SecretStr = SecretStr("")
    """The password of every file there."""
    callback_log_days: int = 400
    """How long a notice that was taken is kept in the log; one that was refused is kept for 30 days."""
