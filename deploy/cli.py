"""The command `motcua`: run, look at and exercise the system."""

import importlib
import sys

import typer

from deploy.local import commands

app = typer.Typer(
    name="motcua",
    help="Một Cửa: a province's one-stop office, as services that exchange events.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command()(commands.up)
app.command()(commands.down)
app.command()(commands.status)
app.command()(commands.logs)
app.command()(commands.clean)
app.command("packages")(commands.install_packages)
app.command("supervise", hidden=True)(commands.supervise_command)


def _elsewhere(name: str, target: str, summary: str) -> None:
    """Add a command that lives in a module of its own, imported only when it is called."""

    @app.command(
        name,
        help=summary,
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def run(context: typer.Context) -> None:
        module, _, function = target.partition(":")
        command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        command.command()(getattr(importlib.import_module(module), function))
        command(args=context.args, prog_name=f"motcua {name}")


_elsewhere("secret", "deploy.local.credentials:secret", "Print a demo client's secret.")
_elsewhere("token", "deploy.local.credentials:token", "Print a fresh access token of a demo client.")
_elsewhere("serve", "deploy.serve:serve", "Run one service; its settings come from the environment (MOTCUA_…).")
_elsewhere("migrate", "deploy.migrate:migrate", "Bring one service's database to its newest version.")
_elsewhere("secrets", "deploy.prepare:make_secrets", "Make the passwords and keys that containers are given.")
_elsewhere("prepare", "deploy.prepare:prepare", "Create and migrate databases and broker users on servers of yours.")
_elsewhere("demo", "deploy.demo.command:demo", "Lead dossiers through every ending, then the proof.")
_elsewhere("bench", "benchmarks.command:bench", "Measure its speed, each figure beside a ceiling of the same run.")
_elsewhere("docs", "deploy.docs:docs", "Generate the documents that are written from the code (--check: compare).")
_elsewhere("portal", "deploy.portal.command:portal", "Run the mocked national portal and its payment platform.")

if __name__ == "__main__":
    sys.exit(app())
