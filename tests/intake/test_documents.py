"""Documents: uploaded once, named by a dossier, downloaded by those who may see it."""

import asyncio
import hashlib
from urllib.parse import quote
from uuid import uuid4

import pytest

from services.intake.storage import DOCUMENT_BYTES_MAX
from tests.intake.counter import DOSSIER, PDF, Counter, dossier

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"
JPEG = b"\xff\xd8\xff\xe0" + b"pixels"
SHA256 = hashlib.sha256(PDF).hexdigest()
NAME = "Tờ khai khai tử.pdf"


async def _uploaded(counter: Counter, *, name: str = "to-khai.pdf", client_id: str = "one-stop") -> str:
    answer = await counter.upload(name=name, client_id=client_id)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def _with(document_id: str) -> dict[str, object]:
    return dossier(documents=[{"component_code": "TP01", "document_id": document_id}, DOSSIER["documents"][1]])


class TestUpload:
    """Uploading a file."""

    async def test_answers_with_id_hash_and_size(self, counter: Counter) -> None:
        answer = await counter.upload(name=quote(NAME), query={"sha256": SHA256})
        found = answer.json()
        assert answer.status_code == 201, answer.text
        assert (found["sha256"], found["size_bytes"], found["name"]) == (SHA256, len(PDF), NAME)
        assert (found["media_type"], found["held"], found["component_code"]) == ("application/pdf", True, None)

    async def test_keeps_the_same_bytes_once(self, counter: Counter) -> None:
        first, second = [await _uploaded(counter) for _ in range(2)]
        assert first != second
        files = [path for path in counter.folder.rglob("*") if path.is_file()]
        assert [path.read_bytes() for path in files] == [PDF]

    async def test_is_done_once_per_key(self, counter: Counter) -> None:
        first = await counter.upload(key="same")
        again = await counter.upload(key="same")
        other = await counter.upload(PDF + b"more", key="same")
        assert (again.status_code, again.content) == (201, first.content)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")

    @pytest.mark.parametrize(("file", "media_type"), [(PNG, "image/png"), (JPEG, "image/jpeg")])
    async def test_takes_pictures(self, counter: Counter, file: bytes, media_type: str) -> None:
        assert (await counter.upload(file, media_type=media_type)).json()["media_type"] == media_type

    @pytest.mark.parametrize(
        ("file", "media_type"),
        [
            (PDF, "text/html"),
            (PDF, ""),
            (b"<html>", "application/pdf"),
            (b"", "application/pdf"),
            (b"%PD", "application/pdf"),
            (PNG, "image/jpeg"),
        ],
    )
    async def test_refuses_what_is_no_document_and_keeps_nothing(
        self, counter: Counter, file: bytes, media_type: str
    ) -> None:
        answer = await counter.upload(file, media_type=media_type)
        assert (answer.status_code, answer.json()["code"]) == (415, "document_type_refused")
        assert list(counter.folder.iterdir()) == []

    async def test_refuses_what_arrived_changed(self, counter: Counter) -> None:
        answer = await counter.upload(query={"sha256": "0" * 64})
        assert (answer.status_code, answer.json()["code"]) == (422, "hash_mismatch")
        assert await counter.rows("SELECT id FROM document") == []

    async def test_takes_twenty_mebibytes_and_no_more(self, counter: Counter) -> None:
        file = PDF.ljust(DOCUMENT_BYTES_MAX, b" ")
        assert (await counter.upload(file)).status_code == 201
        answer = await counter.upload(file + b" ")
        assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")

    @pytest.mark.parametrize("name", ["", "%00", "a%0Ab", "x" * 501])
    async def test_needs_a_name_that_can_be_shown(self, counter: Counter, name: str) -> None:
        assert (await counter.upload(name=name)).status_code == 422

    async def test_needs_the_right_before_a_byte_is_kept(self, counter: Counter) -> None:
        assert (await counter.upload(scopes=["dossiers:read"])).status_code == 403
        assert list(counter.folder.iterdir()) == []


