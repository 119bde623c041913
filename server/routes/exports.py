"""Hands out the files of exports, to whoever has a link that we have signed.

The signature is verified before anything else is looked at. A file comes out of the database piece by piece,
so that it does not matter how large it is, nor which process is asked.
"""

import re
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from server.clock import Clock
from server.exports.downloads import Downloads
from server.exports.formats import MEDIA_TYPES, Format
from server.signing import BadToken
from server.store import exports
from server.store.database import Database
from server.store.tables import Export

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_NEVER_KEPT = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class DownloadDoor:
    downloads: Downloads
    db: Database
    clock: Clock

    def routes(self) -> list[Route]:
        return [Route("/exports/{id}/download", self.download, methods=["GET"])]

    async def download(self, request: Request) -> Response:
        try:
            about = request.query_params.get("token", ""), request.path_params["id"]
            export_id, until = self.downloads.read(*about)
        except BadToken:
            return _told(403, "This link is incomplete or was changed. Ask for a fresh one.")
        now = self.clock.now()
        if now >= until:
            return _told(410, "This link has expired. Ask for a fresh one.")
        async with self.db.read() as session:
            export = await exports.find(session, export_id)
        if export is None or export.state != exports.READY:
            return _told(410, "The file is not there any more.")
        return self._answer(request, export)

    def _answer(self, request: Request, export: Export) -> Response:
        first, last = _wanted(request, export.size)
        headers = {
            **_NEVER_KEPT,
            "Accept-Ranges": "bytes",
            "Content-Disposition": disposition(export.file_name),
            "Content-Length": str(last - first),
        }
        if (first, last) == (0, export.size):
            status = 200
        elif first < last:
            status = 206
            headers["Content-Range"] = f"bytes {first}-{last - 1}/{export.size}"
        else:
            return _told(416, "There is no such part.", {"Content-Range": f"bytes */{export.size}"})
        media_type = MEDIA_TYPES[Format(export.format)]
        assert export.id is not None
        body = self._pieces(export.id, first, last if request.method == "GET" else first)
        return StreamingResponse(body, status, headers, media_type)

    async def _pieces(self, export_id: int, place: int, end: int) -> AsyncIterator[bytes]:
        while place < end:
            async with self.db.read() as session:
                chunk = await exports.chunk_at(session, export_id, place)
            if chunk is None:
                # Too few bytes came: whoever downloads it sees that it broke off.
                raise RuntimeError(f"export {export_id} was deleted while it was handed out")
            data = zlib.decompress(chunk.data)
            yield data[place - chunk.starts_at : end - chunk.starts_at]
            place = chunk.starts_at + chunk.size


def _wanted(request: Request, size: int) -> tuple[int, int]:
    """From which byte to which, the latter not included. All of it, where a part is asked for in another way
    than `bytes=first-last`; none, if the part lies beyond the end."""
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if asked is None or not any(asked.groups()) or "if-range" in request.headers:
        return 0, size
    first, last = asked.groups()
    if not first:
        return max(0, size - int(last)), size
    end = min(size, int(last) + 1) if last else size
    return (int(first), end) if int(first) < end else (size, size)


def disposition(name: str) -> str:
    """Names the file as RFC 6266 and RFC 5987 say; for old programs without what is not ASCII."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _told(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(text, status, {**_NEVER_KEPT, **(headers or {})})
