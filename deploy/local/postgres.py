"""A private PostgreSQL: own folder, own port, loopback only, passwords."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from deploy.local import ports
from deploy.local.folder import Secrets
from deploy.local.packages import POSTGRES, PackagesMissing, postgres_home
from deploy.local.processes import identify
from deploy.local.program import NotStarted, Program

ADMIN = "postgres"
INITDB_TIMEOUT_S = 120
PROBE_TIMEOUT_S = 5

SETTINGS: Mapping[str, str] = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "1000",
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    # Outbox and inbox rows live for moments: their dead versions must go as fast as they come.
    "autovacuum_naptime": "10s",
    # After a crash: one call for the whole file system, not one for each of thousands of files.
    "recovery_init_sync_method": "syncfs",
    "jit": "off",
    "random_page_cost": "1.1",
    "track_io_timing": "off",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
}
NOT_DURABLE: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off"}
"""For tests: commits outlive a killed server, but not a power cut."""


def _traversable(folder: Path) -> bool:
    """Tell whether every user may pass through a folder and all above it."""
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))


class PostgresServer(Program):
    """PostgreSQL in `folder`; the port is chosen at the first start and kept while it stays free."""

    # Immediate shutdown: nobody is left to wait for an orderly one, and its backends must not linger.
    death_signal: int | None = signal.SIGQUIT
    stop_signal: int = signal.SIGINT
    stop_patience_s: float = 30

    def __init__(self, folder: Path, *, log: Path | None = None, durable: bool = True) -> None:
        super().__init__("postgres", log=log or folder / "server.log", pid_file=folder / "server.json")
        self.folder = folder
        self.data = folder / "data"
        self.durable = durable
        self._secrets = Secrets(folder / "secrets.json")

    @cached_property
    def home(self) -> Path:
        """The programs' folder, of the version that made the data."""
        version = None
        with suppress(OSError):
            version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        found = postgres_home(version)
        if found is None:
            wanted = f"PostgreSQL {version}, which made {self.data}" if version else f"PostgreSQL ({POSTGRES.package})"
            raise PackagesMissing(f"{wanted}, is not installed.")
        return found

    @property
    def port(self) -> int:
        """The port of the latest start."""
        return ports.remembered(self._ports_file)["postgres"]

    @property
    def url(self) -> str:
        """The administrator's address."""
        return self.url_of(ADMIN, self._secrets(ADMIN), "postgres")

    @property
    def address(self) -> str:
        """Return host and port."""
        return f"{ports.LOOPBACK}:{self.port}"

    def url_of(self, role: str, password: str, database: str) -> str:
        """Return the address of a database for a role."""
        return f"postgresql://{role}:{password}@{ports.LOOPBACK}:{self.port}/{database}"

    @property
    def _ports_file(self) -> Path:
        return self.folder / "ports.json"

    def prepare(self) -> None:
        """Create the data folder at the first start; clear away what a crash left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ports.choose(self._ports_file, ["postgres"])
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._drop_stale_lock()

    def command(self) -> Sequence[str]:
        """Return the server's command line, all its settings in it."""
        settings = {**SETTINGS, **({} if self.durable else NOT_DURABLE), "port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [*self._as_owner(), str(self.home / "postgres"), "-D", str(self.data), *options]

    def working_folder(self) -> Path:
        """Return the data folder."""
        return self.data

    def is_ready(self) -> bool:
        """Tell whether it takes connections."""
        place = ["-h", ports.LOOPBACK, "-p", str(self.port), "-U", ADMIN, "-d", "postgres"]
        probe = [str(self.home / "pg_isready"), "-q", "-t", str(PROBE_TIMEOUT_S), *place]
        return subprocess.run(probe, check=False, stdin=subprocess.DEVNULL).returncode == 0

    def _owner(self) -> pwd.struct_passwd | None:
        """Return the unprivileged user that root must run PostgreSQL as; None when we are one ourselves."""
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            with suppress(KeyError):
                return pwd.getpwnam(name)
        raise NotStarted("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`.")

    def _as_owner(self) -> list[str]:
        """Return the command that drops root's rights.

        A checkout below a folder that only root may enter (mktemp -d makes one) stays reachable through one capability.
        """
        owner = self._owner()
        if owner is None:
            return []
        setpriv = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        setpriv += ["--pdeathsig", "keep" if self.death_signal is None else signal.Signals(self.death_signal).name]
        if not _traversable(self.folder):
            setpriv += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        return setpriv

    def _initialise(self) -> None:
        # Made beside its final place: a crash half-way leaves nothing that looks like a database.
        fresh, password = self.folder / "data.new", self.folder / "password.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password.touch(mode=0o600)
        password.write_text(self._secrets(ADMIN), encoding="ascii")
        owner = self._owner()
        if owner:
            os.chown(fresh, owner.pw_uid, owner.pw_gid)
            os.chown(password, owner.pw_uid, owner.pw_gid)
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", f"--username={ADMIN}"]
        options += [f"--pwfile={password}", "--data-checksums", *([] if self.durable else ["--no-sync"])]
        command = [*self._as_owner(), str(self.home / "initdb"), "-D", str(fresh), *options]
        made = subprocess.run(command, cwd=fresh, capture_output=True, text=True, timeout=INITDB_TIMEOUT_S, check=False)
        password.unlink()
        if made.returncode != 0:
            raise NotStarted(f"initdb failed:\n{made.stdout}{made.stderr}")
        fresh.rename(self.data)

    def _drop_stale_lock(self) -> None:
        """Remove postmaster.pid when its process id belongs to nobody or to another program by now."""
        lock = self.data / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            pid = int(lock.read_text(encoding="utf-8").splitlines()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes() if identify(pid) else b""
            if str(self.data).encode() not in command:
                lock.unlink()
