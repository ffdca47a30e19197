"""How far the national portal is in step."""

from datetime import datetime

from pydantic import computed_field

from gateway.schemas.reconciliation import ReconciliationState
from gateway.schemas.root import Answer


class PortalDebtOut(Answer):
    """One status on its way to the portal."""

    dossier_code: str
    version: int
    status: int
    happened_at: datetime
    owed_since: datetime
    dossier_acknowledged_at: datetime | None
    acknowledged_at: datetime | None
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None


class PortalState(Answer):
    """How far the portal is in step."""

    open: int
    open_dossiers: int
    failing: int
    oldest_age_s: float
    lag_p50_s: float | None
    lag_p99_s: float | None
    dossiers: int
    dossiers_on_portal: int
    breaker: str
    stuck: list[PortalDebtOut]
    reconciliation: ReconciliationState

    @computed_field
    @property
    def dossiers_in_step(self) -> int:
        """Dossiers of which the portal knows every status reached."""
        return self.dossiers - self.open_dossiers
