"""A payer pays on the portal itself: it asks the province what a dossier has to pay, and opens a payment for that."""

import orjson

from deploy.portal.outbound import Reply
from deploy.portal.parts import Portal
from deploy.portal.payment.paying import PayOrder, pay
from deploy.portal.payment.records import open_payment

QUESTION = "dptracuuthanhtoanhs"
MUST_PAY = 1


async def pay_debt(portal: Portal, dossier: str, order: PayOrder) -> dict[str, object]:
    """Ask what a dossier has to pay, and pay it; return the province's answer and what came of it, null if nothing."""
    reply = await portal.province.ask_debt(orjson.dumps({"MaHoSo": dossier}))
    answer = _read(reply)
    if answer.get("error_code") != MUST_PAY:
        return {"status_code": reply.status, "answer": answer, "paid": None}
    opened = {
        "LoaiBanTin": QUESTION,
        "MaThamChieu": answer["MaTraCuuTT"],
        "SoTien": answer["SoTien"],
        "MaDoiTac": portal.settings.platform_partner,
        "ThongTinGiaoDich": answer.get("NoiDungThanhToan", ""),
    }
    await portal.ledger.run(lambda db: open_payment(db, opened, dossier))
    paid = await pay(portal, str(answer["MaTraCuuTT"]), order)
    return {"status_code": reply.status, "answer": answer, "paid": paid}


def _read(reply: Reply) -> dict[str, object]:
    try:
        found = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
