"""What intake refuses, each as a fact with a stable code."""

from shared.errors import DomainError, NotFound


class DossierNotFound(NotFound):
    """No dossier has this code."""

    code = "dossier_not_found"
    title_vi = "Không tìm thấy hồ sơ"


class ProcedureNotFound(NotFound):
    """No procedure has this code."""

    code = "procedure_not_found"
    title_vi = "Không tìm thấy thủ tục hành chính"


class DocumentNotFound(NotFound):
    """No document has this id."""

    code = "document_not_found"
    title_vi = "Không tìm thấy tài liệu"


class DocumentNotHeld(DomainError):
    """This document is known by its hash or as a paper only; its file is not kept here."""

    code = "document_not_held"
    status = 409
    title_vi = "Hệ thống chỉ giữ mã băm hoặc bản giấy của tài liệu này"


class DocumentNotUsable(DomainError):
    """An uploaded document that was named is not yours or belongs to a dossier already."""

    code = "document_not_usable"
    status = 409
    title_vi = "Tài liệu đã tải lên không dùng được cho hồ sơ này"


class DocumentTypeRefused(DomainError):
    """Only PDF, JPEG and PNG files are taken."""

    code = "document_type_refused"
    status = 415
    title_vi = "Chỉ nhận tệp PDF, JPEG hoặc PNG"


class HashMismatch(DomainError):
    """What arrived is not what was sent: its SHA-256 differs from the one announced."""

    code = "hash_mismatch"
    status = 422
    title_vi = "Tệp nhận được khác tệp đã gửi (sai mã băm)"


class ChangedMeanwhile(DomainError):
    """The dossier was changed since you read it."""

    code = "changed_meanwhile"
    status = 412
    title_vi = "Hồ sơ đã thay đổi sau lần đọc gần nhất"


class NothingAsked(DomainError):
    """No request for a supplement is open."""

    code = "nothing_asked"
    status = 409
    title_vi = "Không có yêu cầu bổ sung nào đang chờ"


class WithdrawalPending(DomainError):
    """A withdrawal is being decided already."""

    code = "withdrawal_pending"
    status = 409
    title_vi = "Yêu cầu rút hồ sơ đang được xem xét"


class CaseEnded(DomainError):
    """The case is completed; the dossier can no longer be withdrawn."""

    code = "case_ended"
    status = 409
    title_vi = "Hồ sơ đã giải quyết xong, không rút được nữa"


class CalendarEnds(DomainError):
    """The due date lies beyond the years of the working calendar."""

    code = "calendar_ends"
    status = 409
    title_vi = "Ngày hẹn trả vượt quá lịch làm việc đã công bố"


class UploadIncomplete(DomainError):
    """The upload broke off before its end; send it again."""

    code = "upload_incomplete"
    status = 400
    title_vi = "Tệp chưa được gửi trọn vẹn, vui lòng gửi lại"


class ImportNotFound(NotFound):
    """No import has this id."""

    code = "import_not_found"
    title_vi = "Không tìm thấy lần nhập dữ liệu"


class AgencyNotFound(NotFound):
    """No agency has this code."""

    code = "agency_not_found"
    title_vi = "Không tìm thấy cơ quan"


class FormNotFound(NotFound):
    """No e-form has this code, or none goes with this procedure."""

    code = "form_not_found"
    title_vi = "Không tìm thấy biểu mẫu điện tử"


class ImportUnreadable(DomainError):
    """Nothing of what was sent can be read as a catalogue."""

    code = "import_unreadable"
    status = 422
    title_vi = "Không đọc được dữ liệu nhập"


class ReuseOpen(DomainError):
    """An earlier result that is to stand for a paper is not confirmed."""

    code = "reuse_open"
    status = 409
    title_vi = "Kết quả dùng thay giấy tờ chưa được xác nhận"


class SupplementNotOverdue(DomainError):
    """No request for a supplement is open whose time has run out; only then can a dossier be closed."""

    code = "supplement_not_overdue"
    status = 409
    title_vi = "Chưa hết thời hạn bổ sung, chưa thể đóng hồ sơ"


class DraftNotFound(NotFound):
    """No draft has this id, or it has expired."""

    code = "draft_not_found"
    title_vi = "Không tìm thấy bản nháp hoặc bản nháp đã hết hạn"


class DraftSubmitted(DomainError):
    """This draft is a dossier already; it can no longer be changed."""

    code = "draft_submitted"
    status = 409
    title_vi = "Bản nháp đã được nộp thành hồ sơ"


class DraftTooLarge(DomainError):
    """The draft is larger than is kept; upload files apart and name their ids."""

    code = "draft_too_large"
    status = 413
    title_vi = "Bản nháp quá lớn"


class UploadNotFound(NotFound):
    """No upload has this id, or it has expired."""

    code = "upload_not_found"
    title_vi = "Không tìm thấy lượt tải lên hoặc đã hết hạn"


class WrongOffset(DomainError):
    """The piece does not begin where the upload stands; go on from `received_bytes`."""

    code = "wrong_offset"
    status = 409
    title_vi = "Phần tải lên không nối tiếp phần đã nhận"


class PieceTooLarge(DomainError):
    """The piece is larger than one may be, or goes beyond the announced size."""

    code = "piece_too_large"
    status = 413
    title_vi = "Phần tải lên vượt quá dung lượng cho phép"


class RuleNotFound(NotFound):
    """No rule of submission has this id."""

    code = "rule_not_found"
    title_vi = "Không tìm thấy quy tắc tiếp nhận"


class SlipNotDue(DomainError):
    """What this slip tells has not happened to the dossier."""

    code = "slip_not_due"
    status = 409
    title_vi = "Hồ sơ chưa đến bước lập phiếu này"


class PeriodTooLong(DomainError):
    """The register of these days is longer than one document may be."""

    code = "period_too_long"
    status = 413
    title_vi = "Khoảng thời gian có quá nhiều hồ sơ để in một sổ"
