"""What a form says is kept at the moment it is issued; it is printed from that whenever somebody asks."""

from typing import Any

from services.workflow.models import Case, Slip
from shared.work import Work


def issue_slip(work: Work, case: Case, form: str, *, issued_by: str, **values: Any) -> Slip:  # noqa: ANN401
    """Keep what a form says about a case; its number counts the forms of the case.

    values hold what JSON can, with moments as datetime.
    """
    case.slips += 1
    slip = Slip(
        dossier_code=case.dossier_code,
        form=form,
        nth=case.slips,
        issued_at=work.now,
        issued_by=issued_by,
        content={name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()},
    )
    work.session.add(slip)
    return slip
