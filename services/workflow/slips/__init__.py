"""Slips that workflow gives out: forms 02 (while a case runs), 04, 05 and the control sheet 06, as PDF."""

from services.workflow.slips.pages import Heading, control_sheet, printed
from services.workflow.slips.timing import verdict

__all__ = ["Heading", "control_sheet", "printed", "verdict"]
