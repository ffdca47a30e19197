"""How the transaction log stands as evidence, for those who run it."""

from fastapi import Request

from gateway import queries
from gateway.operations.evidence import Anchoring, Evidence
from gateway.schemas import AnchorState, EvidenceState
from shared import clock
from shared.http import SessionDep, needs
from shared.http import router as make_router

router = make_router("ops", prefix="/api/v1/ops")


@router.get("/evidence", dependencies=[needs("ops:read")])
async def evidence_state(request: Request, session: SessionDep) -> EvidenceState:
    """Show whether the log can be written, what waits for it, and how far an authority has time-stamped it."""
    evidence: Evidence = request.app.state.evidence
    found = await queries.log_state(session)
    return EvidenceState(
        writable=evidence.writable,
        unwritable_since=evidence.unwritable_since,
        reason=evidence.reason or None,
        backlog_records=evidence.backlog,
        backlog_max=evidence.pending_max,
        records=found.number,
        last_stored_at=found.stored_at if found.number else None,
        sealed_months=found.seals,
        anchor=_anchor(request.app.state.anchoring, found),
    )


def _anchor(anchoring: Anchoring, found: queries.LogState) -> AnchorState:
    state = "off" if anchoring.authority is None else "anchored" if found.anchored else "waiting"
    return AnchorState(
        state=state,
        number=found.anchored,
        stamped_at=found.anchored_at,
        age_s=(clock.now() - found.anchored_at).total_seconds() if found.anchored_at else None,
        records_since=found.number - (found.anchored or 0),
        last_error=anchoring.last_error or None,
    )
