"""Files in an S3-compatible store: a real server in a process of its own, reached by the setting alone."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import obstore
import pytest
from obstore.store import from_url

from shared.blobs import BlobDamaged, BlobMissing, BlobStore, Keyring, StoreAway
from tests.shared.test_blobs import LARGE, chunks, read
from tests.shared.test_sealing import OLD

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
PATIENCE_S = 60


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                httpx.put(f"{url}/archive", timeout=5).raise_for_status()
                break
            except httpx.HTTPError:
                assert time.monotonic() < deadline, "the S3 server did not start"
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def s3(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": s3_url, "AWS_ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(name, value)
    return s3_url


@pytest.mark.parametrize("keys", ["", OLD], ids=["plain", "sealed"])
async def test_keeps_reads_and_distrusts_files_as_a_folder_does(s3: str, keys: str) -> None:
    assert s3
    url = f"s3://archive/{os.urandom(4).hex()}"
    store, raw = BlobStore(url, Keyring(keys)), from_url(url)
    for content in (b"x", LARGE):
        blob = await store.put(chunks(content), size_max=len(LARGE))
        assert await read(store, blob.sha256) == content
        assert await store.exists(blob.sha256)
        key = f"{blob.sha256[:2]}/{blob.sha256[2:4]}/{blob.sha256}"
        kept = bytes(await (await obstore.get_async(raw, key)).bytes_async())
        assert (kept == content) == (not keys)
        await obstore.put_async(raw, key, kept[:-1] + bytes([kept[-1] ^ 1]))
        with pytest.raises(BlobDamaged):
            await read(store, blob.sha256)
        await store.put(chunks(content), size_max=len(LARGE))
        assert await store.verify(blob.sha256)
        await obstore.delete_async(raw, key)
        with pytest.raises(BlobMissing):
            await store.get(blob.sha256)


async def test_a_store_that_is_away_is_said_to_be(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert s3
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(StoreAway):
        await BlobStore("s3://archive").get("0" * 64)
