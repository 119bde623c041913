"""Pictures: AT008, AT009."""

from __future__ import annotations

from collections.abc import Iterator

from channels.alimtalk.findings import Finding
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import Image, Template

from .about import About
from .rules import find

_KINDS = ("image/jpeg", "image/png")
_ENDINGS = (".jpg", ".jpeg", ".png")


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    image = template.image
    if template.emphasis == "IMAGE" and image is None:
        yield find("AT008", "missing", "image")
    elif image is not None and template.emphasis in ("NONE", "TEXT"):
        yield find("AT008", "unused", "image", emphasis=template.emphasis)
    if image is not None:
        yield from _kept(image, ("image",), "image")
        yield from check_image(image, limits)
    if template.highlight is not None and template.highlight.image is not None:
        thumbnail = template.highlight.image
        yield from _kept(thumbnail, ("highlight", "image"), "thumbnail")
        yield from check_thumbnail(thumbnail, limits, "highlight", "image")


def check_image(image: Image, limits: Limits, *path: str) -> Iterator[Finding]:
    """Whether a picture can be the one of the emphasis IMAGE, as far as it was looked at."""
    path, told = path or ("image",), _told(image, "800×400")
    if image.width and image.height and not _has_ratio(image, limits.image_ratio):
        yield find("AT009", "ratio", *path, field="image", ratio=f"{limits.image_ratio:g}:1", **told)
    if 0 < image.width < limits.image_width_least:
        least = f"{limits.image_width_least}×{limits.image_width_least / limits.image_ratio:g}"
        yield find("AT009", "small", *path, field="image", least=least, **told)
    yield from _file(image, limits, path, "image")


def check_thumbnail(image: Image, limits: Limits, *path: str) -> Iterator[Finding]:
    """Whether a picture can stand beside a highlight, as far as it was looked at."""
    path, told, side = path or ("highlight", "image"), _told(image, "400×400"), limits.thumbnail_side_least
    if image.width and image.height and image.width != image.height:
        yield find("AT009", "ratio", *path, field="thumbnail", ratio="1:1", **told)
    if 0 < image.width < side or 0 < image.height < side:
        yield find("AT009", "small", *path, field="thumbnail", least=f"{side}×{side}", **told)
    yield from _file(image, limits, path, "thumbnail")


def _told(image: Image, best: str) -> dict[str, object]:
    return {"width": image.width, "height": image.height, "best": best}


def _has_ratio(image: Image, ratio: float) -> bool:
    # A picture of an odd width cannot be halved: its nearest row is right.
    return abs(image.width / ratio - image.height) < 1


def _kept(image: Image, path: tuple[str, ...], field: str) -> Iterator[Finding]:
    # Some relays tell the name of a picture that they keep, some its address.
    if not image.url and not image.name:
        part, part_ko = "name and no address", "이름이나 주소"
        yield find("AT008", "incomplete", *path, field=field, part=part, part_ko=part_ko)
    elif image.url and not image.url.startswith(("http://", "https://")):
        yield find("AT008", "not_web", *path, "url", link=image.url[:80])


def _file(image: Image, limits: Limits, path: tuple[str, ...], field: str) -> Iterator[Finding]:
    if image.size > limits.image_bytes:
        found, limit = -(-image.size // 1024), limits.image_bytes // 1024
        yield find("AT009", "heavy", *path, field=field, found=found, limit=limit)
    if image.media_type:
        if image.media_type not in _KINDS:
            yield find("AT009", "kind", *path, field=field, found=image.media_type[:40])
    elif "." in image.name and not image.name.lower().endswith(_ENDINGS):
        yield find("AT009", "kind", *path, field=field, found=image.name[-40:])
