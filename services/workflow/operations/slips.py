"""What a form says is kept at the moment it is issued; it is printed from that whenever somebody asks."""

from typing import Any

from sqlalchemy import func, select

from services.workflow.models import Case, Slip
from shared.work import Work


async def issue_slip(work: Work, case: Case, form: str, *, issued_by: str, **values: Any) -> Slip:  # noqa: ANN401
    """Keep what a form says about a case; its number counts the forms of its kind in the case.

    values hold what JSON can, with moments as datetime.
    """
    of_form = select(func.max(Slip.nth)).where(Slip.dossier_code == case.dossier_code, Slip.form == form)
    nth = (await work.session.scalar(of_form) or 0) + 1
    slip = Slip(
        dossier_code=case.dossier_code,
        form=form,
        nth=nth,
        issued_at=work.now,
        issued_by=issued_by,
        content={name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()},
    )
    work.session.add(slip)
    await work.session.flush()
    return slip
