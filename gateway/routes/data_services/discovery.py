"""What can be called, by the names of X-Road's metaservices.

Source: X-Road Service Metadata Protocol for REST (PR-MREST), annex B; GovStack's Information Mediator took them over.
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from gateway.data_services.snapshot import Registry, Service, Version
from gateway.errors import DataServiceUnknown
from gateway.operations.rights import Rights
from gateway.schemas import Endpoint, MethodList, ServiceMethods
from shared.caller import Caller
from shared.http import CallerDep, problem_responses

router = APIRouter(
    prefix="/api/v1/data-services", tags=["data services"], responses=problem_responses(401, 404, 422, 503)
)
INSTANCE, MEMBER_CLASS = "VN", "GOV"
Allowed = Callable[[str, str], bool]


@router.get("/listMethods")
async def list_methods(request: Request, caller: CallerDep) -> MethodList:
    """List the data services that you may know of, with all operations of their default versions."""
    rights, registry = _rights(request), _registry(request)
    known = [one for one in registry.services.values() if _knows(rights, caller, one)]
    return _listed(known, lambda _service: lambda _method, _path: True)


@router.get("/allowedMethods")
async def allowed_methods(request: Request, caller: CallerDep) -> MethodList:
    """List the operations that you may call."""
    del caller
    rights, registry = _rights(request), _registry(request)
    known = [one for one in registry.services.values() if rights.knows(one.code)]

    def allowed(service: Service) -> Allowed:
        return lambda method, path: rights.may_call(service.code, method, path)

    return _listed(known, allowed)


@router.get("/getOpenAPI")
async def get_open_api(
    request: Request,
    caller: CallerDep,
    service_code: Annotated[str, Query(alias="serviceCode", max_length=64)],
    version: Annotated[str | None, Query(pattern="^v[1-9][0-9]{0,2}$")] = None,
) -> dict[str, Any]:
    """Answer with the OpenAPI document of a service, its addresses being ours."""
    service = _registry(request).find(service_code)
    if service is None or not _knows(_rights(request), caller, service):
        raise DataServiceUnknown("No such data service.")
    found = service.versions.get(version) if version else service.default
    if found is None or not (found.active or found.retired):
        raise DataServiceUnknown("No such version of this data service.")
    url = f"{request.app.state.settings.issuer}/api/v1/data-services/{service.code}"
    return {**found.contract.document, "servers": [{"url": url if service.built_in else f"{url}/{found.name}"}]}


def _registry(request: Request) -> Registry:
    return request.app.state.data_services.registry


def _rights(request: Request) -> Rights:
    """Return what is registered of the client; without anything it may call nothing."""
    found = getattr(request.state, "rights", None)
    return found if isinstance(found, Rights) else Rights(client_id="")


def _knows(rights: Rights, caller: Caller, service: Service) -> bool:
    return rights.knows(service.code) or ("services:read" in caller.scopes and caller.may_see(service.agency))


def _listed(services: list[Service], allowed: Callable[[Service], Allowed]) -> MethodList:
    found = []
    for service in sorted(services, key=lambda one: one.code):
        version = service.default
        if version is not None:
            methods = _methods(service, version, allowed(service))
            if methods.endpoint_list:
                found.append(methods)
    return MethodList(service=found)


def _methods(service: Service, version: Version, allowed: Allowed) -> ServiceMethods:
    return ServiceMethods(
        service_code=service.code,
        service_version=version.name,
        xroad_instance=INSTANCE,
        member_class=MEMBER_CLASS,
        member_code=service.agency,
        endpoint_list=[
            Endpoint(method=one.method, path=one.endpoint)
            for one in version.contract.operations
            if allowed(one.method, one.endpoint)
        ],
    )
