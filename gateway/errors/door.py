"""What the door itself refuses: bodies, services that are away, a log that cannot be written."""

from shared.errors import DomainError


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


class EvidenceUnavailable(DomainError):
    """The transaction log cannot be written now, so nothing was carried out; send the same request again."""

    code = "evidence_unavailable"
    status = 503
    title_vi = "Chưa ghi được nhật ký giao dịch nên chưa thực hiện, vui lòng gửi lại"


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


class SealingKeyMissing(DomainError):
    """Nothing can be kept sealed: the gateway has no key for it."""

    code = "sealing_key_missing"
    status = 409
    title_vi = "Chưa cấu hình khóa niêm phong nên không lưu được"
