"""Dossiers and the feed."""

from shared.errors import DomainError, NotFound


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
