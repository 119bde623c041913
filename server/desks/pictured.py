"""Templates with their pictures as a relay keeps them: ours have names of ours."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from channels.alimtalk.template import Image, Template
from server.store import alimtalk_images as images
from server.store.sessions import ReadSession

from .telling import Whose


async def at_relay(
    session: ReadSession, whose: Whose, templates: Mapping[int, Template]
) -> dict[int, Template]:
    """Of a picture that the relay does not have the name stays as it is."""
    found: dict[int, Template] = dict(templates)
    pictures = await _placed(session, whose, "image", (one.image for one in found.values()))
    lights = (one.highlight.image for one in found.values() if one.highlight is not None)
    thumbnails = await _placed(session, whose, "thumbnail", lights)
    for number, one in found.items():
        if one.image is not None:
            one = replace(one, image=pictures.get(digest_of(one.image), one.image))
        if one.highlight is not None and one.highlight.image is not None:
            picture = thumbnails.get(digest_of(one.highlight.image), one.highlight.image)
            one = replace(one, highlight=replace(one.highlight, image=picture))
        found[number] = one
    return found


def digest_of(image: Image) -> str:
    return image.name.partition(".")[0]


async def _placed(
    session: ReadSession, whose: Whose, kind: str, pictures: Iterable[Image | None]
) -> dict[str, Image]:
    """By digest."""
    digests = sorted({digest_of(one) for one in pictures if one is not None})
    if not digests:
        return {}
    kept = await images.by_digests(session, whose.project_id, kind, digests)
    places = await images.places(session, whose.connection_id, [one.id for one in kept.values()])
    there = {digest: places[one.id] for digest, one in kept.items() if one.id in places}
    return {digest: Image(place.name, place.url) for digest, place in there.items()}
