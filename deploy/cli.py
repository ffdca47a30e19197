"""The command `motcua`: run, look at and exercise the system."""

import importlib
import sys

import typer

app = typer.Typer(
    name="motcua",
    help="Một Cửa: a province's one-stop office, as services that exchange events.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _command(name: str, target: str, summary: str, *, hidden: bool = False) -> None:
    """Add a command that lives in a module of its own, imported only when it is called: starting is quick that way."""

    @app.command(
        name,
        help=summary,
        hidden=hidden,
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def run(context: typer.Context) -> None:
        module, _, function = target.partition(":")
        command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        command.command()(getattr(importlib.import_module(module), function))
        command(args=context.args, prog_name=f"motcua {name}")


def _group(name: str, target: str, summary: str) -> None:
    """Add a typer app of several commands (`motcua catalogue import …`), imported only when one of them is called."""

    @app.command(
        name,
        help=summary,
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def run(context: typer.Context) -> None:
        module, _, function = target.partition(":")
        getattr(importlib.import_module(module), function)(args=context.args, prog_name=f"motcua {name}")


_command("up", "deploy.local.commands:up", "Start the whole stack and print its links.")
_command("down", "deploy.local.commands:down", "Stop everything that `up` started; data stays.")
_command("status", "deploy.local.commands:status", "Show every process: address, health, uptime, memory, restarts.")
_command("logs", "deploy.local.commands:logs", "Show the logs of the stack.")
_command("clean", "deploy.local.commands:clean", "Stop everything and delete the run folder with all its data.")
_command("packages", "deploy.local.commands:install_packages", "Install the system packages that are missing.")
_command("supervise", "deploy.local.commands:supervise_command", "Own the stack's processes.", hidden=True)
_command("secret", "deploy.local.credentials:secret", "Print a demo client's secret.")
_command("token", "deploy.local.credentials:token", "Print a fresh access token of a demo client.")
_command("paper", "deploy.local.papers:paper", "Write a small PDF, signed with the local stack's seal.")
_command("serve", "deploy.serve:serve", "Run one service; its settings come from the environment (MOTCUA_…).")
_command("audit", "deploy.audit:audit", "Check locks, licences and advisories; write a bill of materials.")
_command("migrate", "deploy.migrate:migrate", "Bring one service's database to its newest version.")
_command("secrets", "deploy.prepare:make_secrets", "Make the passwords and keys that containers are given.")
_command("prepare", "deploy.prepare:prepare", "Create and migrate databases and broker users on servers of yours.")
_command("scrub", "deploy.scrub:scrub", "Read every file of the results archive once and list what is damaged.")
_command("demo", "deploy.demo.command:demo", "Lead dossiers through every ending, then the proof.")
_command("bench", "benchmarks.command:bench", "Measure its speed, each figure beside a ceiling of the same run.")
_group("accounts", "deploy.accounts.command:app", "Officials, units and roles: import them, say where they bind.")
_group("backlog", "deploy.backlog.command:app", "Digitise the backlog: import scans with their index.")
_command("docs", "deploy.docs:docs", "Generate the documents that are written from the code (--check: compare).")
_group("log", "deploy.evidence.command:app", "Export and verify the transaction log, offline.")
_group("keys", "deploy.keys.command:app", "The keys that tokens are signed with: list, add, promote, retire.")
_command("portal", "deploy.portal.command:portal", "Run the mocked national portal and its payment platform.")
_group("portal-sync", "deploy.reconciling:app", "Compare the national portal with what it was told.")
_group("province", "deploy.province.command:app", "Make a province up from the real catalogue and load it.")
_group("catalogue", "deploy.catalogue.commands:catalogue", "The catalogue of procedures: import, pull.")
_group("processes", "deploy.processes.command:app", "Processes drawn in BPMN or written as JSON: check, import.")
_group("agencies", "deploy.catalogue.commands:agencies", "The agencies: import.")
_command("client", "deploy.integrators.command:client", "Write the typed Python client from the contract.")
_group("conformance", "deploy.integrators.conformance.command:app", "Check a partner, or a door, against the contract.")
_command("sandbox", "deploy.integrators.sandbox.command:sandbox", "Play the officials of the sandbox's agency.")
_command("vnpay", "deploy.vnpay.command:vnpay", "Run the mocked VNPAY.")
_command("authority", "deploy.authority.command:authority", "Run a small time-stamping authority (RFC 3161).")
_command("ministries", "deploy.ministries.command:ministries", "Run the mocked offices behind the data services.")
_group("services", "deploy.ministries.command:app", "Data services: register the definitions at a gateway.")
_command("bank", "deploy.bank.command:bank", "Run the mocked bank that keeps the agencies' accounts.")

if __name__ == "__main__":
    sys.exit(app())
