"""Who may do and see what, and how lists are paged."""

from typing import Any

import pytest

from tests.payment.till import SCOPES, Till, item

NOBODY = "01890000-0000-7000-8000-000000000000"
LISTS = ["/fees", "/payments", "/receipts", "/refunds"]
LAW = {"legal_basis": "Điều 10"}


async def everything(till: Till) -> dict[str, str]:
    """Return the addresses of a fee, payments, receipt and refund of one dossier of H32.14."""
    fee = await till.owe()
    attempt = await till.attempt(fee)
    for _ in range(2):
        await till.confirm(attempt["reference"])
    receipt, refund = (await till.receipts(fee))[0], (await till.refunds(fee))[0]
    return {
        "fee": f"/fees/{fee.id}",
        "payment": f"/payments/{attempt['id']}",
        "receipt": f"/receipts/{receipt.id}",
        "refund": f"/refunds/{refund.id}",
        "code": fee.dossier_code,
    }


class TestVisibility:
    """Agencies see their own and what lies below them."""

    @pytest.mark.parametrize("agency", ["H32.1", "H32.15", "H33", "H32.14.1", None])
    async def test_another_agencys_things_are_not_there(self, till: Till, agency: str | None) -> None:
        paths = await everything(till)
        headers = till.headers(agency=agency)
        for path in (paths["fee"], paths["payment"], paths["receipt"], f"{paths['payment']}/bill"):
            answer = await till.client.get(path, headers=headers)
            assert answer.status_code == 404, path
        for path in LISTS:
            answer = await till.client.get(path, params={"dossier_code": paths["code"]}, headers=headers)
            assert answer.json()["items"] == [], path

    async def test_nothing_of_another_agency_can_be_changed(self, till: Till) -> None:
        paths, fee = await everything(till), await till.owe()
        changes: list[tuple[str, Any]] = [
            (f"/fees/{fee.id}/waive", LAW),
            ("/payments", {"fee_id": str(fee.id), "provider": "cash"}),
            ("/payments", {"fee_id": str(fee.id), "provider": "national_platform"}),
            (f"{paths['refund']}/send", {"transfer_reference": "FT1"}),
            (f"{paths['refund']}/done", None),
            (f"{paths['refund']}/fail", {"reason": "Sai số"}),
        ]
        for path, body in changes:
            assert (await till.post(path, body, agency="H32.15")).status_code == 404, path

    @pytest.mark.parametrize("agency", ["H32", "H32.14"])
    async def test_the_agency_and_those_above_it_see_them(self, till: Till, agency: str) -> None:
        paths = await everything(till)
        for path in (paths["fee"], paths["payment"], paths["receipt"]):
            assert (await till.client.get(path, headers=till.headers(agency=agency))).status_code == 200
        for path in LISTS:
            query = {"dossier_code": paths["code"]}
            answer = await till.client.get(path, params=query, headers=till.headers(agency=agency))
            assert answer.json()["items"], path

    @pytest.mark.parametrize("path", ["/fees", "/payments", "/receipts"])
    async def test_what_does_not_exist_is_not_there(self, till: Till, path: str) -> None:
        answer = await till.client.get(f"{path}/{NOBODY}", headers=till.headers())
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


class TestRights:
    """Tokens, scopes and keys."""

    async def test_every_address_but_the_callback_needs_a_token(self, till: Till) -> None:
        described = till.app.openapi()["paths"]
        ours = {path: verbs for path, verbs in described.items() if path.startswith((*LISTS, "/ops"))}
        assert len(ours) >= 15
        for path, verbs in ours.items():
            if path.startswith("/payments/callbacks/"):
                continue
            for verb in verbs:
                answer = await till.client.request(verb, path.replace("{", "").replace("}", ""))
                assert answer.status_code == 401, (verb, path)

    @pytest.mark.parametrize(
        ("path", "body", "right"),
        [
            (f"/fees/{NOBODY}/waive", LAW, "payments:write"),
            (f"/fees/{NOBODY}/waive", LAW, "dossiers:decide"),
            ("/payments", {"fee_id": NOBODY, "provider": "cash"}, "payments:write"),
            ("/payments", {"fee_id": NOBODY, "provider": "cash"}, "dossiers:decide"),
            ("/payments", {"fee_id": NOBODY, "provider": "national_platform"}, "payments:write"),
            (f"/refunds/{NOBODY}/send", {"transfer_reference": "FT1"}, "refunds:write"),
            (f"/refunds/{NOBODY}/done", None, "refunds:write"),
            (f"/refunds/{NOBODY}/fail", {"reason": "Sai số"}, "refunds:write"),
        ],
    )
    async def test_a_change_needs_its_scope(self, till: Till, path: str, body: Any, right: str) -> None:
        without = [scope for scope in SCOPES if scope != right]
        assert (await till.post(path, body, scopes=without)).status_code == 403
        assert (await till.post(path, body)).status_code == 404

    async def test_a_citizens_system_may_pay_online_without_the_rights_of_an_office(self, till: Till) -> None:
        fee = await till.owe()
        assert (await till.start(fee, scopes=["payments:write"])).status_code == 201

    @pytest.mark.parametrize("path", LISTS)
    async def test_reading_needs_a_scope_of_payment(self, till: Till, path: str) -> None:
        for scope, status in {"dossiers:read": 403, "fees:read": 200, "payments:write": 200}.items():
            headers = till.headers(scopes=[scope])
            answer = await till.client.get(path, params={"dossier_code": "H32.14-1"}, headers=headers)
            assert answer.status_code == status

    async def test_a_change_needs_its_key(self, till: Till) -> None:
        headers = till.headers()
        del headers["Idempotency-Key"]
        answer = await till.client.post("/payments", json={}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


class TestPages:
    """Cursors."""

    async def test_lead_through_a_list_without_a_gap(self, till: Till) -> None:
        fees = [await till.owe() for _ in range(5)]
        for fee in fees:
            await till.pay_in_cash(fee)
        numbers, cursor = [], None
        while True:
            query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = await till.get("/receipts", **query)
            assert len(page["items"]) <= 2
            numbers += [receipt["number"] for receipt in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert numbers == [1, 2, 3, 4, 5]

    async def test_end_exactly(self, till: Till) -> None:
        fees = await till.accept(item(10_000))
        page = await till.get("/fees", dossier_code=fees[0].dossier_code, limit=1)
        assert (len(page["items"]), page["next_cursor"]) == (1, None)

    @pytest.mark.parametrize("query", ["cursor=%25", "cursor=abc", "limit=0", "limit=201", "limit=x"])
    async def test_cannot_be_asked_for_otherwise(self, till: Till, query: str) -> None:
        answer = await till.client.get(f"/refunds?{query}", headers=till.headers())
        assert answer.status_code == 422
