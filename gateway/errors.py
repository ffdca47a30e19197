"""What the gateway refuses."""

from shared.errors import DomainError, NotFound, Unauthenticated


class InvalidClient(Unauthenticated):
    """The client is unknown or its secret is wrong."""

    code = "invalid_client"
    challenge = 'Basic realm="motcua"'
    title_vi = "Thông tin hệ thống kết nối không đúng"


class UnsupportedGrant(DomainError):
    """Only the client_credentials grant is offered."""

    code = "unsupported_grant_type"
    status = 400
    title_vi = "Chỉ hỗ trợ client_credentials"


class InvalidScope(DomainError):
    """A scope was asked for that this client does not have."""

    code = "invalid_scope"
    status = 400
    title_vi = "Phạm vi quyền không được cấp"


class DossierUnknown(NotFound):
    """No dossier has this code."""

    code = "dossier_not_found"
    title_vi = "Không tìm thấy hồ sơ"


class InvalidCursor(DomainError):
    """The cursor is not one of ours."""

    code = "invalid_cursor"
    status = 400
    title_vi = "Con trỏ không hợp lệ"


class BodyTooLarge(DomainError):
    """The request's body is larger than we take."""

    code = "body_too_large"
    status = 413
    title_vi = "Nội dung gửi lên quá lớn"


class UpstreamAway(DomainError):
    """The service behind this address cannot be reached now; send the same request again."""

    code = "upstream_unavailable"
    status = 503
    title_vi = "Dịch vụ phía sau tạm thời chưa sẵn sàng"


class UpstreamTimeout(DomainError):
    """The service behind this address did not answer in time; the same request with its key tells what came of it."""

    code = "upstream_timeout"
    status = 504
    title_vi = "Dịch vụ phía sau không trả lời kịp"


class EvidenceMissing(DomainError):
    """The call was carried out but could not be logged; send the same request with its key again."""

    code = "evidence_not_stored"
    status = 503
    title_vi = "Chưa lưu được nhật ký giao dịch, vui lòng gửi lại cùng khóa"


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


class WindowTooLong(DomainError):
    """The days asked for are too many, or end before they begin."""

    code = "window_invalid"
    status = 422
    title_vi = "Khoảng thời gian thống kê chưa hợp lệ"


class TooManyCalls(DomainError):
    """This address has asked too often; wait a moment."""

    code = "too_many_calls"
    status = 429
    title_vi = "Tra cứu quá nhiều lần, vui lòng thử lại sau ít phút"
