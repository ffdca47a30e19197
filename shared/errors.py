"""Refusals as facts with a stable code.

Three roots: DomainError (an anticipated refusal: the caller is told, nobody is paged), TransientError (try again
later) and anything else (a bug: logged with its trace).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field of a request that cannot be taken: JSON path in words, what is wrong, what to do."""

    field: str
    message: str
    message_vi: str = ""


class DomainError(Exception):
    """The request cannot be carried out."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    title_vi: ClassVar[str] = "Không thực hiện được yêu cầu"

    def __init__(self, detail: str = "", *, errors: Sequence[FieldError] = (), **facts: object) -> None:
        super().__init__(detail or self.title())
        self.detail = detail
        self.errors = tuple(errors)
        self.facts = facts

    @classmethod
    def title(cls) -> str:
        """Return the first line of the class's docstring, which is the problem's title."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")


class TransientError(Exception):
    """Something needed is not there at the moment; the same work may succeed later."""


class CauseMissing(TransientError):
    """An event arrived before the event that caused it; it waits for its cause."""


def catalogue(root: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Yield every refusal that is defined, in order of definition."""
    for error in root.__subclasses__():
        yield error
        yield from catalogue(error)


class NotFound(DomainError):
    """There is no such thing, or it is not yours to see."""

    code = "not_found"
    status = 404
    title_vi = "Không tìm thấy"


class InvalidRequest(DomainError):
    """The request's fields cannot be taken as they are."""

    code = "invalid_request"
    status = 422
    title_vi = "Dữ liệu gửi lên chưa hợp lệ"


class Unauthenticated(DomainError):
    """A valid access token is needed."""

    code = "unauthenticated"
    status = 401
    title_vi = "Cần mã truy cập hợp lệ"
    challenge: ClassVar[str] = "Bearer"
    """How to authenticate (WWW-Authenticate, RFC 9110 §11.6.1)."""


class Forbidden(DomainError):
    """The token lacks the right to do this."""

    code = "forbidden"
    status = 403
    title_vi = "Không có quyền thực hiện"


class IllegalMove(DomainError):
    """The action is not possible in the present status."""

    code = "illegal_move"
    status = 409
    title_vi = "Trạng thái hiện tại không cho phép thao tác này"


class IdempotencyKeyMissing(DomainError):
    """Every call that changes something needs an Idempotency-Key header."""

    code = "idempotency_key_missing"
    status = 400
    title_vi = "Thiếu tiêu đề Idempotency-Key"


class IdempotencyKeyReused(DomainError):
    """This Idempotency-Key was used for another request."""

    code = "idempotency_key_reused"
    status = 409
    title_vi = "Idempotency-Key đã dùng cho yêu cầu khác"


class Unavailable(DomainError):
    """A part that is needed for this cannot be reached now; try again."""

    code = "unavailable"
    status = 503
    title_vi = "Hệ thống tạm thời chưa sẵn sàng, vui lòng thử lại"
