"""Pictures of templates: taken in, looked at, kept."""

import base64
import binascii
from dataclasses import dataclass
from hashlib import blake2b

from channels.alimtalk.limits import KAKAO
from channels.alimtalk.template import Image
from server.alimtalk.pictures import NoPicture, Picture, look
from server.context import Context
from server.store import alimtalk_images as images
from server.store.sessions import WriteSession
from server.store.tables import AlimtalkImage

from .once import Answer, once
from .refusals import Invalid

IMAGE, THUMBNAIL = "image", "thumbnail"
MOST_IMAGES = 500
"""Of a project."""
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg"}
_CONTENT = ("input", "content")


@dataclass(frozen=True, slots=True)
class Upload:
    kind: str
    content: str
    """As base64."""


def decoded(text: str, path: tuple[str, ...], most: int) -> bytes:
    """What is in a base64 text. Raises Invalid."""
    if len(text) > most * 4 // 3 + 1000:
        raise Invalid(f"At most {most // 1024:,} KiB are taken.", path)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("The content is no base64.", path) from error


async def upload(context: Context, given: Upload, key: str | None) -> Answer:
    """Keeps a picture; the same one again is the same. Raises Invalid."""
    content = decoded(given.content, _CONTENT, 2 * KAKAO.image_bytes)
    picture = checked(given.kind, content)
    digest = blake2b(content, digest_size=16).hexdigest()
    image = AlimtalkImage(
        project_id=context.project_id,
        kind=given.kind,
        digest=digest,
        name=f"{digest}.{_ENDINGS[picture.media_type]}",
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        content=content,
        created_at=context.clock.now(),
    )

    async def work(session: WriteSession) -> Answer:
        found = await images.by_digests(session, context.project_id, given.kind, [digest])
        if not found:
            if await images.count(session, context.project_id) >= MOST_IMAGES:
                raise Invalid(f"A project keeps at most {MOST_IMAGES} pictures.", _CONTENT)
            await images.add(session, image)
        return {"digest": digest}

    return await once(context, key, ("uploadAlimtalkImage", [given.kind, digest]), work)


async def get(context: Context, kind: str, digest: str) -> Image:
    """A kept picture, as templates name it."""
    async with context.db.read() as session:
        row = (await images.by_digests(session, context.project_id, kind, [digest], content=True))[digest]
    url = f"{context.settings.public_url.rstrip('/')}/alimtalk/images/{row.name}"
    return Image(row.name, url, row.width, row.height, len(row.content), row.media_type)


def checked(kind: str, content: bytes) -> Picture:
    """What the picture is. Raises Invalid with everything that keeps it from being used so."""
    try:
        picture = look(content)
    except NoPicture as error:
        raise Invalid(str(error), _CONTENT) from error
    wrong = list(_wrong(kind, picture, len(content)))
    if wrong:
        raise Invalid(" ".join(wrong), _CONTENT)
    return picture


def _wrong(kind: str, picture: Picture, size: int) -> list[str]:
    found = []
    if size > KAKAO.image_bytes:
        found.append(f"It has {size // 1024:,} KiB, and may have {KAKAO.image_bytes // 1024:,}.")
    about = f"found {picture.width} by {picture.height}"
    if kind == IMAGE and picture.width != picture.height * KAKAO.image_ratio:
        found.append(f"A picture is twice as wide as it is high, e.g. 800 by 400; {about}.")
    if kind == IMAGE and picture.width < KAKAO.image_width_least:
        found.append(f"A picture is at least {KAKAO.image_width_least} pixels wide; {about}.")
    if kind == THUMBNAIL and picture.width != picture.height:
        found.append(f"A thumbnail is square; {about}.")
    if kind == THUMBNAIL and picture.width < KAKAO.thumbnail_side_least:
        found.append(f"A thumbnail has at least {KAKAO.thumbnail_side_least} pixels a side; {about}.")
    return found
