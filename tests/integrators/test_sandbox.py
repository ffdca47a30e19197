"""The sandbox: under each identity a dossier takes its foreseeable course, as a partner sees it by the typed client."""

import importlib
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.integrators.sandbox.identities import AGENCY, IDENTITIES, Course
from shared.clock import now
from shared.identifiers import parse_citizen_id
from tests.support.stack import Stack

pytestmark = pytest.mark.timeout(300)
PROCEDURE = "1.004194"
"""One with a fee."""
PATIENCE_S = 90
OPEN = {Course.UNPAID, Course.UNTOUCHED}
"""What goes on only by the partner's own act."""


class Partner:
    """A partner's system, written with the generated client."""

    def __init__(self, environment: dict[str, str], package: Path) -> None:
        sys.path.insert(0, str(package))
        client: Any = importlib.import_module("motcua_client")
        self.models, self.refused = client.models, client.Refused
        self.door = client.Motcua(environment["GATEWAY"], environment["CLIENT_ID"], environment["CLIENT_SECRET"])
        self.statuses: dict[str, list[int]] = defaultdict(list)
        self.events: dict[str, list[str]] = defaultdict(list)
        self.mine: set[str] = set()
        self._cursor: str | None = None

    def submit(self, number: str) -> str:
        """Submit a dossier of a test identity."""
        models = self.models
        procedure = self.door.catalogue.read_procedure(PROCEDURE)
        body = models.DossierBody(
            procedure_code=PROCEDURE,
            agency_code=AGENCY,
            channel="online",
            return_method="online",
            applicant=models.PartyBody(
                kind="citizen", name="Người Thử Nghiệm", id_kind="cccd", id_number=number, email="sandbox@example.vn"
            ),
            documents=[models.PaperBody(component_code=c.code, paper=True) for c in procedure.components if c.required],
        )
        code: str = self.door.dossiers.submit_dossier(body).code
        self.mine.add(code)
        return code

    def read_on(self) -> None:
        """Follow the feed; answer what is asked for."""
        page = self.door.sync.changes(cursor=self._cursor, limit=500, wait_s=1)
        for change in page.items:
            self.events[change.dossier_code].append(change.event_type)
            if change.portal_status:
                self.statuses[change.dossier_code].append(change.portal_status)
            if change.dossier_code in self.mine and change.event_type.endswith("supplement_requested.v1"):
                self._answer(change.dossier_code)
        self._cursor = page.next_cursor

    def _answer(self, code: str) -> None:
        paper = self.models.PaperBody(component_code="other", name="Giấy tờ bổ sung", paper=True)
        body = self.models.SupplementBody(documents=[paper])
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.door.dossiers.provide_supplement(code, body)
            except self.refused as refusal:
                # Intake hears a little later than the feed that workflow has asked.
                if refusal.status != 409 or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return


@pytest.fixture(scope="module")
def lived(partner: dict[str, str], package: Path) -> dict[Course, tuple[Partner, str]]:
    """Lead a dossier of every identity as far as it goes by itself."""
    system = Partner(partner, package)
    codes = {one.course: system.submit(one.number) for one in IDENTITIES.values()}
    wanted = {codes[one.course]: list(one.statuses) for one in IDENTITIES.values()}
    revoked = codes[Course.REVOKED]
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        system.read_on()
        reached = all(system.statuses[code][: len(statuses)] == statuses for code, statuses in wanted.items())
        if reached and "results.result.revoked.v1" in system.events[revoked]:
            break
    return {course: (system, code) for course, code in codes.items()}


class TestCourse:
    @pytest.mark.parametrize("identity", IDENTITIES.values(), ids=lambda one: one.course.value)
    def test_is_as_the_identity_says(self, lived: dict[Course, tuple[Partner, str]], identity: Any) -> None:
        system, code = lived[identity.course]
        assert tuple(system.statuses[code][: len(identity.statuses)]) == identity.statuses
        if identity.course not in OPEN:
            assert len(system.statuses[code]) == len(identity.statuses)

    def test_of_a_revoked_result_ends_with_its_revocation(self, lived: dict[Course, tuple[Partner, str]]) -> None:
        system, code = lived[Course.REVOKED]
        assert system.events[code][-1] == "results.result.revoked.v1"

    def test_leaves_the_unpaid_fee_to_the_partner(self, lived: dict[Course, tuple[Partner, str]]) -> None:
        system, code = lived[Course.UNPAID]
        assert {fee.status for fee in system.door.fees.list_fees(dossier_code=code).items} == {"due"}


class TestRobot:
    def test_goes_on_after_it_was_killed(self, stack: Stack, partner: dict[str, str], package: Path) -> None:
        """What it did is not done again, what it had not seen is done."""
        system = Partner(partner, package)
        stack.control.kill("sandbox")
        code = system.submit("056000000001")
        stack.control.wait_ready("sandbox")
        deadline = time.monotonic() + PATIENCE_S
        while 10 not in system.statuses[code] and time.monotonic() < deadline:
            system.read_on()
        assert system.statuses[code] == [1, 2, 4, 9, 10]

    def test_lists_the_identities(self, stack: Stack) -> None:
        told = httpx.get(stack.facts["sandbox"]["url"], timeout=30).json()
        assert {one["id_number"] for one in told["identities"]} == set(IDENTITIES)


class TestIdentities:
    @pytest.mark.parametrize("number", IDENTITIES)
    def test_are_taken_and_of_nobody_alive(self, number: str) -> None:
        assert parse_citizen_id(number, today=now().date()).birth_year == 1900
