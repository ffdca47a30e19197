"""What the gateway refuses."""

from shared.errors import DomainError, Forbidden, NotFound, Unauthenticated
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


class EvidenceUnavailable(DomainError):
    """The transaction log cannot be written now, so nothing was carried out; send the same request again."""

    code = "evidence_unavailable"
    status = 503
    title_vi = "Chưa ghi được nhật ký giao dịch nên chưa thực hiện, vui lòng gửi lại"


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


class ShutsOutOneself(DomainError):
    """Nobody shuts himself out: another manager has to."""

    code = "shuts_out_oneself"
    title_vi = "Không thể tự khóa chính mình, cần người quản trị khác"


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


class TooManyAttempts(DomainError):
    """Too many wrong credentials came from here; wait as Retry-After says."""

    code = "too_many_attempts"
    status = 429
    title_vi = "Đăng nhập sai quá nhiều lần, vui lòng thử lại sau ít phút"


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


class SealingKeyMissing(DomainError):
    """Nothing can be kept sealed: the gateway has no key for it."""

    code = "sealing_key_missing"
    status = 409
    title_vi = "Chưa cấu hình khóa niêm phong nên không lưu được"


class RerunNotPossible(DomainError):
    """The re-run cannot do that at its present stage, or has nothing to send."""

    code = "rerun_not_possible"
    status = 409
    title_vi = "Không thực hiện được với lượt gửi lại này"


class SnapshotNeeded(DomainError):
    """This cursor belongs to another choice of dossiers: read the snapshot again and go on from its cursor."""

    code = "snapshot_needed"
    status = 410
    title_vi = "Phạm vi hồ sơ đã thay đổi, cần đọc lại toàn bộ"


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


class NothingTold(DomainError):
    """The portal was never told anything of this dossier: there is nothing to tell anew."""

    code = "nothing_told"
    status = 409
    title_vi = "Hồ sơ chưa có gì để gửi lại lên Cổng"


class StillOwed(DomainError):
    """Something of this dossier is on its way to the portal; wait for its answer."""

    code = "still_owed"
    status = 409
    title_vi = "Hồ sơ đang được gửi lên Cổng, vui lòng chờ trả lời"


class DifferenceClosed(DomainError):
    """This difference is settled or explained already."""

    code = "difference_closed"
    status = 409
    title_vi = "Sai lệch này đã được xử lý"


class DifferenceNeedsPerson(DomainError):
    """Telling the dossier anew cannot settle this difference: look at it, then explain it."""

    code = "difference_needs_person"
    status = 409
    title_vi = "Sai lệch này không thể xử lý bằng cách gửi lại"


class RunUnknown(NotFound):
    """No reconciliation has this number."""

    code = "run_not_found"
    title_vi = "Không tìm thấy lần đối soát"


class DifferenceUnknown(NotFound):
    """No difference has this number."""

    code = "difference_not_found"
    title_vi = "Không tìm thấy sai lệch"
