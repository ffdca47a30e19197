"""Comparing with the portal: a difference is found when there is one, never when there is none, and settled."""

import asyncio
from datetime import timedelta

import pytest

from gateway.operations.reconciling import period_of
from shared import clock
from tests.gateway.auditor import Auditor
from tests.gateway.cashier import Cashier
from tests.gateway.hall import Hall
from tests.gateway.lives import CITIZEN, ENDINGS, Life, rejected, returned, supplemented_twice
from tests.gateway.test_corrections import extend, revoke
from tests.gateway.test_corrections import running as running_case
from tests.gateway.test_payer import code_of, every_ending, fired, take
from tests.support.assertions import eventually


@pytest.fixture
def auditor(hall: Hall, cashier: Cashier) -> Auditor:
    """Lend who reconciles."""
    return Auditor(hall, cashier)


async def pay(hall: Hall, cashier: Cashier, *lives: Life) -> None:
    """Let lives happen and the portal be told all of them."""
    await take(hall, *lives)
    async with cashier.paying():
        await cashier.all_paid()


class TestNoDifference:
    """The portal says what it was told."""

    async def test_is_found_after_every_ending_and_everything_is_counted(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        lives = every_ending()
        await pay(hall, cashier, *lives)
        run = await auditor.reconcile()
        assert (run["two_way"], run["listed"], run["compared"], run["in_step"]) == (True, *[len(lives)] * 3)
        assert (run["differences"], run["on_their_way"], run["unanswered"]) == (0, 0, 0)
        counts = await hall.rows(
            "SELECT status, sum(ours) AS ours, sum(theirs) AS theirs FROM portal_run_count GROUP BY 1"
        )
        last = [life.statuses[-1] for life in lives]
        assert {row["status"]: (row["ours"], row["theirs"]) for row in counts} == {
            status: (last.count(status), last.count(status)) for status in last
        }

    async def test_is_claimed_of_what_is_still_owed(self, hall: Hall, cashier: Cashier, auditor: Auditor) -> None:
        """A refused, a late and a waiting dossier are on their way; none of them is a difference."""
        lives = [returned(Life(code=code_of(number))) for number in range(4)]
        await pay(hall, cashier, *lives[:2])
        await hall.take([revoke(lives[0])])
        await take(hall, *lives[2:])
        run = await auditor.reconcile()
        assert (run["compared"], run["on_their_way"], run["differences"]) == (1, 1, 0)
        async with cashier.paying():
            await cashier.all_paid()
        again = await auditor.reconcile()
        assert (again["compared"], again["in_step"], again["on_their_way"]) == (3, 3, 0)

    async def test_is_found_while_pushes_and_corrections_go_on(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        lives = [supplemented_twice(Life(code=code_of(number))) for number in range(12)]
        async with cashier.paying():
            for place in range(max(len(life.events) for life in lives)):
                await hall.take([life.events[place] for life in lives if place < len(life.events)])
                run = await auditor.reconcile()
                assert run["differences"] == 0, await auditor.differences()
            await cashier.all_paid()
        assert (await auditor.reconcile())["differences"] == 0
        assert await auditor.differences() == []

    async def test_leads_to_another_look_within_a_week_or_a_month(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        still_open, done = running_case(Life()), rejected(Life(code=code_of(2)))
        await pay(hall, cashier, still_open, done)
        await auditor.reconcile()
        assert (await auditor.reconcile())["compared"] == 0
        rows = await hall.rows("SELECT code, compare_at - compared_at AS pause FROM portal_dossier")
        pauses = {row["code"]: row["pause"] for row in rows}
        assert timedelta(days=2) < pauses[still_open.code] < timedelta(days=7)
        assert timedelta(days=7) < pauses[done.code] < timedelta(days=30)
        with clock.running(clock.SimulatedTime(clock.now() + timedelta(days=6))):
            assert (await auditor.reconcile())["compared"] == 1
        with clock.running(clock.SimulatedTime(clock.now() + timedelta(days=29))):
            assert (await auditor.reconcile())["compared"] == 2


class TestDifference:
    """The portal says otherwise."""

    @pytest.mark.parametrize("ending", ENDINGS)
    async def test_of_a_dossier_it_lost_is_found_and_the_dossier_told_anew(
        self, hall: Hall, cashier: Cashier, auditor: Auditor, ending: str
    ) -> None:
        """From its first status, in order, each explained once, and the last HoSo the very one told before."""
        lost, kept = ENDINGS[ending](Life()), rejected(Life(code=code_of(2)))
        await pay(hall, cashier, lost, kept)
        before = await cashier.dossier(lost.code)
        await auditor.lose(lost.code)
        run = await auditor.reconcile()
        assert (run["compared"], run["in_step"], run["differences"], run["redriven"]) == (2, 1, 1, 1)
        async with cashier.paying():
            await cashier.all_paid()
        await cashier.assert_in_step(lost, kept)
        after = await cashier.dossier(lost.code)
        assert after["hoso"] == before["hoso"]
        assert [told["event_time"] for told in after["statuses"]] == [told["event_time"] for told in before["statuses"]]
        assert (await auditor.reconcile())["settled"] == 1
        (difference,) = await auditor.differences()
        assert (difference["kind"], difference["state"], difference["redriven_from"]) == ("missing_there", "settled", 1)

    async def test_of_lost_statuses_is_settled_by_telling_only_those(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        life = supplemented_twice(Life())
        await pay(hall, cashier, life)
        await auditor.lose(life.code, keep=5)
        run = await auditor.reconcile()
        (difference,) = await auditor.differences()
        assert (run["redriven"], difference["kind"], difference["redriven_from"]) == (1, "status_differs", 6)
        assert (difference["ours"]["status"], difference["theirs"]["status"]) == (10, life.statuses[4])
        async with cashier.paying():
            await cashier.all_paid()
        await cashier.assert_in_step(life)
        assert (await auditor.reconcile())["settled"] == 1

    async def test_of_words_is_named_by_field_and_settled_by_an_update(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        life = running_case(Life())
        await pay(hall, cashier, life)
        hoso = (await cashier.dossier(life.code))["hoso"]
        await auditor.tell_past_us(hoso | {"ChuHoSo": "Ai Đó Khác", "NgayHenTra": "20300101000000"})
        assert (await auditor.reconcile())["redriven"] == 1
        (difference,) = await auditor.differences()
        assert difference["kind"] == "content_differs"
        assert difference["theirs"]["fields"] == ["ChuHoSo", "NgayHenTra"]
        assert CITIZEN.name not in str(difference)
        assert "Ai Đó Khác" not in str(difference)
        async with cashier.paying():
            await cashier.all_paid()
        assert (await cashier.dossier(life.code))["hoso"] == hoso
        await cashier.assert_in_step(life)
        assert (await auditor.reconcile())["settled"] == 1

    async def test_of_a_dossier_we_do_not_know_is_left_to_people(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        life = rejected(Life())
        await pay(hall, cashier, life)
        hoso = (await cashier.dossier(life.code))["hoso"]
        await auditor.tell_past_us(
            hoso | {"MaHoSo": "H32.14-260407-0777", "TrangThaiHoSo": "1", "NgayTuChoi": ""}, updating=False
        )
        run = await auditor.reconcile()
        assert (run["listed"], run["differences"], run["redriven"]) == (2, 1, 0)
        (difference,) = await auditor.differences()
        found = (difference["kind"], difference["dossier_code"], difference["state"])
        assert found == ("missing_here", "H32.14-260407-0777", "open")
        assert difference["agency_code"] == "H32.14"

    async def test_of_a_push_that_came_from_elsewhere_is_found_by_its_order(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        """Same status, same words, but on another way: somebody told what we did not."""
        life = running_case(Life())
        await pay(hall, cashier, life)
        hoso = (await cashier.dossier(life.code))["hoso"]
        await auditor.tell_past_us(hoso | {"TrangThaiHoSo": "8"})
        await auditor.tell_past_us(hoso)
        with clock.running(clock.SimulatedTime(clock.now() + timedelta(minutes=1))):
            run = await auditor.reconcile()
        (difference,) = await auditor.differences()
        assert (run["redriven"], difference["kind"], difference["state"]) == (0, "order_differs", "open")
        assert difference["theirs"]["statuses"] == [1, 2, 4, 8, 4]

    async def test_of_a_stuck_dossier_that_the_portal_lost_is_found_although_it_is_owed(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        """Its next status is an update of what is not there any more, and would be refused for ever."""
        life = running_case(Life())
        await pay(hall, cashier, life)
        await auditor.lose(life.code)
        await hall.take([life.stop()])
        async with cashier.paying():
            await eventually(lambda: _has_failed(cashier))
            run = await auditor.reconcile()
            assert run["redriven"] == 1
            await cashier.all_paid()
        await cashier.assert_told(life)
        assert [one["kind"] for one in await auditor.differences()] == ["missing_there"]

    async def test_that_comes_back_is_re_driven_three_times_and_then_left(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        life = rejected(Life())
        await pay(hall, cashier, life)
        redriven = []
        for _ in range(5):
            await auditor.lose(life.code)
            redriven.append((await auditor.reconcile())["redriven"])
            await hall.rows("UPDATE portal_dossier SET compare_at = now()")
            async with cashier.paying():
                await cashier.all_paid()
            if sum(redriven) >= 3:
                break
        await auditor.lose(life.code)
        assert (redriven, (await auditor.reconcile())["redriven"]) == ([1, 1, 1], 0)


async def _has_failed(cashier: Cashier) -> bool:
    return any(debt["attempts"] >= 3 for debt in await cashier.owed())


class TestTrouble:
    """The portal answers badly, or not at all."""

    async def test_of_one_way_portals_is_said_in_the_report(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        life = rejected(Life())
        await pay(hall, cashier, life)
        async with auditor.running() as run:
            run.portal.list_service = "KhongCoDichVu"  # type: ignore[attr-defined]
            number = await auditor.ask()
            await run.carry_out(number)
        kept = await auditor.kept(number)
        assert (kept["two_way"], kept["compared"], kept["in_step"]) == (False, 1, 1)

    @pytest.mark.parametrize("kind", ["error_500", "garbage_200", "error_code", "down"])
    async def test_breaks_a_run_off_which_goes_on_where_it_stood(
        self, hall: Hall, cashier: Cashier, auditor: Auditor, kind: str
    ) -> None:
        """No answer is no "not found": nothing is taken for missing."""
        await pay(hall, cashier, *every_ending())
        number = await auditor.ask()
        await cashier.fault("TraCuuHoSo", kind)
        async with auditor.reconciler() as reconciler:
            await reconciler.look()
            assert (await auditor.kept(number))["finished_at"] is None
            assert await auditor.differences() == []
        await cashier.end_faults()
        async with auditor.reconciler() as reconciler:
            await reconciler.look()
        kept = await auditor.kept(number)
        assert (kept["compared"], kept["in_step"], kept["finished_at"] is not None) == (
            len(ENDINGS),
            len(ENDINGS),
            True,
        )

    async def test_of_a_push_on_its_way_while_it_is_looked_up_is_no_difference(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        life = running_case(Life())
        await pay(hall, cashier, life)
        await hall.rows("UPDATE portal_dossier SET compare_at = now()")
        await cashier.fault("TraCuuHoSo", "delay", delay_s=2, count=1)
        async with cashier.paying():
            number = await auditor.ask()
            async with auditor.running() as run:
                task = asyncio.create_task(run.carry_out(number))
                await eventually(lambda: fired(cashier))
                await hall.take([extend(life, days=2)])
                await cashier.all_paid()
                await task
        assert (await auditor.kept(number))["differences"] == 0
        assert await auditor.differences() == []


class TestDaily:
    """Once a day, at its hour in Vietnam."""

    async def test_is_run_once_for_each_day_and_caught_up_with_once(self, hall: Hall, auditor: Auditor) -> None:
        midnight = clock.now().astimezone(clock.VN).replace(hour=0, minute=0, second=0, microsecond=0)
        for hours in (1, 3, 4, 27, 100):
            with clock.running(clock.SimulatedTime(midnight + timedelta(hours=hours))):
                async with auditor.reconciler(hour=2) as reconciler:
                    await reconciler.look()
        days = [row["day"] for row in await hall.rows("SELECT day FROM portal_run ORDER BY day")]
        assert days == [(midnight + timedelta(days=number)).date() for number in (-1, 0, 1, 4)]

    async def test_looks_again_at_what_was_told_anew_without_waiting_a_day(
        self, hall: Hall, cashier: Cashier, auditor: Auditor
    ) -> None:
        life = rejected(Life())
        await pay(hall, cashier, life)
        await auditor.lose(life.code)
        async with auditor.reconciler() as reconciler:
            await reconciler.look()
            assert [one["state"] for one in await auditor.differences()] == ["redriven"]
            async with cashier.paying():
                await cashier.all_paid()
            await reconciler.look()
        assert [one["state"] for one in await auditor.differences()] == ["settled"]

    def test_tells_index_1_4_of_the_month_that_ended_on_its_first_day(self) -> None:
        first = clock.now().astimezone(clock.VN).replace(month=3, day=1, hour=2)
        assert period_of(first).astimezone(clock.VN).month == 2
        assert period_of(first + timedelta(days=1)).astimezone(clock.VN).month == 3
