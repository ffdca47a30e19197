"""What intake does; every write is here."""

from services.intake.operations.agencies import close_agency, write_agency
from services.intake.operations.calendars import keep_calendar
from services.intake.operations.catalogue import expire_procedure, import_catalogue
from services.intake.operations.documents import keep_document
from services.intake.operations.dossiers import (
    Submitted,
    accept_dossier,
    reject_dossier,
    retract_dossier,
    submit_dossier,
    submit_once,
)
from services.intake.operations.drafts import delete_draft, delete_expired, save_draft, start_draft, submit_draft
from services.intake.operations.forms import import_forms
from services.intake.operations.forms import validate as validate_form
from services.intake.operations.imports import compare_with_nothing, import_procedures, sift
from services.intake.operations.notices import NOT_WHOLLY_ONLINE, Notice
from services.intake.operations.papers import Paper, Reuse
from services.intake.operations.portal_files import announce_file, condemn_files, forget_files, keep_portal_file
from services.intake.operations.reuse import record_reuse
from services.intake.operations.rules import change_rule, set_rule
from services.intake.operations.runs import begin_import, note_import
from services.intake.operations.submission import Submission, check_submission
from services.intake.operations.supplements import (
    close_unanswered,
    provide_supplement,
    record_request,
    request_supplement,
)
from services.intake.operations.units import import_agencies, sift_agencies
from services.intake.operations.uploads import Finished, add_piece, begin_upload, finish_upload
from services.intake.operations.withdrawals import (
    end_by_withdrawal,
    record_case_end,
    record_due_date,
    record_refusal,
    record_return,
    withdraw_dossier,
)

__all__ = [
    "NOT_WHOLLY_ONLINE",
    "Finished",
    "Notice",
    "Paper",
    "Reuse",
    "Submission",
    "Submitted",
    "accept_dossier",
    "add_piece",
    "announce_file",
    "begin_import",
    "begin_upload",
    "change_rule",
    "check_submission",
    "close_agency",
    "close_unanswered",
    "compare_with_nothing",
    "condemn_files",
    "delete_draft",
    "delete_expired",
    "end_by_withdrawal",
    "expire_procedure",
    "finish_upload",
    "forget_files",
    "import_agencies",
    "import_catalogue",
    "import_forms",
    "import_procedures",
    "keep_calendar",
    "keep_document",
    "keep_portal_file",
    "note_import",
    "provide_supplement",
    "record_case_end",
    "record_due_date",
    "record_refusal",
    "record_request",
    "record_return",
    "record_reuse",
    "reject_dossier",
    "request_supplement",
    "retract_dossier",
    "save_draft",
    "set_rule",
    "sift",
    "sift_agencies",
    "start_draft",
    "submit_dossier",
    "submit_draft",
    "submit_once",
    "validate_form",
    "withdraw_dossier",
    "write_agency",
]
