"""A Brand Message: an advertisement by KakaoTalk, written out or by a template of the relay."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from .sending import ADVERTISEMENT, MessageStep, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandMessage(MessageStep):
    """Its options say whom it targets, and what it shows: pictures, products, a coupon, buttons."""

    kind: ClassVar[str] = "brand_message"
    on: ClassVar[str] = "brand_message"
    purposes: ClassVar[tuple[str, ...]] = (ADVERTISEMENT,)
    texts: ClassVar[Mapping[str, Text]] = {"text": Text(10_000), "template": Text(100)}
