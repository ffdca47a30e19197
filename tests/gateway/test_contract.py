"""The contract of the door, as it is served."""

import json

from starlette.responses import Response

from gateway.routes.contract import Contract
from tests.gateway.backstage import Backstage, Heard
from tests.gateway.visitor import Visitor

PART = {
    "openapi": "3.1.0",
    "info": {"title": "x", "version": "1"},
    "paths": {"/dossiers": {"get": {"operationId": "list", "responses": {"200": {"description": "All."}}}}},
}


class TestServed:
    """GET /api/v1/openapi.json: everything in one document, without a token."""

    async def test_names_what_the_services_offer(self, visitor: Visitor, backstage: Backstage) -> None:
        async def described(_: Heard) -> Response:
            return Response(json.dumps(PART))

        backstage.answer = described
        upstream = visitor.app.state.upstream
        visitor.app.state.contract = Contract(upstream, url="https://motcua.example")
        answer = await visitor.http.get("/api/v1/openapi.json")
        assert answer.status_code == 200
        found = answer.json()
        assert "/api/v1/dossiers" in found["paths"]
        assert "/api/v1/sync/changes" in found["paths"]
        assert [one["url"] for one in found["servers"]] == ["https://motcua.example"]
        again = await visitor.http.get("/api/v1/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
