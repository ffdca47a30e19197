"""Who may not come in, and what cannot be done with the register of clients."""

from shared.errors import DomainError, Forbidden, NotFound, Unauthenticated


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


class TokenRequestInvalid(DomainError):
    """The token request lacks a parameter, repeats one or says who asks in more than one way (RFC 6749 §5.2)."""

    code = "token_request_invalid"
    status = 400
    title_vi = "Yêu cầu lấy mã truy cập chưa hợp lệ"


class TokensElsewhere(DomainError):
    """Tokens for this system come from another issuer."""

    code = "tokens_elsewhere"
    status = 400
    title_vi = "Mã truy cập do hệ thống khác cấp"


class TooManyAttempts(DomainError):
    """Too many wrong credentials came from here; wait as Retry-After says."""

    code = "too_many_attempts"
    status = 429
    title_vi = "Đăng nhập sai quá nhiều lần, vui lòng thử lại sau ít phút"


class ClientUnknown(NotFound):
    """No client has this id, or it is not yours to manage."""

    code = "client_not_found"
    title_vi = "Không tìm thấy hệ thống kết nối"


class ClientExists(DomainError):
    """A client of this id is registered already."""

    code = "client_exists"
    title_vi = "Mã hệ thống kết nối đã được đăng ký"


class ClientChanged(DomainError):
    """Somebody changed the client meanwhile: read it again."""

    code = "client_changed"
    status = 412
    title_vi = "Hệ thống kết nối đã được người khác sửa, vui lòng tải lại"


class ClientVersionMissing(DomainError):
    """Name the version that you change in an If-Match header."""

    code = "if_match_missing"
    status = 428
    title_vi = "Thiếu tiêu đề If-Match (phiên bản đang sửa)"


class CredentialUnknown(NotFound):
    """This client has no such secret or key."""

    code = "credential_not_found"
    title_vi = "Không tìm thấy mật khẩu hoặc khóa này"


class CredentialsFull(DomainError):
    """The client has as many secrets or keys as are allowed at a time: revoke one first."""

    code = "credentials_full"
    title_vi = "Đã đủ số mật khẩu hoặc khóa cho phép, hãy thu hồi bớt"


class Escalation(Forbidden):
    """Nobody gives, or takes over by a credential, a right that he does not hold; clients:grant lifts that."""

    code = "escalation"
    title_vi = "Không thể cấp quyền mà chính mình không có"


class ClientInactive(Unauthenticated):
    """The client is shut out, or its registration does not hold now."""

    code = "client_inactive"
    challenge = 'Bearer error="invalid_token"'
    title_vi = "Hệ thống kết nối đã bị khóa hoặc chưa/không còn hiệu lực"


class RightsReduced(Unauthenticated):
    """The token says more than the client is registered with now: get a new one."""

    code = "token_outdated"
    challenge = 'Bearer error="invalid_token"'
    title_vi = "Quyền đã thay đổi, hãy lấy mã truy cập mới"


class CertificateNeeded(Unauthenticated):
    """The client's certificate is missing, or it is another than the token or the registration names."""

    code = "certificate_mismatch"
    challenge = 'Bearer error="invalid_token"'
    title_vi = "Thiếu chứng thư của hệ thống kết nối, hoặc chứng thư không khớp"


class NetworkRefused(Forbidden):
    """The client may not call from this address."""

    code = "network_refused"
    title_vi = "Hệ thống kết nối không được gọi từ địa chỉ này"


class QuotaSpent(DomainError):
    """The client has called as often as it may, or has as many calls under way as it may; wait as Retry-After says."""

    code = "quota_spent"
    status = 429
    title_vi = "Đã hết hạn mức gọi, vui lòng thử lại sau"
