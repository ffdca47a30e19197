"""The proof names every kind of difference; what it cannot see it cannot prove."""

import httpx
import pytest

from deploy.demo.client import ApiClient, Tally
from deploy.demo.feed import Feed
from deploy.demo.proof import Proof, compare_statuses

CODE = "H32.14-260407-0001"
KNOWN = [1, 2, 4, 9, 10]


def feed_of(statuses: list[int]) -> Feed:
    """Return a feed that gave these statuses."""
    feed = Feed(ApiClient(httpx.AsyncClient(), {"client_id": "", "client_secret": ""}, Tally()), None)
    feed.changes[CODE] = [{"event_type": "x", "portal_status": status, "detail": {}} for status in statuses]
    return feed


def differences(portal: list[int], fed: list[int]) -> list[str]:
    """Return what the proof says of one dossier."""
    proof = Proof(dossiers=1)
    compare_statuses(proof, [CODE], {CODE: KNOWN}, {CODE: portal}, feed_of(fed))
    return proof.differences


class TestCompareStatuses:
    def test_is_silent_when_everybody_knows_the_same(self) -> None:
        assert differences(KNOWN, KNOWN) == []

    @pytest.mark.parametrize(
        "wrong",
        [[1, 2, 9, 10], [1, 2, 4, 4, 9, 10], [1, 4, 2, 9, 10], [1, 2, 4, 9], []],
        ids=["lost", "doubled", "disordered", "last missing", "nothing"],
    )
    def test_names_what_differs_at_the_portal_or_in_the_feed(self, wrong: list[int]) -> None:
        assert differences(wrong, KNOWN) == [f"{CODE}: the services know {KNOWN}, the portal was told {wrong}"]
        assert differences(KNOWN, wrong) == [f"{CODE}: the services know {KNOWN}, the feed gave {wrong}"]
