"""What intake does; every write is here."""

from services.intake.operations.catalogue import import_catalogue
from services.intake.operations.documents import keep_document
from services.intake.operations.dossiers import accept_dossier, reject_dossier, submit_dossier, submit_once
from services.intake.operations.submission import Paper, Submission
from services.intake.operations.supplements import provide_supplement, record_request, request_supplement
from services.intake.operations.withdrawals import (
    end_by_withdrawal,
    record_case_end,
    record_refusal,
    withdraw_dossier,
)

__all__ = [
    "Paper",
    "Submission",
    "accept_dossier",
    "end_by_withdrawal",
    "import_catalogue",
    "keep_document",
    "provide_supplement",
    "record_case_end",
    "record_refusal",
    "record_request",
    "reject_dossier",
    "request_supplement",
    "submit_dossier",
    "submit_once",
    "withdraw_dossier",
]
