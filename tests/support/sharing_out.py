"""How the tests are shared out among workers: a file goes to one worker, and so does a room whose fixtures are dear."""

from xdist.scheduler import LoadFileScheduling

DEAR = ("tests/browser", "tests/faults", "tests/integrators", "tests/payment", "tests/rights")
"""Rooms that start a stack, a house or several mocks for all of their files: once is enough."""


class RoomScheduling(LoadFileScheduling):
    """Files as they come, dear rooms as a whole."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return next((room for room in DEAR if file.startswith(f"{room}/")), file)