class TestAttach:
    """Naming an uploaded document."""

    async def test_puts_it_into_the_dossier(self, counter: Counter) -> None:
        document_id = await _uploaded(counter, name=quote(NAME))
        code = (await counter.submit(_with(document_id))).json()["code"]
        (told,) = await counter.told(code)
        (document,) = [one for one in told.model_dump(mode="json")["documents"] if one["id"] == document_id]
        assert (document["component_code"], document["sha256"], document["digitised"]) == ("TP01", SHA256, True)
        assert (await counter.view(code))["documents"][0]["name"] == NAME

    async def test_happens_once(self, counter: Counter) -> None:
        document_id = await _uploaded(counter)
        assert (await counter.submit(_with(document_id))).status_code == 201
        answer = await counter.submit(_with(document_id))
        assert (answer.status_code, answer.json()["documents"]) == (409, [document_id])

    async def test_happens_once_also_among_those_that_come_together(self, counter: Counter) -> None:
        document_id = await _uploaded(counter)
        answers = await asyncio.gather(counter.submit(), *(counter.submit(_with(document_id)) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409, 409]

    async def test_is_for_the_client_that_uploaded_it(self, counter: Counter) -> None:
        document_id = await _uploaded(counter, client_id="somebody-else")
        assert (await counter.submit(_with(document_id))).json()["code"] == "document_not_usable"

    async def test_cannot_name_one_twice(self, counter: Counter) -> None:
        document_id = await _uploaded(counter)
        body = dossier(documents=[{"component_code": code, "document_id": document_id} for code in ("TP01", "TP02")])
        assert (await counter.submit(body)).json()["errors"][0]["field"] == "body.documents"

    async def test_serves_a_supplement_too(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "request-supplement")
        answer = {"documents": [{"component_code": "TP02", "document_id": await _uploaded(counter)}]}
        assert (await counter.do(code, "supplement", answer)).status_code == 200
        assert [one["held"] for one in (await counter.view(code))["documents"]].count(True) == 1


class TestDownload:
    """Reading a file."""

    async def test_gives_the_bytes_under_their_name(self, counter: Counter) -> None:
        document_id = await _uploaded(counter, name=quote(NAME))
        await counter.submit(_with(document_id))
        answer = await counter.get(f"/documents/{document_id}")
        assert (answer.status_code, answer.content) == (200, PDF)
        assert answer.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{quote(NAME)}"
        assert answer.headers["ETag"] == f'"{SHA256}"'
        again = await counter.get(f"/documents/{document_id}", sent={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")

    async def test_is_for_those_who_may_see_the_dossier(self, counter: Counter) -> None:
        document_id = await _uploaded(counter)
        before = [
            (await counter.get(f"/documents/{document_id}", client_id=client)).status_code
            for client in ("one-stop", "another")
        ]
        await counter.submit(_with(document_id))
        after = [
            (await counter.get(f"/documents/{document_id}", agency=agency, client_id="another")).status_code
            for agency in ("H32.14.21", "H32.14.22", None)
        ]
        assert (before, after) == ([200, 404], [200, 404, 404])

    async def test_a_hash_alone_opens_no_file(self, counter: Counter) -> None:
        """Somebody else uploaded the same bytes; knowing their hash is no right to read them."""
        await _uploaded(counter, client_id="somebody-else")
        documents = [{"component_code": "TP01", "sha256": SHA256}, DOSSIER["documents"][1]]
        view = await counter.view(await counter.submitted(documents=documents))
        answer = await counter.get(f"/documents/{view['documents'][0]['id']}")
        assert (answer.status_code, answer.json()["code"]) == (409, "document_not_held")

    async def test_an_unknown_one_is_not_there(self, counter: Counter) -> None:
        answer = await counter.get("/documents/01a204cd-e6f5-74f3-98a4-7c81b6e0ba3a")
        assert (answer.status_code, answer.json()["code"]) == (404, "document_not_found")


class TestPortalFile:
    """A file that another portal hands over."""

    @pytest.mark.parametrize("name", [None, "", "%01"])
    async def test_without_a_name_of_its_own_leaves_nothing(self, counter: Counter, name: str | None) -> None:
        """Also where the id is somebody else's: what is wrong with the call is told first."""
        taken = await _uploaded(counter)
        named = {} if name is None else {"X-Document-Name": name}
        headers = counter.headers(scopes=["portal"]) | {"Content-Type": "application/pdf"} | named
        for document_id in (taken, str(uuid4())):
            answer = await counter.client.put(
                f"/portal-files/{document_id}", params={"sha256": SHA256}, content=PDF, headers=headers
            )
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "header.x-document-name"
        assert [str(row["id"]) for row in await counter.rows("SELECT id FROM document")] == [taken]
