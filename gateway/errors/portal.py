"""What the national portal, and those who look after it, are refused."""

from shared.errors import DomainError, NotFound


class PortalRefused(DomainError):
    """The national portal's message cannot be taken."""

    code = "portal_message_invalid"
    status = 422
    title_vi = "Thông điệp của Cổng DVCQG chưa hợp lệ"


class PullUnknown(NotFound):
    """No pull of the portal's catalogue has this id."""

    code = "pull_not_found"
    title_vi = "Không tìm thấy lần lấy danh mục"


class DiffUnknown(NotFound):
    """No difference of the catalogue has this id."""

    code = "diff_not_found"
    title_vi = "Không tìm thấy khác biệt danh mục"


class DiffDecided(DomainError):
    """This difference was decided on already."""

    code = "diff_decided"
    title_vi = "Khác biệt danh mục này đã được xử lý"


class PortalFileAway(DomainError):
    """A file of the dossier cannot be fetched from the national portal now; hand the same dossier over again later."""

    code = "portal_file_unavailable"
    status = 503
    title_vi = "Chưa tải được tệp của hồ sơ từ Cổng DVCQG, vui lòng gửi lại sau"


class RunUnknown(NotFound):
    """No reconciliation has this number."""

    code = "run_not_found"
    title_vi = "Không tìm thấy lần đối soát"


class DifferenceUnknown(NotFound):
    """No difference has this number."""

    code = "difference_not_found"
    title_vi = "Không tìm thấy sai lệch"


class ShutsOutOneself(DomainError):
    """Nobody shuts himself out: another manager has to."""

    code = "shuts_out_oneself"
    title_vi = "Không thể tự khóa chính mình, cần người quản trị khác"


class StillOwed(DomainError):
    """Something of this dossier is on its way to the portal; wait for its answer."""

    code = "still_owed"
    status = 409
    title_vi = "Hồ sơ đang được gửi lên Cổng, vui lòng chờ trả lời"


class DifferenceNeedsPerson(DomainError):
    """Telling the dossier anew cannot settle this difference: look at it, then explain it."""

    code = "difference_needs_person"
    status = 409
    title_vi = "Sai lệch này không thể xử lý bằng cách gửi lại"


class DifferenceClosed(DomainError):
    """This difference is settled or explained already."""

    code = "difference_closed"
    status = 409
    title_vi = "Sai lệch này đã được xử lý"


class NothingTold(DomainError):
    """The portal was never told anything of this dossier: there is nothing to tell anew."""

    code = "nothing_told"
    status = 409
    title_vi = "Hồ sơ chưa có gì để gửi lại lên Cổng"
