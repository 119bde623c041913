"""Pictures of Brand Messages: fetched from where a message says, handed to the relay once, and known by the
relay's name of them.

Nothing of a message has left while its picture is under way, so silence here is `Deferred`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakValueDictionary

from channels.contract import Deferred, Instant, Outcome, Rejected, Tools, Unknown
from channels.http import told
from channels.kakao.brand import Brand
from channels.kakao.brand_options import BrandOptions
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

LARGEST_BYTES = 5 * 1024 * 1024
REMEMBERED = 1000
REMEMBERED_FOR = 24 * 3600 * 1000
"""Milliseconds. The picture behind an address may change."""
Picture: TypeAlias = tuple[str, str]
"""What it is for, and where it is."""
HandOver: TypeAlias = Callable[[str, str, bytes], Awaitable[str | Outcome]]
"""Hands a picture over: what it is for, a name for its file, and its bytes. Gives the relay's name of it, or
how a message that wants it ends."""
_KINDS = {"IMAGE": "image", "WIDE": "wide", "COMMERCE": "image"}
_CARDS = {"CAROUSEL_FEED": "feed", "CAROUSEL_COMMERCE": "commerce"}
_NO_PICTURE = "is no picture: JPEG or PNG of up to 5 MB is wanted."


class Pictures:
    """The pictures that one connection has handed to its relay."""

    def __init__(self, tools: Tools, hand_over: HandOver, own: tuple[str, ...] = ()) -> None:
        """`own` are beginnings of addresses that the relay gave its pictures itself."""
        self._tools, self._hand_over, self._own = tools, hand_over, own
        self._known: OrderedDict[Picture, tuple[str, Instant]] = OrderedDict()
        self._under_way: WeakValueDictionary[Picture, asyncio.Lock] = WeakValueDictionary()

    async def settle(self, found: Sequence[Brand | Outcome]) -> list[Brand | Outcome]:
        """The messages with the relay's names of their pictures; or how one without its picture ended."""
        wanted = {one for brand in found if isinstance(brand, Brand) for one in self._foreign(brand.options)}
        names = dict(zip(wanted, await asyncio.gather(*map(self._name, wanted)), strict=True))
        return [self._settled(one, names) if isinstance(one, Brand) else one for one in found]

    def _settled(self, brand: Brand, names: Mapping[Picture, str | Outcome]) -> Brand | Outcome:
        known: dict[Picture, str] = {}
        for one in self._foreign(brand.options):
            name = names[one]
            if not isinstance(name, str):
                return name
            known[one] = name
        return replace(brand, options=_with(brand.options, known)) if known else brand

    def _foreign(self, options: BrandOptions) -> Iterator[Picture]:
        """Those that are elsewhere; whatever else is named is the relay's own."""
        for kind, image in pictures_of(options):
            if image.startswith(("https://", "http://")) and not image.startswith(self._own or ("\0",)):
                yield kind, image

    async def _name(self, picture: Picture) -> str | Outcome:
        lock = self._under_way.setdefault(picture, asyncio.Lock())
        async with lock:
            known, until = self._known.get(picture, ("", 0))
            if known and self._tools.clock() < until:
                return known
            content = await self._fetch(picture[1])
            if not isinstance(content, bytes):
                return content
            name = await self._hand_over(picture[0], _file_of(content), content)
            if isinstance(name, str):
                self._known[picture] = (name, self._tools.clock() + REMEMBERED_FOR)
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            return name

    async def _fetch(self, url: str) -> bytes | Outcome:
        import httpx

        try:
            async with self._tools.outside.stream("GET", url) as answer:
                return await self._read(answer)
        except (httpx.InvalidURL, UnicodeError):
            return Rejected(Reason.CONTENT_INVALID, text="The picture's address is none.")
        except httpx.HTTPError as error:
            return self.later(f"The picture cannot be fetched: {told(error)}")

    async def _read(self, answer: httpx.Response) -> bytes | Outcome:
        if answer.status_code >= 500 or answer.status_code in (408, 425, 429):
            return self.later(f"The picture's server answers {answer.status_code}.")
        if answer.status_code != 200:
            text = f"The picture's address answers {answer.status_code}."
            return Rejected(Reason.CONTENT_INVALID, text=text)
        content = bytearray()
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > LARGEST_BYTES:
                break
        if len(content) > LARGEST_BYTES or not _file_of(bytes(content[:8])):
            return Rejected(Reason.CONTENT_INVALID, text=f"What its address gives {_NO_PICTURE}")
        return bytes(content)

    def later(self, text: str) -> Deferred:
        return Deferred(self._tools.clock(), Reason.PROVIDER_ERROR, text=text)


def pictures_of(options: BrandOptions) -> Iterator[Picture]:
    """Every picture of a message, in its order, with what it is for."""
    if options.image:
        yield _KINDS.get(options.type, "image"), options.image
    for place, item in enumerate(options.items):
        if item.image:
            yield "item" if place else "first_item", item.image
    if options.carousel:
        kind = _CARDS.get(options.type, "feed")
        if options.carousel.head and options.carousel.head.image:
            yield kind, options.carousel.head.image
        yield from ((kind, card.image) for card in options.carousel.cards if card.image)


def _with(options: BrandOptions, names: Mapping[Picture, str]) -> BrandOptions:
    """The options with these pictures by other names."""

    def named(kind: str, image: str) -> dict[str, str]:
        return {"image": names.get((kind, image), image)}

    changed: dict[str, object] = {**named(_KINDS.get(options.type, "image"), options.image)}
    changed["items"] = tuple(
        item.model_copy(update=named("item" if place else "first_item", item.image))
        for place, item in enumerate(options.items)
    )
    if carousel := options.carousel:
        kind = _CARDS.get(options.type, "feed")
        cards = tuple(card.model_copy(update=named(kind, card.image)) for card in carousel.cards)
        head = carousel.head and carousel.head.model_copy(update=named(kind, carousel.head.image))
        changed["carousel"] = carousel.model_copy(update={"cards": cards, "head": head})
    return options.model_copy(update=changed)


def _file_of(content: bytes) -> str:
    """A name for its file, by what it is; empty for what is no picture."""
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return "picture.png"
    return "picture.jpg" if content[:3] == b"\xff\xd8\xff" else ""


def refused_picture(outcome: Outcome, pictures: Pictures) -> Outcome:
    """How a message ends whose picture the relay does not take."""
    if isinstance(outcome, Unknown):
        return pictures.later(f"The relay does not take the picture: {outcome.text}")
    if isinstance(outcome, Rejected) and outcome.reason is Reason.REQUEST_INVALID:
        # The request is always the same but for the picture, so that is what it does not like.
        return replace(outcome, reason=Reason.CONTENT_INVALID)
    return outcome
