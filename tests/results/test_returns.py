"""Results on their way to their owners."""

import asyncio
from typing import Any

import pytest

from shared.events.values import Channel
from tests.results.desk import CODE, COUNTER, PDF, Desk, accepted, completed
from tests.results.test_routes import problem

BY_POST = {"method": "postal", "returned_by": "Lê Văn Trả", "tracking_number": "EB123456789VN"}
ONLINE = {"method": "online", "returned_by": "Lê Văn Trả"}


async def ready(desk: Desk, *, channel: Channel = Channel.DIRECT) -> str:
    """Return a result that may be handed over."""
    await desk.hear(accepted().model_copy(update={"channel": channel}), completed())
    return await desk.issued()


def receiver(**changes: Any) -> dict[str, Any]:
    """Return a hand-over at the counter to somebody else than usual."""
    return {**COUNTER, "receiver": {**COUNTER["receiver"], **changes}}


async def told(desk: Desk) -> list[str]:
    return [event["type"] for event in await desk.outbox()][2:]


class TestCounter:
    """At the counter."""

    async def test_needs_to_know_who_it_was(self, desk: Desk) -> None:
        result_id = await ready(desk)
        bare = {"method": "counter", "returned_by": "x"}
        assert problem(await desk.post(result_id, "return", bare)) == (422, "invalid_request")

    @pytest.mark.parametrize("number", ["0001", "056090000001"])
    async def test_keeps_how_the_owner_was_known_and_not_the_number(self, desk: Desk, number: str) -> None:
        result_id = await ready(desk)
        assert (await desk.post(result_id, "return", receiver(document_number=number))).status_code == 200
        (found,) = (await desk.get(f"/results/{result_id}/hand-overs")).json()["items"]
        assert (found["document_last_digits"], found["checked_by"], found["outcome"]) == ("0001", "Lê Văn Trả", "done")
        (row,) = await desk.rows("SELECT * FROM hand_over")
        assert "056090000001" not in str(dict(row))
        assert bool(row["document_number_hash"]) == (len(number) > 4)

    async def test_refuses_an_owner_with_anothers_document(self, desk: Desk) -> None:
        result_id = await ready(desk)
        stranger = await desk.post(result_id, "return", receiver(document_number="0002"))
        assert problem(stranger) == (409, "receiver_differs")
        authorised = receiver(document_number="0002", relation="authorised")
        assert (await desk.post(result_id, "return", authorised)).status_code == 200


class TestPost:
    """By post."""

    @pytest.mark.parametrize(("channel", "service"), [(Channel.DIRECT, "one_way"), (Channel.POSTAL, "two_way")])
    async def test_is_returned_when_it_is_delivered(self, desk: Desk, channel: Channel, service: str) -> None:
        result_id = await ready(desk, channel=channel)
        assert (await desk.post(result_id, "return", BY_POST)).json()["status"] == "in_post"
        assert (await told(desk)) == ["results.result.dispatched.v1"]
        delivered = await desk.post(result_id, "delivered", {})
        assert (delivered.json()["status"], delivered.json()["tracking_number"]) == ("returned", "EB123456789VN")
        assert (await told(desk))[-1] == "results.result.returned.v1"
        (found,) = (await desk.get(f"/results/{result_id}/hand-overs")).json()["items"]
        assert found["postal_service"] == service

    async def test_that_failed_may_be_tried_again_in_any_way(self, desk: Desk) -> None:
        result_id = await ready(desk)
        await desk.post(result_id, "return", BY_POST)
        assert problem(await desk.post(result_id, "return", {**COUNTER})) == (409, "illegal_move")
        failed = await desk.post(result_id, "delivery-failed", {"reason": "Không gặp người nhận"})
        assert failed.json()["status"] == "issued"
        assert problem(await desk.post(result_id, "return", BY_POST)) == (409, "tracking_number_taken")
        assert (await desk.post(result_id, "return", {**COUNTER})).json()["status"] == "returned"
        found = (await desk.get(f"/results/{result_id}/hand-overs")).json()["items"]
        assert [one["outcome"] for one in found] == ["failed", "done"]

    async def test_is_delivered_once_however_often_it_is_told(self, desk: Desk) -> None:
        result_id = await ready(desk)
        await desk.post(result_id, "return", BY_POST)
        answers = await asyncio.gather(*(desk.post(result_id, "delivered", {}) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
        assert (await told(desk)).count("results.result.returned.v1") == 1


class TestOnline:
    """Online."""

    async def test_lets_the_owner_download_by_a_grant_that_is_told_once(self, desk: Desk) -> None:
        result_id = await ready(desk)
        handed = (await desk.post(result_id, "return", ONLINE)).json()
        assert handed["status"] == "returned"
        answer = await desk.client.get("/granted", headers={"X-Grant": handed["grant"]})
        assert (answer.status_code, answer.content) == (200, PDF)
        (row,) = await desk.rows("SELECT downloads, grant_sha256 FROM hand_over")
        assert row["downloads"] == 1
        assert handed["grant"] not in str(dict(row))
        (read,) = await desk.rows("SELECT via, client_id FROM document_access")
        assert tuple(read.values()) == ("grant", "service:owner")

    async def test_refuses_a_guessed_an_old_and_a_revoked_grant(self, desk: Desk) -> None:
        result_id = await ready(desk)
        grant = (await desk.post(result_id, "return", ONLINE)).json()["grant"]
        guessed = await desk.client.get("/granted", headers={"X-Grant": "x" * 27})
        assert problem(guessed) == (404, "grant_not_found")
        await desk.rows("UPDATE hand_over SET grant_until = now() - interval '1 day' RETURNING id")
        assert problem(await desk.client.get("/granted", headers={"X-Grant": grant})) == (404, "grant_not_found")
        await desk.rows("UPDATE hand_over SET grant_until = now() + interval '1 day' RETURNING id")
        assert (await desk.client.get("/granted", headers={"X-Grant": grant})).status_code == 200
        await desk.post(result_id, "revoke", {"reason": "thu hồi"})
        assert problem(await desk.client.get("/granted", headers={"X-Grant": grant})) == (404, "grant_not_found")


class TestReissue:
    """Once more."""

    async def test_comes_after_the_first_return_and_does_not_return_again(self, desk: Desk) -> None:
        result_id = await ready(desk)
        again = {**COUNTER, "reason": "Làm thất lạc"}
        assert problem(await desk.post(result_id, "reissue", again)) == (409, "not_returned_yet")
        await desk.post(result_id, "return", {**COUNTER})
        assert (await desk.post(result_id, "reissue", again)).json()["status"] == "returned"
        post = {**BY_POST, "reason": "Ở xa"}
        assert (await desk.post(result_id, "reissue", post)).status_code == 200
        assert problem(await desk.post(result_id, "reissue", again)) == (409, "not_returned_yet")
        await desk.post(result_id, "delivered", {})
        kinds = await told(desk)
        assert kinds.count("results.result.returned.v1") == 1
        assert kinds.count("results.result.reissued.v1") == 2
        assert {event["subject"] for event in await desk.outbox()} == {CODE}
