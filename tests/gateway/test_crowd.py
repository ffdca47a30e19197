"""Fifty writers with long transactions beside one reader: every change, once, in an order that each dossier lived."""

import asyncio
import base64
import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from shared.events.registry import EVENTS
from tests.gateway.hall import Hall
from tests.gateway.visitor import Visitor
from tests.gateway.writers import STRUCK_OFF, Writers, lives_of

_log = logging.getLogger(__name__)
WRITERS, PROCESSES = 50, 2
_LETTER = {name: chr(0x4E00 + nth) for nth, name in enumerate(sorted(EVENTS))}


class Reader:
    """Pulls the feed and remembers each dossier's changes as a word of one letter a change."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._cursor: str | None = None
        self.position = 0
        self.words: dict[str, str] = defaultdict(str)
        self.tombstones: set[str] = set()
        self.changes = 0

    async def pull(self) -> int:
        """Read a page; return how many changes it had."""
        query = {"limit": 1000} | ({"cursor": self._cursor} if self._cursor else {})
        answer = await self._visitor.get("/api/v1/sync/changes", who="statistics", params=query)
        if answer.status_code == 401:
            self._visitor.forget_tokens()
            return await self.pull()
        assert answer.status_code == 200, answer.text
        page = answer.json()
        for item in page["items"]:
            self._note(item)
        self._cursor = page["next_cursor"]
        return len(page["items"])

    def _note(self, item: dict[str, Any]) -> None:
        position = _position(item["cursor"])
        assert position > self.position, "a position came again, or late"
        self.position = position
        self.changes += 1
        self.words[item["dossier_code"]] += _LETTER[item["event_type"]]
        assert item["deleted"] == (item["event_type"] == STRUCK_OFF)
        if item["deleted"]:
            self.tombstones.add(item["dossier_code"])


def _position(cursor: str) -> int:
    return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).split(b":")[1])


def _truth(changes: int) -> Iterator[tuple[str, str]]:
    for writer in range(WRITERS):
        for life in lives_of(writer, changes):
            yield life.code, "".join(_LETTER[event.type] for event in life.events)


def _digest(words: Iterator[tuple[str, str]]) -> tuple[int, int, str]:
    """Return how many dossiers and changes there are, and a hash that depends on no order of dossiers."""
    dossiers = changes = mixed = 0
    for code, word in words:
        dossiers, changes = dossiers + 1, changes + len(word)
        mixed ^= int.from_bytes(hashlib.sha256(f"{code} {word}".encode()).digest())
    return dossiers, changes, f"{mixed:x}"


async def _read_beside(house: Hall, visitor: Visitor, *, changes: int, linger_s: float, way: str) -> Reader:
    url = house.database.dsn
    writers = Writers(url, processes=PROCESSES, writers=WRITERS, changes=changes, linger_s=linger_s, way=way)
    reader, began = Reader(visitor), monotonic()
    writers.start()
    try:
        over = False
        while not over or await reader.pull():
            over = writers.done()
            if not over and not await reader.pull():
                await asyncio.sleep(0.02)
    finally:
        writers.kill()
    took = monotonic() - began
    _log.info("%d changes of %d dossiers in %.0f s", reader.changes, len(reader.words), took)
    return reader


def _assert_all_seen(reader: Reader, changes: int) -> None:
    assert _digest(iter(reader.words.items())) == _digest(_truth(changes))
    assert reader.tombstones == {code for code, word in reader.words.items() if _LETTER[STRUCK_OFF] in word}
    assert reader.tombstones


@pytest.mark.timeout(120)
async def test_every_change_is_seen_once(visitor: Visitor, house: Hall) -> None:
    changes = 40
    reader = await _read_beside(house, visitor, changes=changes, linger_s=0.1, way="folding")
    _assert_all_seen(reader, changes)


@pytest.mark.large
@pytest.mark.timeout(1800)
async def test_every_one_of_a_million_changes_is_seen_once(visitor: Visitor, house: Hall) -> None:
    changes = 20_000
    reader = await _read_beside(house, visitor, changes=changes, linger_s=0.1, way="feed")
    assert reader.changes >= 1_000_000
    _assert_all_seen(reader, changes)
