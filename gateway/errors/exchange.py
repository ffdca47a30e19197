"""Webhooks and electronic documents."""

from shared.errors import DomainError, NotFound


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
