"""Free TCP ports on the loopback interface, remembered from one start to the next."""

import random
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.folder import read_json, write_json

LOOPBACK = "127.0.0.1"
# Below the ephemeral range (32768 and up), so that no outgoing connection takes a port while its owner is down.
FIRST, LAST = 20_000, 32_000
TRIES = 200


class NoPortFree(Exception):
    """No free TCP port was found on the loopback interface."""


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose(memory: Path, names: Sequence[str], *, preferred: Mapping[str, int] | None = None) -> dict[str, int]:
    """Return a distinct free port for every name: the one remembered, the preferred one, else a random one.

    Raises NoPortFree.
    """
    known = remembered(memory)
    chosen: dict[str, int] = {}
    for name in names:
        wishes = [port for port in (known.get(name), (preferred or {}).get(name)) if port]
        chosen[name] = _first_free(wishes, taken=set(chosen.values()))
    if chosen != {name: known.get(name) for name in names}:
        write_json(memory, {**known, **chosen})
    return chosen


def _first_free(wishes: Sequence[int], taken: set[int]) -> int:
    lots = (random.randrange(FIRST, LAST) for _ in range(TRIES))  # noqa: S311 - no secret
    for port in (*wishes, *lots):
        if port not in taken and is_free(port):
            return port
    raise NoPortFree(f"No free TCP port between {FIRST} and {LAST} on {LOOPBACK}.")


def remembered(memory: Path) -> dict[str, int]:
    """Return the ports chosen last; empty before the first time."""
    return read_json(memory) or {}
