"""Slips that intake gives out: forms 01, 02, 03 and the register (07), as PDF in Vietnamese."""

from services.intake.slips.forms import FormCode
from services.intake.slips.pages import Office, receipt, refusal, register, supplement
from services.intake.slips.words import office_of

__all__ = ["FormCode", "Office", "office_of", "receipt", "refusal", "register", "supplement"]
