"""Signing a request to AWS: Signature Version 4, for every service but S3, whose paths differ. Pure."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from channels.contract import Instant

_ALGORITHM = "AWS4-HMAC-SHA256"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs, and for which service and region, e.g. `ses` in `ap-northeast-2`."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str
    service: str
    session_token: str = field(default="", repr=False)

    def sign(
        self, method: str, url: str, body: bytes, now: Instant, headers: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The headers to send, the given ones included; all of them but Authorization are signed.

        `url` is encoded already, as it goes over the wire.
        """
        stamp = datetime.fromtimestamp(now // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        sent = {**(headers or {}), "X-Amz-Date": stamp}
        if self.session_token:
            sent["X-Amz-Security-Token"] = self.session_token
        signed = {name.lower(): " ".join(value.split()) for name, value in sent.items()}
        signed["host"] = _host(url)
        names = ";".join(sorted(signed))
        scope = f"{stamp[:8]}/{self.region}/{self.service}/aws4_request"
        request = _canonical(method, url, signed, names, body)
        to_sign = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
        signature = hmac.new(self._key(stamp[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
        credential = f"Credential={self.access_key_id}/{scope}"
        proof = f"{_ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"
        return {**sent, "Authorization": proof}

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret_access_key}".encode()
        for part in (day, self.region, self.service, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key


def _canonical(method: str, url: str, signed: Mapping[str, str], names: str, body: bytes) -> str:
    split = urlsplit(url)
    lines = [f"{name}:{signed[name]}" for name in sorted(signed)]
    digest = hashlib.sha256(body).hexdigest()
    return "\n".join((method.upper(), _path(split.path), _query(split.query), *lines, "", names, digest))


def _path(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", ".", ".."):
            parts.append(part)
    end = "/" if parts and path.endswith("/") else ""
    # Encoded a second time: so it is asked for by every service but S3.
    return quote("/" + "/".join(parts) + end, safe="/~")


def _query(query: str) -> str:
    pairs = [part.partition("=") for part in query.split("&")] if query else []
    return "&".join(f"{name}={value}" for name, value in sorted((name, value) for name, _, value in pairs))


def _host(url: str) -> str:
    split = urlsplit(url)
    host = split.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if split.port in (None, _DEFAULT_PORTS.get(split.scheme)) else f"{host}:{split.port}"
