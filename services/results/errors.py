"""Refusals of results."""

from shared.errors import DomainError, NotFound


class DossierNotFound(NotFound):
    """No accepted dossier has this code, or it is not yours to see."""

    code = "dossier_not_found"
    title_vi = "Không tìm thấy hồ sơ"


class ResultNotFound(NotFound):
    """There is no such result, or it is not yours to see."""

    code = "result_not_found"
    title_vi = "Không tìm thấy kết quả"


class CaseWithdrawn(DomainError):
    """The dossier was withdrawn: nothing is issued for it."""

    code = "case_withdrawn"
    status = 409
    title_vi = "Hồ sơ đã rút, không ban hành kết quả"


class CaseNotCompleted(DomainError):
    """A result is returned only when every step of its case is done."""

    code = "case_not_completed"
    status = 409
    title_vi = "Hồ sơ chưa xử lý xong, chưa thể trả kết quả"


class FeeOutstanding(DomainError):
    """A result is returned only when the fees collected on return are settled."""

    code = "fee_outstanding"
    status = 409
    title_vi = "Chưa nộp đủ phí, lệ phí khi nhận kết quả"


class NumberTaken(DomainError):
    """Another result of this kind and agency has this number."""

    code = "result_number_taken"
    status = 409
    title_vi = "Số, ký hiệu đã được cấp cho kết quả khác"


class SupersedingNotValid(DomainError):
    """Only another valid result of the same kind and agency can take a result's place."""

    code = "superseding_result_not_valid"
    status = 409
    title_vi = "Kết quả thay thế phải còn hiệu lực, cùng loại, cùng cơ quan"


class IssuedInFuture(DomainError):
    """A result cannot be issued at a time still to come."""

    code = "issued_in_future"
    status = 422
    title_vi = "Thời điểm ban hành không được ở tương lai"


class DocumentTypeRefused(DomainError):
    """Documents of this media type are not archived."""

    code = "document_type_refused"
    status = 415
    title_vi = "Loại tệp không được lưu trữ"


class DocumentMismatch(DomainError):
    """The document does not begin as its media type demands."""

    code = "document_mismatch"
    status = 422
    title_vi = "Nội dung tệp không đúng với loại tệp đã khai"


class HashMismatch(DomainError):
    """What arrived is not what was sent: its SHA-256 differs from the one announced."""

    code = "hash_mismatch"
    status = 422
    title_vi = "Tệp nhận được khác tệp đã gửi (sai mã băm)"


class UploadIncomplete(DomainError):
    """The connection ended before the whole document had arrived."""

    code = "upload_incomplete"
    status = 400
    title_vi = "Kết nối bị ngắt trước khi nhận đủ tệp"


class DigitisedNotFound(NotFound):
    """There is no such digitised result, or it is not yours to see."""

    code = "digitised_result_not_found"
    title_vi = "Không tìm thấy kết quả đã số hóa"


class BacklogRunMoved(DomainError):
    """Another process is importing this index."""

    code = "backlog_run_moved"
    status = 409
    title_vi = "Danh mục này đang được nhập bởi tiến trình khác"


class PlanNotFound(NotFound):
    """This agency has no plan for its backlog, or it is not yours to see."""

    code = "digitisation_plan_not_found"
    title_vi = "Không tìm thấy kế hoạch số hóa"


class PlanChanged(DomainError):
    """Somebody changed the plan meanwhile."""

    code = "digitisation_plan_changed"
    status = 412
    title_vi = "Kế hoạch đã được người khác sửa, hãy tải lại"


class DocumentUnreadable(DomainError):
    """The PDF cannot be read."""

    code = "document_unreadable"
    status = 422
    title_vi = "Không đọc được tệp PDF"


class SignatureMissing(DomainError):
    """Results of this kind must carry a digital signature."""

    code = "signature_missing"
    status = 422
    title_vi = "Kết quả loại này phải có chữ ký số"


class DocumentChanged(DomainError):
    """The document was changed after it was signed."""

    code = "document_changed"
    status = 422
    title_vi = "Văn bản đã bị thay đổi sau khi ký số"


class SignatureBroken(DomainError):
    """A signature in the document is not sound."""

    code = "signature_broken"
    status = 422
    title_vi = "Chữ ký số không hợp lệ"


class SignatureNotCovering(DomainError):
    """The last signature does not cover the whole document."""

    code = "signature_not_covering"
    status = 422
    title_vi = "Chữ ký số cuối cùng không bao trùm toàn bộ văn bản"


class SignatureUntrusted(DomainError):
    """A signature's certificate leads to no trust list."""

    code = "signature_untrusted"
    status = 422
    title_vi = "Chứng thư số không thuộc danh sách tin cậy"


class CertificateExpired(DomainError):
    """A signature's certificate was not valid at the time that is proven for it."""

    code = "certificate_expired"
    status = 422
    title_vi = "Chứng thư số đã hết hạn hoặc chưa có hiệu lực khi ký"


class CertificateRevoked(DomainError):
    """A signature's certificate was revoked."""

    code = "certificate_revoked"
    status = 422
    title_vi = "Chứng thư số đã bị thu hồi"


class TimestampNotValid(DomainError):
    """A time-stamp in the document is not valid or leads to no trust list."""

    code = "timestamp_not_valid"
    status = 422
    title_vi = "Dấu thời gian không hợp lệ"


class PlanBackwards(DomainError):
    """A plan ends after it starts."""

    code = "digitisation_plan_backwards"
    status = 422
    title_vi = "Kế hoạch phải kết thúc sau ngày bắt đầu"


class ReceiverDiffers(DomainError):
    """Who received the result is not who they were said to be."""

    code = "receiver_differs"
    status = 409
    title_vi = "Giấy tờ xuất trình không phải của chủ hồ sơ"


class TrackingNumberTaken(DomainError):
    """Another consignment has this tracking number."""

    code = "tracking_number_taken"
    status = 409
    title_vi = "Số hiệu bưu gửi đã được dùng"


class NotInPost(DomainError):
    """The post does not have this result."""

    code = "not_in_post"
    status = 409
    title_vi = "Kết quả không đang trên đường bưu chính"


class NotReturnedYet(DomainError):
    """A result is handed over again only after it was returned, and when no copy is on its way."""

    code = "not_returned_yet"
    status = 409
    title_vi = "Chưa trả kết quả lần đầu, hoặc đang có bản gửi bưu chính"


class GrantNotFound(NotFound):
    """There is no such grant, or it has ended."""

    code = "grant_not_found"
    title_vi = "Mã nhận kết quả không đúng hoặc đã hết hạn"


class ConsentNotFound(NotFound):
    """There is no such consent of yours, it has ended, or it does not cover this result."""

    code = "consent_not_found"
    title_vi = "Không có sự đồng ý còn hiệu lực cho kết quả này"
