"""The command `motcua migrate`: one service's database by its name."""

from typing import Annotated

import typer

from deploy.serve import Name, package_of
from shared.migrations import upgrade


def migrate(
    name: Name,
    database_url: Annotated[str, typer.Option(envvar="MOTCUA_DATABASE_URL", help="The service's database.")],
    role: Annotated[
        str, typer.Option(help="As this role, which owns the tables: the gateway's is motcua_gateway_owner.")
    ] = "",
) -> None:
    """Bring one service's database to its newest version."""
    upgrade(package_of(name), database_url, role=role)
