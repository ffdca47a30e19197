"""System packages the local stack stands on: found, installed when we may, else named to the user."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.local.processes import tail

POSTGRES_HOMES = Path("/usr/lib/postgresql")
RABBITMQ_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
POLICY = Path("/usr/sbin/policy-rc.d")
APT_TURN = Path("/run/motcua-packages.lock")
APT_TRIES = 3
APT_TIMEOUT_S = 900


class PackagesMissing(Exception):
    """System packages are missing and cannot be installed from here; the message says what to do."""


@dataclass(frozen=True)
class Need:
    """A system package, how to see that it is there, and the settings that make it unnecessary."""

    package: str
    found: Callable[[], object]
    instead: str = ""


def postgres_home(version: str | None = None) -> Path | None:
    """Return the folder with initdb and postgres: of this major version, else the newest; None without one."""
    on_path = shutil.which("initdb")
    places = sorted(POSTGRES_HOMES.glob("[0-9]*/bin"), key=lambda place: float(place.parent.name), reverse=True)
    places += [Path(on_path).resolve().parent] if on_path else []
    complete = [place for place in places if (place / "initdb").exists() and (place / "postgres").exists()]
    return next((place for place in complete if version is None or place.parent.name == version), None)


def rabbitmq_server() -> Path | None:
    """Return RabbitMQ's own start script.

    Debian's command of the same name refuses every user but root and rabbitmq; the script beneath it does not.
    """
    on_path = shutil.which("rabbitmq-server")
    if RABBITMQ_SERVER.exists():
        return RABBITMQ_SERVER
    return Path(on_path) if on_path else None


def chromium() -> str | None:
    """Return a Chromium for the browser tests, best one without windows: a page costs a fifth of what it else does."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def _postgres_with_contrib() -> bool:
    home = postgres_home()
    if home is None:
        return False
    shares = (home.parent / "share", home.parent / "share/postgresql", Path("/usr/share/postgresql") / home.parent.name)
    return any((share / "extension/unaccent.control").exists() for share in shares)


POSTGRES = Need("postgresql", _postgres_with_contrib, "POSTGRES_URL=postgresql://admin:password@host:5432/postgres")
RABBITMQ = Need(
    "rabbitmq-server",
    rabbitmq_server,
    "RABBITMQ_URL=amqp://admin:password@host:5672 RABBITMQ_MANAGEMENT_URL=http://admin:password@host:15672",
)
CHROMIUM = Need("chromium-headless-shell", chromium)
ZBAR = Need("zbar-tools", lambda: shutil.which("zbarimg"))
NODE = Need("nodejs", lambda: shutil.which("node"))
NPM = Need("npm", lambda: shutil.which("npm"))
"""Tests compare payment's words with packages of npm; both must be on the path."""
FONTS = Need(
    "fonts-croscore",
    Path("/usr/share/fonts/truetype/croscore/Tinos-Regular.ttf").exists,
    "MOTCUA_FONTS_FOLDER=/folder/with/Tinos",
)
PROMTOOL = Need("prometheus", lambda: shutil.which("promtool"))
"""Judges metrics, alerts and their tests; its server, of the same package, is not started."""
POPPLER = Need("poppler-utils", partial(shutil.which, "pdftotext"))


def stack_needs() -> list[Need]:
    """Return what the stack needs, less what the user's own servers and fonts replace."""
    needs = [] if os.environ.get("MOTCUA_FONTS_FOLDER") else [FONTS]
    needs += [] if os.environ.get("POSTGRES_URL") else [POSTGRES]
    return needs if os.environ.get("RABBITMQ_URL") else [*needs, RABBITMQ]


def test_needs() -> list[Need]:
    """Return what the tests need besides the stack's own needs: they always run on private servers."""
    return [POSTGRES, RABBITMQ, CHROMIUM, FONTS, POPPLER, ZBAR, NODE, NPM, PROMTOOL]


def ensure(needs: Iterable[Need], say: Callable[[str], None]) -> None:
    """Install what is missing as root on a Debian-like system.

    Raises PackagesMissing, with exactly what to do, when that is not possible.
    """
    missing = [need for need in needs if not need.found()]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise PackagesMissing(_advice(missing))
    with _one_at_a_time():
        missing = [need for need in missing if not need.found()]
        if missing:
            _install([need.package for need in missing], say)
    lacking = [need for need in missing if not need.found()]
    if lacking:
        raise PackagesMissing(f"Installed, but still not found: {', '.join(need.package for need in lacking)}.")


def _advice(missing: list[Need]) -> str:
    names = " ".join(need.package for need in missing)
    lines = [f"Missing system packages: {names}"]
    if shutil.which("apt-get"):
        lines.append(f"Install them:  sudo apt-get update && sudo apt-get install -y --no-install-recommends {names}")
    else:
        lines.append("Install them with this system's package manager.")
    lines += [f"Or, instead of {need.package}, use one of yours:  {need.instead}" for need in missing if need.instead]
    return "\n".join(lines)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    # Two checkouts on a fresh machine: apt's own lock makes the second fail, ours makes it wait.
    with APT_TURN.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _servers_not_started() -> Iterator[None]:
    """Keep package scripts from starting system-wide servers: ours are private ones."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def _install(packages: list[str], say: Callable[[str], None]) -> None:
    say(f"installing system packages: {' '.join(packages)} (a minute or so) …")
    options = ["-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
    with tempfile.TemporaryDirectory() as folder, _servers_not_started():
        log = Path(folder) / "apt.log"
        for _ in range(APT_TRIES):
            if _apt(["update", "-q"], log) and _apt(["install", *options, *packages], log):
                return
        raise PackagesMissing(f"apt-get could not install {' '.join(packages)}:\n{tail(log)}")


def _apt(arguments: list[str], log: Path) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    with log.open("ab") as output:
        return (
            subprocess.run(
                ["apt-get", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                timeout=APT_TIMEOUT_S,
                check=False,
            ).returncode
            == 0
        )
