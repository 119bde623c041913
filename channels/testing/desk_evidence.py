"""What a relay's desk is checked with: a template that it takes, and somebody who plays the reviewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from channels.alimtalk.desk import Attachment
from channels.alimtalk.template import Image, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskEvidence:
    """What an author shows of a desk. The more is given, the more is checked. All of it is really done, so
    let the tools lead to a fake relay or to a test account."""

    template: Template
    """One that the relay takes."""
    code: str = "CHECK_01"
    """What it is called where the sender chooses."""
    approve: Callable[[str], object] | None = None
    """Has the relay approve the template of this code."""
    reject: Callable[[str, str], object] | None = None
    """Has the relay reject it, for this reason."""
    approved_code: str = ""
    """Of a template that is approved already, where the desk cannot register any."""
    search_id: str = "@check"
    phone: str = "01012345678"
    token: Callable[[str], str] | None = None
    """The token that the administrator of the channel of this name was sent."""
    picture: Attachment | None = None
    """A good one, 2:1."""


def comparable(template: Template | None) -> Template | None:
    """Without what a relay may keep in words of its own: a picture it knows by one name."""
    if template is None:
        return None
    highlight = template.highlight
    if highlight is not None:
        highlight = replace(highlight, image=_known(highlight.image))
    return replace(template, image=_known(template.image), highlight=highlight, more={})


def _known(image: Image | None) -> Image | None:
    return Image(image.name or image.url) if image else None
