"""Changing the registry of data services; every change is told to all replicas and kept for ever."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel
from sqlalchemy import text

from gateway import queries
from gateway.data_services.contract import VERSION, Contract, ContractInvalid
from gateway.data_services.hosts import AllowedHosts, HostNotAllowed
from gateway.data_services.policy import ClientCredentials, Policy
from gateway.errors import (
    DataServiceExists,
    DataServiceInvalid,
    DataServiceUnknown,
    RegistryChanged,
    RegistryVersionMissing,
    SealingKeyMissing,
)
from gateway.models import DataService, DataServiceChange, DataServiceVersion, DataServiceWindow
from gateway.operations.data_services.naming import CODE, RESERVED
from gateway.operations.data_services.refreshing import CHANNEL, purpose_of
from shared.blobs.sealer import Sealer
from shared.errors import FieldError, NotFound
from shared.ids import new_id
from shared.work import Work

CONTRACT_BYTES_MAX = 1024 * 1024
UNCHANGED = object()
"""Credentials that stay as they are."""
_NOTIFY = text("SELECT pg_notify(:channel, '')")


def invalid(field: str, message: str, message_vi: str) -> DataServiceInvalid:
    """Return the refusal of one field."""
    return DataServiceInvalid("See errors.", errors=[FieldError(field, message, message_vi)])


async def put_service(
    work: Work, *, code: str, agency: str, provider: str, name_vi: str, name_en: str, if_revision: int | None,
    taken: frozenset[str] = frozenset(),
) -> tuple[DataService, bool]:  # fmt: skip
    """Register a service, or change the one whose revision `if_revision` names; tell whether it is new.

    `taken` are the codes of built-in services. Raises DataServiceInvalid, DataServiceExists (nobody may know of the
    other), RegistryChanged, RegistryVersionMissing.
    """
    if not CODE.fullmatch(code) or code in RESERVED:
        raise invalid("code", "3 to 64 letters, digits, dots, dashes or underscores; some words are reserved.",
                      "Mã gồm 3–64 chữ, số, dấu chấm, gạch; một số mã được dành riêng.")  # fmt: skip
    if not work.caller.may_see(agency):
        raise invalid("agency", "Your agency or one below it.", "Cơ quan của hệ thống gọi hoặc cấp dưới.")
    values = {"agency": agency, "provider": provider, "name_vi": name_vi, "name_en": name_en}
    row = await queries.lock_data_service(work.session, code)
    if code in taken or (row is not None and not work.caller.may_see(row.agency)):
        raise DataServiceExists("Choose another code.")
    if row is None:
        row = DataService(code=code, created_at=work.now, changed_at=work.now, revision=1, **values)
        work.session.add(row)
        await work.session.flush()
        await _note(work, code, None, "registered", {"to": values})
        return row, True
    _check_revision(row.revision, if_revision)
    before = {name: getattr(row, name) for name in values}
    changed = {name: value for name, value in values.items() if before[name] != value}
    if changed:
        for name, value in changed.items():
            setattr(row, name, value)
        row.revision += 1
        row.changed_at = work.now
        await _note(work, code, None, "changed", {"from": {name: before[name] for name in changed}, "to": changed})
    return row, False


async def put_version(
    work: Work, *, code: str, version: str, stage: str, base_url: str, contract: Mapping[str, Any], policy: Policy,
    credentials: object, if_revision: int | None, hosts: AllowedHosts, sealer: Sealer,
) -> tuple[DataServiceVersion, bool]:  # fmt: skip
    """Add a version to a service, or change the one whose revision `if_revision` names; tell whether it is new.

    `credentials` are a model, None (there are none) or UNCHANGED. Raises DataServiceUnknown, DataServiceInvalid,
    SealingKeyMissing, RegistryChanged, RegistryVersionMissing.
    """
    service = await queries.lock_data_service(work.session, code)
    if service is None or not work.caller.may_see(service.agency):
        raise DataServiceUnknown("No such data service.")
    if not VERSION.fullmatch(version):
        raise invalid("version", "v1 to v999.", "Phiên bản từ v1 đến v999.")
    values: dict[str, Any] = {
        "stage": stage,
        "base_url": _checked(hosts, "base_url", base_url),
        "contract": _checked_contract(contract),
        "policy": policy.model_dump(mode="json"),
    }
    row = await queries.find_version(work.session, code, version)
    if row is not None:
        _check_revision(row.revision, if_revision)
    sealed = row.credentials if row is not None else None
    if credentials is not UNCHANGED:
        sealed = _sealed(credentials, hosts, sealer, purpose_of(code, version))
    if row is None:
        row = DataServiceVersion(
            service=code, version=version, created_at=work.now, changed_at=work.now, revision=1, credentials=sealed,
            **values,
        )  # fmt: skip
        work.session.add(row)
        await _note(work, code, version, "version_added", {"to": _told(values), "credentials": sealed is not None})
        return row, True
    await _change_version(work, row, values, sealed, replaced=credentials is not UNCHANGED)
    return row, False


async def _change_version(
    work: Work, row: DataServiceVersion, values: Mapping[str, Any], sealed: bytes | None, *, replaced: bool
) -> None:
    before = {name: getattr(row, name) for name in values}
    changed = {name: value for name, value in values.items() if before[name] != value}
    if not changed and not (replaced and (sealed or row.credentials)):
        return
    for name, value in changed.items():
        setattr(row, name, value)
    row.credentials = sealed
    row.revision += 1
    row.changed_at = work.now
    detail: dict[str, Any] = {"from": _told({name: before[name] for name in changed}), "to": _told(changed)}
    if replaced:
        detail["credentials"] = "replaced" if sealed else "removed"
    await _note(work, row.service, row.version, "version_changed", detail)


async def add_window(
    work: Work, *, code: str, version: str | None, starts_at: datetime, ends_at: datetime, reason_vi: str,
    reason_en: str,
) -> DataServiceWindow:  # fmt: skip
    """Announce a time in which a service, or one version of it, is not called.

    Raises DataServiceUnknown, DataServiceInvalid.
    """
    await queries.get_data_service(work.session, work.caller, code)
    if version is not None and await queries.find_version(work.session, code, version) is None:
        raise invalid("version", "No such version of the service.", "Dịch vụ không có phiên bản này.")
    if ends_at <= starts_at or ends_at <= work.now:
        raise invalid("ends_at", "After starts_at, and not over yet.", "Phải sau lúc bắt đầu và chưa qua.")
    row = DataServiceWindow(
        id=new_id(), service=code, version=version, starts_at=starts_at, ends_at=ends_at, reason_vi=reason_vi,
        reason_en=reason_en,
    )  # fmt: skip
    work.session.add(row)
    times = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    await _note(work, code, version, "window_added", {"id": str(row.id), **times, "reason_en": reason_en})
    return row


async def remove_window(work: Work, *, code: str, window_id: UUID) -> None:
    """Take a maintenance window back, or end it early. Raises DataServiceUnknown, NotFound."""
    await queries.get_data_service(work.session, work.caller, code)
    row = await work.session.get(DataServiceWindow, window_id)
    if row is None or row.service != code:
        raise NotFound("No such maintenance window.")
    await work.session.delete(row)
    await _note(work, code, row.version, "window_removed", {"id": str(window_id)})


def _check_revision(revision: int, if_revision: int | None) -> None:
    if if_revision is None:
        raise RegistryVersionMissing(f'Read the entry, change it, and send If-Match with its ETag (now "{revision}").')
    if if_revision != revision:
        raise RegistryChanged("Read the entry again and send its ETag as If-Match.")


def _checked(hosts: AllowedHosts, field: str, url: str) -> str:
    try:
        return hosts.check(url)
    except HostNotAllowed as problem:
        raise invalid(field, str(problem), "Địa chỉ chưa được phép hoặc chưa đúng.") from problem


def _checked_contract(contract: Mapping[str, Any]) -> Mapping[str, Any]:
    if len(orjson.dumps(contract)) > CONTRACT_BYTES_MAX:
        raise invalid("contract", "At most 1 MiB.", "Hợp đồng OpenAPI tối đa 1 MiB.")
    try:
        Contract(contract)
    except ContractInvalid as problem:
        raise invalid("contract", str(problem), "Hợp đồng OpenAPI chưa hợp lệ.") from problem
    return contract


def _sealed(credentials: object, hosts: AllowedHosts, sealer: Sealer, purpose: str) -> bytes | None:
    if not isinstance(credentials, BaseModel):
        return None
    if not sealer:
        raise SealingKeyMissing("Set MOTCUA_SEALING_KEYS first: credentials are kept sealed or not at all.")
    if isinstance(credentials, ClientCredentials):
        _checked(hosts, "credentials.token_url", credentials.token_url)
    return sealer.seal(credentials.model_dump_json().encode(), purpose)


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the history keeps them: of a contract, what names it."""
    told = dict(values)
    if "contract" in told:
        told["contract_sha256"] = hashlib.sha256(orjson.dumps(told.pop("contract"))).hexdigest()
    return told


async def _note(work: Work, code: str, version: str | None, action: str, detail: Mapping[str, Any]) -> None:
    work.session.add(
        DataServiceChange(
            service=code, version=version, action=action, actor=work.caller.client_id, at=work.now, detail=dict(detail)
        )
    )
    await work.session.execute(_NOTIFY, {"channel": CHANNEL})
