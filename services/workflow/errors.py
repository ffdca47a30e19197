"""What workflow refuses, and why."""

from shared.errors import DomainError, Forbidden, IllegalMove, InvalidRequest, NotFound


class CaseNotFound(NotFound):
    """No case runs for this dossier, or it is not yours to see."""

    code = "case_not_found"
    title_vi = "Không tìm thấy hồ sơ đang giải quyết"


class TaskNotFound(NotFound):
    """There is no such task, or it is not yours to see."""

    code = "task_not_found"
    title_vi = "Không tìm thấy công việc"


class CasePaused(DomainError):
    """The clock of the case stands still; its tasks can go on when it runs again."""

    code = "case_paused"
    title_vi = "Hồ sơ đang tạm dừng, chưa thể xử lý tiếp"


class TaskClaimedByAnother(DomainError):
    """Another official has this task."""

    code = "task_claimed_by_another"
    title_vi = "Công việc đang do cán bộ khác xử lý"


class NothingBefore(DomainError):
    """The first step of a process has no step to go back to."""

    code = "nothing_before"
    title_vi = "Bước đầu tiên không thể trả lại bước trước"


class CompletionTimeInvalid(InvalidRequest):
    """A step cannot have been finished at that time."""

    code = "completion_time_invalid"
    title_vi = "Thời điểm hoàn thành không hợp lệ"


class RespondByInvalid(InvalidRequest):
    """The last day to answer must lie ahead."""

    code = "respond_by_invalid"
    title_vi = "Hạn bổ sung hồ sơ phải ở tương lai"


class SupplementNotOpen(IllegalMove):
    """The case does not wait for this supplement."""

    code = "supplement_not_open"
    title_vi = "Hồ sơ không chờ lần bổ sung này"


class ProcessInvalid(DomainError):
    """The steps of a process do not lead from a beginning to an end."""

    code = "process_invalid"
    title_vi = "Quy trình không hợp lệ"


class ProcessVersionTaken(DomainError):
    """This version of the process is already known with other steps; a change needs a new version."""

    code = "process_version_taken"
    title_vi = "Phiên bản quy trình đã tồn tại với nội dung khác"


class FactNeeded(InvalidRequest):
    """The way on hangs on something that nobody has told yet."""

    code = "fact_needed"
    title_vi = "Thiếu thông tin để xác định bước tiếp theo"


class OutcomeInvalid(InvalidRequest):
    """The outcome is not one that this step leaves to choose."""

    code = "outcome_invalid"
    title_vi = "Kết quả xử lý không thuộc các lựa chọn của bước này"


class CalendarEnds(DomainError):
    """A due date would lie beyond the years of the working calendar: publish a version that holds them."""

    code = "calendar_ends"
    title_vi = "Hạn xử lý vượt quá lịch làm việc đã công bố"


class CalendarNotFound(NotFound):
    """There is no such calendar, or no such version of it."""

    code = "calendar_not_found"
    title_vi = "Không tìm thấy lịch làm việc"


class CalendarInvalid(InvalidRequest):
    """The calendar contradicts itself, the one before it, or another agency's."""

    code = "calendar_invalid"
    title_vi = "Lịch làm việc không hợp lệ"


class CalendarChanged(DomainError):
    """Somebody published a version since the one you read: read it again."""

    code = "calendar_changed"
    status = 412
    title_vi = "Lịch đã được người khác cập nhật, vui lòng tải lại"


class VersionMissing(DomainError):
    """Name the version that you change in an If-Match header."""

    code = "if_match_missing"
    status = 428
    title_vi = "Thiếu tiêu đề If-Match (phiên bản đang sửa)"


class ProcessNotFound(NotFound):
    """There is no such process, or no such version of it."""

    code = "process_not_found"
    title_vi = "Không tìm thấy quy trình"


class NotCompetent(Forbidden):
    """Another agency decides this step; you may only look at it."""

    code = "not_competent"
    title_vi = "Bước này thuộc thẩm quyền của cơ quan khác"


class OfficialNotEntitled(Forbidden):
    """The official may not work on this task today."""

    code = "official_not_entitled"
    title_vi = "Cán bộ không được phân công thực hiện công việc này"


class OfficialNotFound(NotFound):
    """There is no such official, or they are not of your agency."""

    code = "official_not_found"
    title_vi = "Không tìm thấy cán bộ"


class LateReasonMissing(InvalidRequest):
    """What is entered after the fact needs a reason."""

    code = "late_reason_missing"
    title_vi = "Cần nêu lý do nhập muộn"


class DelegationNotFound(NotFound):
    """There is no such delegation, or it is another agency's."""

    code = "delegation_not_found"
    title_vi = "Không tìm thấy ủy quyền"


class DelegationInvalid(InvalidRequest):
    """A delegation goes from one official to another, or to a unit, for some time ahead."""

    code = "delegation_invalid"
    title_vi = "Nội dung ủy quyền chưa hợp lệ"


class DelegationOver(DomainError):
    """The delegation has ended already."""

    code = "delegation_over"
    title_vi = "Ủy quyền đã kết thúc"


class DelegateUnknown(DomainError):
    """The unit that is to stand in is not on the agency's roster."""

    code = "delegate_unknown"
    title_vi = "Đơn vị nhận ủy quyền không có trong danh sách"


class ConsultationNotFound(NotFound):
    """There is no such consultation, or it is not yours to see."""

    code = "consultation_not_found"
    title_vi = "Không tìm thấy yêu cầu lấy ý kiến"


class ConsultationInvalid(InvalidRequest):
    """Agencies other than your own are asked, each once, with a deadline ahead."""

    code = "consultation_invalid"
    title_vi = "Nội dung lấy ý kiến chưa hợp lệ"


class ConsultationOutstanding(DomainError):
    """Agencies that were asked have not answered; the step waits for them."""

    code = "consultation_outstanding"
    title_vi = "Chưa nhận đủ ý kiến của cơ quan phối hợp"


class NoDueDate(DomainError):
    """The procedure has no term, so there is no date to extend."""

    code = "no_due_date"
    title_vi = "Thủ tục không quy định thời hạn nên không thể gia hạn"


class ExtensionsUsedUp(DomainError):
    """The date was given again as often as the rule allows."""

    code = "extensions_used_up"
    title_vi = "Đã hết số lần được hẹn lại ngày trả kết quả"


class ExtensionTooLate(DomainError):
    """It is too late to give a later date: the rule asks for notice before the due date."""

    code = "extension_too_late"
    title_vi = "Đã quá thời điểm được phép gia hạn"


class ExtensionInvalid(InvalidRequest):
    """The new date must lie after the present one."""

    code = "extension_invalid"
    title_vi = "Ngày hẹn lại chưa hợp lệ"


class SlipNotFound(NotFound):
    """No such slip was issued for this dossier."""

    code = "slip_not_found"
    title_vi = "Hồ sơ chưa có mẫu phiếu này"


class RosterRefused(DomainError):
    """The roster would take away more accounts than allowed at once; nothing was changed."""

    code = "roster_refused"
    title_vi = "Danh sách tài khoản làm giảm quá nhiều cán bộ, chưa áp dụng"


class ProcessRefused(InvalidRequest):
    """The process cannot run as it is: each error names an element and the reason."""

    code = "process_refused"
    title_vi = "Quy trình chưa hợp lệ"
