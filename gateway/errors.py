"""What the gateway refuses."""

from shared.errors import DomainError, NotFound, Unauthenticated
from shared.guard.refusals import BodyTooLarge as BodyTooLarge


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
