"""Data services, their register, and calls that are sent again."""

from shared.errors import DomainError, Forbidden, NotFound


class DataServiceUnknown(NotFound):
    """There is no such data service, or this client may not know of it."""

    code = "data_service_not_found"
    title_vi = "Không tìm thấy dịch vụ dữ liệu"


class OperationUnknown(NotFound):
    """The service's contract has no such path."""

    code = "operation_not_in_contract"
    title_vi = "Dịch vụ dữ liệu không có địa chỉ này"


class CallNotGranted(Forbidden):
    """This client has no right to call that method on that path of the service."""

    code = "call_not_granted"
    title_vi = "Hệ thống chưa được cấp quyền gọi thao tác này"


class DataServiceRetired(DomainError):
    """This version of the service is no longer offered."""

    code = "data_service_retired"
    status = 410
    title_vi = "Phiên bản dịch vụ dữ liệu đã ngừng cung cấp"


class InMaintenance(DomainError):
    """The service is being maintained; Retry-After says until when."""

    code = "data_service_in_maintenance"
    status = 503
    title_vi = "Dịch vụ dữ liệu đang bảo trì"


class ServiceResting(DomainError):
    """The service failed too often and is given a rest; Retry-After says how long."""

    code = "data_service_resting"
    status = 503
    title_vi = "Dịch vụ dữ liệu đang lỗi nhiều, tạm ngừng gọi trong giây lát"


class ServiceCrowded(DomainError):
    """As many calls as the service can take are under way."""

    code = "data_service_crowded"
    status = 503
    title_vi = "Dịch vụ dữ liệu đang quá tải"


class CallsOverLimit(DomainError):
    """This client calls the service more often, or with more calls at once, than it may."""

    code = "calls_over_limit"
    status = 429
    title_vi = "Hệ thống gọi dịch vụ vượt giới hạn cho phép"


class UpstreamInvalid(DomainError):
    """The service answered something that its contract does not have, or broke off."""

    code = "upstream_answer_invalid"
    status = 502
    title_vi = "Dịch vụ phía sau trả lời không hợp lệ"


class UpstreamTooLarge(DomainError):
    """The service's answer is larger than may be passed on."""

    code = "upstream_answer_too_large"
    status = 502
    title_vi = "Kết quả của dịch vụ phía sau quá lớn"


class NotInCache(DomainError):
    """Only a kept answer was asked for (only-if-cached), and there is none."""

    code = "not_in_cache"
    status = 504
    title_vi = "Chưa có kết quả lưu sẵn"


class DataServiceExists(DomainError):
    """A data service or a version of it has this name already."""

    code = "data_service_exists"
    status = 409
    title_vi = "Dịch vụ dữ liệu hoặc phiên bản này đã có"


class RegistryChanged(DomainError):
    """Somebody changed the entry since it was read."""

    code = "registry_changed"
    status = 412
    title_vi = "Thông tin đã được người khác sửa, hãy tải lại"


class RegistryVersionMissing(DomainError):
    """Name the state that you change in an If-Match header."""

    code = "if_match_missing"
    status = 428
    title_vi = "Thiếu tiêu đề If-Match (phiên bản đang sửa)"


class DataServiceInvalid(DomainError):
    """The entry of the registry cannot be taken as it is."""

    code = "data_service_invalid"
    status = 422
    title_vi = "Thông tin đăng ký dịch vụ dữ liệu chưa hợp lệ"


class RerunNotPossible(DomainError):
    """The re-run cannot do that at its present stage, or has nothing to send."""

    code = "rerun_not_possible"
    status = 409
    title_vi = "Không thực hiện được với lượt gửi lại này"
