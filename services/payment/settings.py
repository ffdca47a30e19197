"""Settings of payment, besides those of every service."""

from pydantic import SecretStr

from shared.settings import ServiceSettings


class PaymentSettings(ServiceSettings):
    """Where the national payment platform is, who we are to it, and how often it is asked."""

    platform_url: str
    """Where INIT, QUERY and GET_BILL are sent to: /payment/init, /payment/query, /payment/bill below it."""
    platform_partner: str
    """MaDoiTac."""
    platform_secret: SecretStr
    """The secret that ends every MaXacThuc."""
    platform_ip: str = "127.0.0.1"
    """Ip of INIT: the address the platform knows us by."""
    platform_account: str = ""
    """TKThuHuong: the account that fees are paid to."""
    platform_account_bank: str = ""
    """MaNHThuHuong: the bank of that account."""
    platform_account_name: str = ""
    """TenTKThuHuong: the holder of that account."""
    platform_timeout_s: float = 10.0
    """The longest that one call may take."""
    platform_calls_max: int = 16
    """Calls to the platform at a time."""
    platform_poll_s: float = 1.0
    """How often due questions are looked for; a new attempt does not wait for that."""
    platform_ask_after_s: float = 60.0
    """Age of an open attempt when the platform is first asked about it."""
    attempt_life_s: float = 86_400.0
    """Age at which an attempt that the platform knows to be unpaid expires."""
