"""What the guard refuses, before a call is anybody's."""

from shared.errors import DomainError, Unavailable


class MalformedRequest(DomainError):
    """The request is not HTTP as it has to be, or can be read in two ways."""

    code = "malformed_request"
    status = 400
    title_vi = "Yêu cầu HTTP không đúng quy cách"


class AddressTooLong(DomainError):
    """The address is longer than we take, or has too many parameters."""

    code = "address_too_long"
    status = 414
    title_vi = "Địa chỉ yêu cầu quá dài"


class HeadTooLarge(DomainError):
    """The request has more or longer headers than we take."""

    code = "head_too_large"
    status = 431
    title_vi = "Phần đầu của yêu cầu quá lớn"


class BodyTooLarge(DomainError):
    """The request's body is larger than we take."""

    code = "body_too_large"
    status = 413
    title_vi = "Nội dung gửi lên quá lớn"


class BodyTooComplex(DomainError):
    """The request's JSON is nested deeper, or has more members and items, than we take."""

    code = "body_too_complex"
    status = 400
    title_vi = "Nội dung JSON lồng quá sâu hoặc quá nhiều phần tử"


class RequestTooSlow(DomainError):
    """The request did not arrive in time."""

    code = "request_too_slow"
    status = 408
    title_vi = "Yêu cầu gửi đến quá chậm"


class Overloaded(DomainError):
    """More is asked at the moment than can be answered; nothing was done, send the same request again later."""

    code = "overloaded"
    status = Unavailable.status
    title_vi = "Hệ thống đang quá tải; chưa có gì thay đổi, vui lòng gửi lại sau"
