"""The clock may be put in another's place: shifted, faster, and never going back."""

from datetime import UTC, datetime, timedelta

import pytest

from shared import clock

START = datetime(2026, 4, 7, tzinfo=UTC)


class TestRunning:
    def test_takes_the_time_from_another_source_and_gives_it_back(self) -> None:
        before = clock.now()
        with clock.running(clock.SimulatedTime(START)):
            assert clock.now() - START < timedelta(seconds=5)
        assert clock.now() >= before

    def test_gives_it_back_when_the_block_fails(self) -> None:
        with pytest.raises(LookupError), clock.running(clock.SimulatedTime(START)):
            raise LookupError
        assert clock.now() - START > timedelta(days=1)


class TestSimulatedTime:
    def test_passes_as_fast_as_it_is_told(self) -> None:
        fast, slow = clock.SimulatedTime(START, speed=1e6), clock.SimulatedTime(START, speed=1)
        while slow.now() == START:
            pass
        assert fast.now() - START > timedelta(microseconds=1)
        assert fast.wait_s(1e6) == 1
        assert clock.wait_s(3) == 3

    def test_jumps_by_what_it_is_told_on_both_clocks(self) -> None:
        time = clock.SimulatedTime(START, speed=0.001)
        seconds = time.monotonic()
        time.pass_by(timedelta(hours=72))
        assert timedelta(hours=72) <= time.now() - START < timedelta(hours=72, seconds=1)
        assert 72 * 3600 <= time.monotonic() - seconds < 72 * 3600 + 1

    def test_never_goes_back_when_its_speed_changes(self) -> None:
        time = clock.SimulatedTime(START)
        seen = [time.now()]
        for speed in (1000, 1, 0.5, 10_000, 2):
            time.run_at(speed)
            seen.append(time.now())
        assert seen == sorted(seen)
        assert time.speed == 2
