"""What real senders got wrong (DOMAIN §1.9): every defect by name, and that it is not ours."""

import pytest

from gateway.operations.reconciling import PortalAway
from gateway.portal.payer import PayerPlan
from tests.gateway.auditor import Auditor
from tests.gateway.cashier import Cashier
from tests.gateway.hall import Hall
from tests.gateway.lives import CITIZEN, ENDINGS, Life, document, paid_late, rejected, supplemented_twice
from tests.gateway.test_messages import told
from tests.gateway.test_payer import PROGRESS, PUSH, _only_owed, code_of, fired, take
from tests.support.assertions import eventually


class TestDefectsOfRealSenders:
    """In the order of the table they were found in."""

    async def test_waiting_for_the_citizen_is_never_told_as_finished(self, hall: Hall) -> None:
        """Statuses 5, 6 and 8 were rewritten to 9 before sending."""
        for number, ending in enumerate(("supplemented_twice", "paid_late", "stopped")):
            life = ENDINGS[ending](Life(code=f"H32.14-260407-000{number}"))
            messages = await told(hall, life)
            assert [int(hoso["TrangThaiHoSo"]) for hoso, _ in messages] == life.statuses
            assert [int(progress["TrangThai"]) for _, progress in messages] == life.statuses
            assert {5, 6, 8} & set(life.statuses)

    async def test_a_change_made_during_a_push_is_not_lost(self, hall: Hall, cashier: Cashier) -> None:
        """The end of a push wrote "synchronised" whatever had happened meanwhile."""
        life = supplemented_twice(Life())
        await hall.take(life.events[:1])
        await cashier.fault(PUSH, "delay", delay_s=0.25, count=1)
        async with cashier.paying():
            await eventually(lambda: fired(cashier))
            await hall.take(life.events[1:])
            await cashier.all_paid()
        await cashier.assert_in_step(life)

    async def test_progress_that_failed_is_sent_again_and_its_dossier_is_not(
        self, hall: Hall, cashier: Cashier
    ) -> None:
        """The flag was set after the dossier push even if the progress push failed."""
        life = rejected(Life())
        await take(hall, life)
        await cashier.fault(PROGRESS, "error_500", count=2)
        async with cashier.paying():
            await cashier.all_paid()
        await cashier.assert_in_step(life)
        pushes = [row for row in await cashier.received() if row["service"] == PUSH and row["dossier"]]
        assert [row["outcome"] for row in pushes] == ["taken", "taken"]

    async def test_only_what_was_in_a_call_is_marked_by_its_answer(self, hall: Hall, cashier: Cashier) -> None:
        """Each chunk of ten marked one row as sent that was not in it."""
        lives = [rejected(Life(code=code_of(number))) for number in range(25)]
        await take(hall, *lives)
        await cashier.fault(PROGRESS, "refuse", dossier=code_of(10))
        async with cashier.paying(plan=PayerPlan(batch_max=10, concurrency=2, retry_first_s=0.05, retry_last_s=0.2)):
            await eventually(lambda: _only_owed(cashier, code_of(10)))
            told = await cashier.told()
            assert told[code_of(10)] == [1]
            assert all(told[life.code] == [1, 3] for life in lives if life.code != code_of(10))
            await cashier.end_faults()
            await cashier.all_paid()
        await cashier.assert_in_step(*lives)

    async def test_an_unknown_number_is_left_out_and_never_made_up(self, hall: Hall) -> None:
        life = Life()
        life.submit(CITIZEN.model_copy(update={"id_kind": None, "id_number": None}))
        ((hoso, _),) = await told(hall, life)
        assert not {"SoGiayToChuHoSo", "DinhDanhCHS"} & set(hoso)
        assert "000000001" not in str(hoso)

    async def test_flags_are_facts_and_no_constants(self, hall: Hall) -> None:
        """VNeID, place of submission, digitised and re-used papers were hard-coded."""
        online = paid_late(Life())
        (first, _), *_ = await told(hall, online)
        assert (first["TaiKhoanDuocXacThucVoiVNeID"], first["NoiNopHoSo"], first["KenhThucHien"]) == ("1", "1", "2")
        plain = Life(code="H32.14-260407-0002")
        plain.submit(documents=(document(), document(reused_result="3/GP"), document(digitised=True)))
        ((hoso, _),) = await told(hall, plain)
        assert (hoso["TaiKhoanDuocXacThucVoiVNeID"], hoso["NoiNopHoSo"], hoso["KenhThucHien"]) == ("0", "2", "1")
        assert [paper["DuocSoHoa"] for paper in hoso["TaiLieuNop"]] == ["0", "0", "1"]
        assert [paper["DuocTaiSuDung"] for paper in hoso["TaiLieuNop"]] == ["0", "2", "0"]
        assert [fee["MaPhiLePhi"] for fee in hoso["DanhSachLePhi"]] == ["LP01", "P02"]
        assert "DSKetNoiCSDL" not in hoso

    @pytest.mark.parametrize(
        ("method", "flag"), [("cash", "0"), ("national_platform", "1"), ("vnpay", "2"), ("vietqr", "2")]
    )
    async def test_only_what_was_paid_online_is_told_as_paid_online(self, hall: Hall, method: str, flag: str) -> None:
        life = Life()
        life.submit()
        accepted = life.accept()
        life.assess(accepted)
        life.pay(method)
        life.start(accepted)
        *_, (hoso, _) = await told(hall, life)
        assert hoso["DuocThanhToanTrucTuyen"] == flag

    async def test_a_code_of_another_shape_is_kept_as_it_is(self, hall: Hall, cashier: Cashier) -> None:
        """A code with a foreign prefix was replaced by random digits; more than 9,999 a day had no room."""
        lives = [rejected(Life(code=code)) for code in ("000.00.14.H32-260407-0001", "H32.14-260407-10000")]
        await take(hall, *lives)
        async with cashier.paying():
            await cashier.all_paid()
        await cashier.assert_in_step(*lives)

    async def test_success_is_no_word_in_a_message_and_a_failure_leaves_its_trace(
        self, hall: Hall, cashier: Cashier
    ) -> None:
        """The unit of work was a flag: no attempts, no pause, no reason; "thành công" anywhere counted as success.

        The call as a whole says "thành công" here, the row in it does not.
        """
        life = rejected(Life())
        await take(hall, life)
        await cashier.fault(PUSH, "refuse")
        async with cashier.paying():
            await eventually(lambda: _has_failed(cashier))
            (first, second) = await cashier.owed()
            assert await cashier.told() == {}
            assert (first["attempts"] > 1, "Cổng từ chối" in first["last_error"]) == (True, True)
            assert second["attempts"] == 0
            queued = await hall.rows("SELECT next_attempt_at > owed_since AS later, attempts FROM portal_queue")
            assert queued[0]["later"]
            await cashier.end_faults()
            await cashier.all_paid()
        await cashier.assert_in_step(life)

    async def test_a_timed_out_creation_is_neither_assumed_done_nor_undone(self, hall: Hall, cashier: Cashier) -> None:
        """A time-out was "not found" and led to a second creation, or to an update of nothing."""
        done, undone = rejected(Life()), rejected(Life(code=code_of(2)))
        await cashier.fault(PUSH, "timeout_after_effect", delay_s=1, count=1, dossier=done.code)
        await cashier.fault(PUSH, "delay", delay_s=1, count=1, dossier=undone.code)
        plan = PayerPlan(batch_max=1, concurrency=2, retry_first_s=0.05, retry_last_s=0.2)
        await take(hall, done, undone)
        async with cashier.paying(plan=plan):
            await cashier.all_paid()
        await cashier.assert_in_step(done, undone)
        told = [
            (row["dossier"], row["isUpdating"], row["outcome"]) for row in await cashier.received() if row["dossier"]
        ]
        about_done = [(updating, outcome) for code, updating, outcome in told if code == done.code and updating]
        assert about_done[:3] == [("False", "taken"), ("False", "exists"), ("True", "duplicate")]
        about_undone = [(updating, outcome) for code, updating, outcome in told if code == undone.code and updating]
        assert about_undone[0] == ("False", "taken")

    async def test_a_look_up_that_times_out_is_no_not_found(self, hall: Hall, cashier: Cashier) -> None:
        """TraCuuHoSo without an answer was taken for "unknown", and the dossier created a second time."""
        life, auditor = rejected(Life()), Auditor(hall, cashier)
        await take(hall, life)
        async with cashier.paying():
            await cashier.all_paid()
            await cashier.fault("TraCuuHoSo", "down")
            number = await auditor.ask()
            async with auditor.running() as run:
                with pytest.raises(PortalAway):
                    await run.carry_out(number)
            assert await auditor.differences() == []
            assert await cashier.owed() == []
        creations = [row for row in await cashier.received() if row["isUpdating"] == "False" and row["dossier"]]
        assert len(creations) == 1

    async def test_every_status_is_told_and_not_only_the_latest(self, hall: Hall) -> None:
        life = supplemented_twice(Life())
        messages = await told(hall, life)
        assert len(messages) == len(life.statuses) == 9
        assert [progress["ThoiDiemXuLy"] for _, progress in messages] == sorted(
            progress["ThoiDiemXuLy"] for _, progress in messages
        )

    async def test_an_expired_session_is_renewed_once_for_all(self, hall: Hall, cashier: Cashier) -> None:
        """The first row of a table of sessions was used, expired or not."""
        lives = [rejected(Life(code=code_of(number))) for number in range(5)]
        await take(hall, *lives)
        await cashier.fault(PUSH, "expired_session", count=1)
        async with cashier.paying():
            await cashier.all_paid()
        await cashier.assert_in_step(*lives)
        logins = [row for row in await cashier.received() if row["service"] == "login"]
        assert len(logins) == 2

    async def test_no_catalogue_is_asked_for_on_the_way(self, hall: Hall, cashier: Cashier) -> None:
        """One LayThuTuc call went before every push."""
        await take(hall, paid_late(Life()))
        async with cashier.paying():
            await cashier.all_paid()
        assert {row["service"] for row in await cashier.received()} == {"login", PUSH, PROGRESS}


async def _has_failed(cashier: Cashier) -> bool:
    return any(debt["attempts"] > 1 for debt in await cashier.owed())
