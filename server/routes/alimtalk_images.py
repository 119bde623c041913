"""Pictures of templates, by their unguessable names: for previews, as relays show theirs."""

import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.store import alimtalk_images as images
from server.store.database import Database

_NAME = re.compile(r"([0-9a-f]{32})\.(png|jpg)")
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@dataclass(frozen=True, slots=True)
class ImageDoor:
    """A picture's name is made of all that is in it: whoever knows it has seen the picture."""

    db: Database

    def routes(self) -> list[Route]:
        return [Route("/alimtalk/images/{name}", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        named = _NAME.fullmatch(request.path_params["name"])
        async with self.db.read() as session:
            found = await images.by_digest(session, named[1]) if named else None
        if found is None:
            return Response("There is no such picture.", 404)
        return Response(found.content, media_type=found.media_type, headers=_HEADERS)
