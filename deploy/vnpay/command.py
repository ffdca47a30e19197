"""The command `motcua vnpay`."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.mocks.serving import serve
from deploy.vnpay.app import create_app
from deploy.vnpay.settings import VnpaySettings


def vnpay(
    host: Annotated[str, typer.Option(help="Address to listen on; keep it private.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8091,
    folder: Annotated[Path, typer.Option(help="Where it keeps orders and transactions.")] = Path(".run/vnpay"),
) -> None:
    """Run the mocked VNPAY."""
    serve(create_app(VnpaySettings(vnpay_folder=folder)), "vnpay", host=host, port=port)  # type: ignore[call-arg]
