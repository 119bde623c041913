"""`/sdk.js`: the script that shops put into their web pages. Served as it is written, comments and all."""

import gzip
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SDK = Path(__file__).with_name("sdk.js")

_HEADERS = {
    "Content-Type": "text/javascript; charset=utf-8",
    # An hour, and then a look whether it has changed: a new server's script is everywhere by the next day.
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Vary": "Accept-Encoding",
    # Pages of any shop may load it, also those that isolate themselves from other sites.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


def sdk_route() -> Route:
    plain = SDK.read_bytes()
    packed = gzip.compress(plain, 9, mtime=0)
    # Weak, because it stands for the script and not for the bytes that an encoding makes of it.
    tag = f'W/"{hashlib.sha256(plain).hexdigest()[:20]}"'
    headers = {**_HEADERS, "ETag": tag}

    async def sdk(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, headers={**headers, "Content-Encoding": "gzip"})
        return Response(plain, headers=headers)

    return Route("/sdk.js", sdk, methods=["GET"])
