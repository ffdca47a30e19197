"""Ports stay the same as long as they can."""

import socket
from pathlib import Path

from deploy.local import ports


def listening(port: int) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((ports.LOOPBACK, port))
    server.listen()
    return server


class TestChoose:
    """One free port for every name."""

    def test_chooses_the_same_again(self, tmp_path: Path) -> None:
        names = ["a", "b", "c"]
        first = ports.choose(tmp_path / "ports.json", names)
        assert len(set(first.values())) == len(names)
        assert ports.choose(tmp_path / "ports.json", names) == first

    def test_replaces_only_a_port_that_another_took(self, tmp_path: Path) -> None:
        first = ports.choose(tmp_path / "ports.json", ["a", "b"])
        with listening(first["a"]):
            second = ports.choose(tmp_path / "ports.json", ["a", "b"])
        assert second["a"] != first["a"]
        assert second["b"] == first["b"]
        assert ports.remembered(tmp_path / "ports.json") == second

    def test_takes_the_preferred_port_when_it_is_free(self, tmp_path: Path) -> None:
        wish = ports.choose(tmp_path / "wish.json", ["a"])["a"]
        with listening(wish):
            assert ports.choose(tmp_path / "one.json", ["a"], preferred={"a": wish})["a"] != wish
        assert ports.choose(tmp_path / "two.json", ["a"], preferred={"a": wish})["a"] == wish

    def test_survives_a_memory_that_was_cut_short(self, tmp_path: Path) -> None:
        (tmp_path / "ports.json").write_text('{"a": 20')
        assert ports.FIRST <= ports.choose(tmp_path / "ports.json", ["a"])["a"] < ports.LAST
