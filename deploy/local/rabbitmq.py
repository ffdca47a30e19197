"""A private RabbitMQ: own node, own epmd, own ports and folders, loopback only, passwords."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local import ports, web
from deploy.local.folder import Secrets, write_private
from deploy.local.packages import PackagesMissing, rabbitmq_server
from deploy.local.program import Program

ADMIN = "motcua-admin"
VHOST = "motcua"
NODE = "motcua@localhost"
HEARTBEAT_S = 10
STATISTICS_MS = 5_000
PLUGINS = ("rabbitmq_management", "rabbitmq_prometheus", "rabbitmq_consistent_hash_exchange")
PORTS = ("amqp", "management", "prometheus", "distribution", "epmd")
SCHEDULERS = 2


class PortMapper(Program):
    """The Erlang port mapper (epmd) of one node: in the foreground, so that it ends with the stack."""

    def __init__(self, folder: Path, *, log: Path, port: int) -> None:
        super().__init__("epmd", log=log, pid_file=folder / "epmd.json")
        self.port = port

    @property
    def url(self) -> str:
        """Return its address."""
        return f"epmd://{ports.LOOPBACK}:{self.port}"

    def command(self) -> Sequence[str]:
        """Return its command line."""
        return ["epmd", "-address", ports.LOOPBACK, "-port", str(self.port)]

    def environment(self) -> Mapping[str, str]:
        """Return the caller's environment, without what would make it a daemon or move it."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ERL_")}
        return {**inherited, "HOME": str(self.pid_file.parent)}

    def is_ready(self) -> bool:
        """Tell whether its port is taken."""
        return not ports.is_free(self.port)


class RabbitMQServer(Program):
    """RabbitMQ in `folder`; ports are chosen at the first start and kept while they stay free."""

    # An orderly stop waits a fixed five seconds for its statistics.
    stop_patience_s: float = 30

    def __init__(self, folder: Path, *, log: Path | None = None) -> None:
        super().__init__("rabbitmq", log=log or folder / "server.log", pid_file=folder / "server.json")
        self.folder = folder
        self._secrets = Secrets(folder / "secrets.json")
        self._started_mapper: PortMapper | None = None

    @property
    def _ports(self) -> Mapping[str, int]:
        return ports.remembered(self.folder / "ports.json")

    @property
    def _mapper(self) -> PortMapper:
        return self._started_mapper or PortMapper(self.folder, log=self.log, port=self._ports["epmd"])

    @property
    def port(self) -> int:
        """The AMQP port of the latest start."""
        return self._ports["amqp"]

    @property
    def username(self) -> str:
        """The administrator's name."""
        return ADMIN

    @property
    def password(self) -> str:
        """The administrator's password."""
        return self._secrets(ADMIN)

    @property
    def url(self) -> str:
        """The administrator's AMQP address."""
        return self.amqp_url(ADMIN, self.password)

    @property
    def address(self) -> str:
        """Return host and AMQP port."""
        return f"{ports.LOOPBACK}:{self.port}"

    @property
    def management_url(self) -> str:
        """The management pages and API, without a user."""
        return f"http://{ports.LOOPBACK}:{self._ports['management']}"

    @property
    def admin_api_url(self) -> str:
        """The management API as the administrator."""
        return self.management_url.replace("://", f"://{ADMIN}:{self.password}@")

    def amqp_url(self, user: str, password: str, vhost: str = VHOST) -> str:
        """Return the AMQP address for a user."""
        return f"amqp://{user}:{password}@{ports.LOOPBACK}:{self.port}/{vhost}"

    def prepare(self) -> None:
        """Write the configuration, and start the node's own port mapper."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ports.choose(self.folder / "ports.json", PORTS)
        for name in ("home", "data", "log"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        write_private(self.folder / "rabbitmq.conf", self._configuration())
        write_private(self.folder / "enabled_plugins", f"[{','.join(PLUGINS)}].\n")
        write_private(self.folder / "environment.conf", "")
        self._started_mapper = PortMapper(self.folder, log=self.log, port=self._ports["epmd"])
        self._started_mapper.death_signal = self.death_signal
        self._started_mapper.start()

    def _configuration(self) -> str:
        chosen = self._ports
        return "\n".join(
            [
                f"listeners.tcp.1 = {ports.LOOPBACK}:{chosen['amqp']}",
                f"management.tcp.ip = {ports.LOOPBACK}",
                f"management.tcp.port = {chosen['management']}",
                f"prometheus.tcp.ip = {ports.LOOPBACK}",
                f"prometheus.tcp.port = {chosen['prometheus']}",
                f"default_user = {ADMIN}",
                f"default_pass = {self.password}",
                f"default_vhost = {VHOST}",
                f"heartbeat = {HEARTBEAT_S}",
                f"collect_statistics_interval = {STATISTICS_MS}",
                "vm_memory_high_watermark.absolute = 1GB",
                "disk_free_limit.absolute = 100MB",
                # The default reserves half a gigabyte for the log of quorum queues.
                "raft.wal_max_size_bytes = 67108864",
                "log.file = false",
                "log.console = true",
                "log.console.level = info",
                "log.console.use_colors = off",
                "",
            ]
        )

    def command(self) -> Sequence[str]:
        """Return RabbitMQ's own start script."""
        script = rabbitmq_server()
        if script is None:
            raise PackagesMissing("RabbitMQ (rabbitmq-server) is not installed.")
        return [str(script)]

    def working_folder(self) -> Path:
        """Return the folder where a crash leaves its dump."""
        return self.folder

    def environment(self) -> Mapping[str, str]:
        """Return the caller's environment with everything that places the node in its folder."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_", "NOTIFY_"))
        }
        return {
            **inherited,
            "HOME": str(self.folder / "home"),
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_DIST_PORT": str(self._ports["distribution"]),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "environment.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "config"),
            "RABBITMQ_PID_FILE": str(self.folder / "rabbitmq.pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"
            f" +S {SCHEDULERS}:{SCHEDULERS}",
            # The script then becomes the node itself, so that its process id and death signal are the node's.
            "RUNNING_UNDER_SYSTEMD": "true",
            "ERL_EPMD_PORT": str(self._ports["epmd"]),
            "ERL_EPMD_ADDRESS": ports.LOOPBACK,
            # Any Erlang program would otherwise leave a daemon behind.
            "ERL_ZFLAGS": "-start_epmd false",
            "ERL_CRASH_DUMP_BYTES": "0",
        }

    def is_ready(self) -> bool:
        """Tell whether AMQP connections are taken and the management API answers."""
        try:
            web.call("GET", f"{self.admin_api_url}/api/health/checks/port-listener/{self.port}", timeout_s=5)
        except web.CallRefused:
            return False
        return True

    def stop(self) -> None:
        """Stop the node, then its port mapper."""
        super().stop()
        if self._ports:
            self._mapper.stop()
