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


class SnapshotNeeded(DomainError):
    """This cursor belongs to another choice of dossiers: read the snapshot again and go on from its cursor."""

    code = "snapshot_needed"
    status = 410
    title_vi = "Phạm vi hồ sơ đã thay đổi, cần đọc lại toàn bộ"


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


class SubscriptionUnknown(NotFound):
    """There is no such subscription."""

    code = "subscription_not_found"
    title_vi = "Không tìm thấy đăng ký nhận thông báo"


class DeliveryUnknown(NotFound):
    """There is no such message, or it is no longer kept."""

    code = "delivery_not_found"
    title_vi = "Không tìm thấy thông báo"


class SubscriptionsFull(DomainError):
    """This client has as many subscriptions as one may have."""

    code = "subscriptions_full"
    title_vi = "Đã đạt số đăng ký nhận thông báo tối đa"


class SealingKeyMissing(DomainError):
    """Nothing secret can be kept: this installation has no key to seal it with."""

    code = "sealing_key_missing"
    status = 503
    title_vi = "Hệ thống chưa được cấu hình khóa mã hóa"


class EdocInvalid(DomainError):
    """The electronic document cannot be taken as it is."""

    code = "edoc_invalid"
    status = 422
    title_vi = "Văn bản điện tử chưa hợp lệ"


class EdocUnknown(NotFound):
    """There is no such electronic document from or to your agency."""

    code = "edoc_not_found"
    title_vi = "Không tìm thấy văn bản điện tử"


class EdocChanged(DomainError):
    """A document with this id was handed in before, with other content."""

    code = "edoc_changed"
    title_vi = "Mã văn bản đã được gửi với nội dung khác"


class EdocOrder(DomainError):
    """The document's progress does not go this way."""

    code = "edoc_order"
    title_vi = "Trạng thái văn bản không chuyển theo thứ tự này"


class EdocExpired(DomainError):
    """The document's time is over: its content is no longer kept."""

    code = "edoc_expired"
    status = 410
    title_vi = "Văn bản đã hết thời hạn lưu"


class EdocAgencyUnknown(NotFound):
    """There is no such agency in the exchange, or it is not yours to change."""

    code = "edoc_agency_not_found"
    title_vi = "Không tìm thấy cơ quan trên trục liên thông"


class EdocAgencyExists(DomainError):
    """This agency takes part already."""

    code = "edoc_agency_exists"
    title_vi = "Cơ quan đã tham gia trục liên thông"
