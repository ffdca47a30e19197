"""Run the portal without the `motcua` command: python -m deploy.portal --folder F."""

import typer

from deploy.portal.command import portal

if __name__ == "__main__":
    typer.run(portal)
