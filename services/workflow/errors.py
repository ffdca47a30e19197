"""What workflow refuses, and why."""

from shared.errors import DomainError, IllegalMove, InvalidRequest, NotFound


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
