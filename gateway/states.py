"""The portal's statuses. The gateway has no status of its own: these are reached by others' events."""

from enum import IntEnum


class PortalStatus(IntEnum):
    """TrangThaiHoSo of the national portal (DOMAIN: seen in three places of a real sender)."""

    REGISTERED = 1
    ACCEPTED = 2
    REFUSED = 3
    PROCESSING = 4
    SUPPLEMENT_REQUESTED = 5
    PAYMENT_REQUESTED = 6
    WITHDRAWN = 7
    STOPPED = 8
    FINISHED = 9
    RETURNED = 10


LABELS_VI: dict[PortalStatus, str] = {
    PortalStatus.REGISTERED: "Mới đăng ký",
    PortalStatus.ACCEPTED: "Được tiếp nhận",
    PortalStatus.REFUSED: "Không được tiếp nhận",
    PortalStatus.PROCESSING: "Đang xử lý",
    PortalStatus.SUPPLEMENT_REQUESTED: "Yêu cầu bổ sung giấy tờ",
    PortalStatus.PAYMENT_REQUESTED: "Yêu cầu thực hiện nghĩa vụ tài chính",
    PortalStatus.WITHDRAWN: "Công dân yêu cầu rút hồ sơ",
    PortalStatus.STOPPED: "Dừng xử lý",
    PortalStatus.FINISHED: "Đã xử lý xong",
    PortalStatus.RETURNED: "Đã trả kết quả",
}
FINAL = frozenset({PortalStatus.REFUSED, PortalStatus.WITHDRAWN, PortalStatus.RETURNED})

REACHED_BY: dict[str, PortalStatus] = {
    "intake.dossier.submitted.v1": PortalStatus.REGISTERED,
    "intake.dossier.accepted.v1": PortalStatus.ACCEPTED,
    "intake.dossier.rejected.v1": PortalStatus.REFUSED,
    "intake.dossier.supplement_requested.v1": PortalStatus.SUPPLEMENT_REQUESTED,
    "intake.dossier.supplemented.v1": PortalStatus.REGISTERED,
    "intake.dossier.withdrawn.v1": PortalStatus.WITHDRAWN,
    # The portal knows no deletion: what was entered by mistake ends there as if it had been taken back.
    "intake.dossier.retracted.v1": PortalStatus.WITHDRAWN,
    "workflow.case.started.v1": PortalStatus.PROCESSING,
    "workflow.case.supplement_requested.v1": PortalStatus.SUPPLEMENT_REQUESTED,
    "workflow.case.payment_awaited.v1": PortalStatus.PAYMENT_REQUESTED,
    "workflow.case.stopped.v1": PortalStatus.STOPPED,
    "workflow.case.resumed.v1": PortalStatus.PROCESSING,
    "workflow.case.completed.v1": PortalStatus.FINISHED,
    "results.result.returned.v1": PortalStatus.RETURNED,
}
"""Which event brings a dossier to which portal status; events not named here change none."""

CATALOGUE_EVENTS = frozenset({"intake.procedure.published.v1", "workflow.calendar.published.v1"})
"""Facts about no dossier; the gateway has no use for them."""
