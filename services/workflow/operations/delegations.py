"""The verbs of delegation: stand in for an official for some time, end it early."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.workflow.errors import DelegateUnknown, DelegationInvalid, DelegationOver
from services.workflow.models import Delegation, Unit
from services.workflow.operations import rights
from services.workflow.queries import accounts
from shared.errors import FieldError
from shared.ids import new_id
from shared.work import Work


async def delegate(
    work: Work,
    *,
    agency_code: str,
    delegator: str,
    official: str | None,
    unit: str | None,
    units: Sequence[str] | None,
    procedures: Sequence[str] | None,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    made_by: str,
) -> Delegation:
    """Let an official, or the officials of a unit, do another's tasks from one moment to another.

    units and procedures limit which tasks; None: all. Whoever acts is recorded with the one they act for.

    Raises DelegationInvalid, DelegateUnknown, OfficialNotEntitled where the roster is enforced.
    """
    if not work.caller.may_see(agency_code):
        raise DelegationInvalid(errors=[FieldError("agency_code", "Not your agency.", "Không thuộc cơ quan này.")])
    _refuse_invalid(work, delegator, official, unit, starts_at, ends_at)
    if agency_code in await accounts.enforced_agencies(work.session):
        await _refuse_unknown(work, delegator, official)
    if unit is not None and await work.session.get(Unit, (agency_code, unit)) is None:
        raise DelegateUnknown(f"{agency_code} has no unit {unit}.", unit=unit)
    made = Delegation(
        id=new_id(),
        agency_code=agency_code,
        delegator=delegator,
        delegate=official,
        delegate_unit=unit,
        units=list(units) if units is not None else None,
        procedures=list(procedures) if procedures is not None else None,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        made_by=made_by,
        made_at=work.now,
    )
    work.session.add(made)
    return made


async def end_delegation(work: Work, *, delegation_id: UUID, ended_by: str, reason: str) -> Delegation:
    """End a delegation now; one that has not begun never holds. What was done under it stands.

    Raises DelegationNotFound, DelegationOver.
    """
    found = await accounts.lock_delegation(work.session, delegation_id, caller=work.caller)
    if found.ends_at <= work.now or found.ended_by is not None:
        raise DelegationOver(f"It ended at {found.ends_at.isoformat()}.", ended_at=found.ends_at)
    found.ends_at = work.now
    found.ended_by, found.end_reason = ended_by, reason
    return found


def _refuse_invalid(
    work: Work, delegator: str, official: str | None, unit: str | None, starts_at: datetime, ends_at: datetime
) -> None:
    errors = []
    if (official is None) == (unit is None):
        errors.append(FieldError("official", "Give an official or a unit.", "Chọn cán bộ hoặc đơn vị nhận ủy quyền."))
    if official == delegator:
        errors.append(FieldError("official", "Must be somebody else.", "Không thể tự ủy quyền cho chính mình."))
    if ends_at <= max(starts_at, work.now):
        message = "Must be later than starts_at and than now."
        errors.append(FieldError("ends_at", message, "Phải sau thời điểm bắt đầu và sau hiện tại."))
    if errors:
        raise DelegationInvalid(errors=errors)


async def _refuse_unknown(work: Work, delegator: str, official: str | None) -> None:
    for username in filter(None, (delegator, official)):
        await rights.require_active(work, username)
