"""The door to a time-stamping authority (RFC 3161 over HTTP, §3.4): a digest goes out, a token comes back."""

import secrets
from http import HTTPStatus

import aiohttp
from asn1crypto import algos, cms, core, tsp

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
TIMEOUT_S = 10
REPLY_BYTES_MAX = 64 * 1024
GRANTED = frozenset({"granted", "granted_with_mods"})


class AuthorityAway(Exception):
    """The authority cannot be reached now, or answers what is no reply."""


class AuthorityRefused(Exception):
    """The authority refused to stamp; the message holds its reason."""


class StampingAuthority:
    """An authority at a URL, asked for stamps under a policy (any, if none is named)."""

    def __init__(self, url: str, *, policy: str = "") -> None:
        self.url = url
        self._policy = policy

    async def stamp(self, digest: bytes, *, timeout_s: float = TIMEOUT_S) -> bytes:
        """Return a token (TimeStampToken, DER) for a SHA-256 digest, with the authority's certificates in it.

        That it answers this question (nonce, imprint) is checked here, its signature by whoever relies on it.
        Raises AuthorityAway, AuthorityRefused.
        """
        nonce = secrets.randbits(63)
        return token_of(await self._ask(query(digest, nonce=nonce, policy=self._policy), timeout_s), digest, nonce)

    async def _ask(self, asked: bytes, timeout_s: float) -> bytes:
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http,
                http.post(self.url, data=asked, headers={"Content-Type": QUERY}, allow_redirects=False) as answer,
            ):
                body = await answer.content.read(REPLY_BYTES_MAX + 1)
                while len(body) <= REPLY_BYTES_MAX and (more := await answer.content.read(REPLY_BYTES_MAX)):
                    body += more
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise AuthorityAway(type(problem).__name__) from problem
        if answer.status != HTTPStatus.OK or answer.content_type != REPLY or len(body) > REPLY_BYTES_MAX:
            raise AuthorityAway(f"HTTP {answer.status}, {answer.content_type}, {len(body)} bytes")
        return body


class Reply(core.Sequence):
    """TimeStampResp (RFC 3161 §2.4.2): a rejection has no token, which asn1crypto's own class cannot say."""

    _fields = [  # noqa: RUF012 - as asn1crypto has it
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


def query(digest: bytes, *, nonce: int, policy: str = "") -> bytes:
    """Return a TimeStampReq (DER) for a SHA-256 digest."""
    asked = {
        "version": "v1",
        "message_imprint": {
            "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "hashed_message": digest,
        },
        "nonce": nonce,
        "cert_req": True,
    }
    return tsp.TimeStampReq(asked | ({"req_policy": policy} if policy else {})).dump()


def token_of(reply: bytes, digest: bytes, nonce: int) -> bytes:
    """Return the token of a TimeStampResp (DER); raises AuthorityAway when it answers something else."""
    try:
        found = Reply.load(reply, strict=True)
        status = found["status"]["status"].native
        if status not in GRANTED:
            told = [*(found["status"]["status_string"].native or []), *(found["status"]["fail_info"].native or [])]
            raise AuthorityRefused(f"{status}: {'; '.join(told)}")
        token = found["time_stamp_token"]
        _check(token, digest, nonce)
        return token.dump()
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise AuthorityAway(f"no RFC 3161 reply: {problem}") from problem


def _check(token: cms.ContentInfo, digest: bytes, nonce: int) -> None:
    stamped = token["content"]["encap_content_info"]["content"].parsed
    if stamped["message_imprint"]["hashed_message"].native != digest or stamped["nonce"].native != nonce:
        raise AuthorityAway("the reply answers another question")
