"""A bubble as a picture in SVG, for documents, mails and reviews: texts only, no fonts and no network."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from . import colours
from .parts import Bubble, Part, PartKind

WIDTH, MARGIN, PADDING = 320, 14, 14
_INSIDE = WIDTH - 2 * MARGIN - 2 * PADDING
_LEFT = MARGIN + PADDING
_NO_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF])
_LABEL = 84
"""How wide the titles of items are."""
_FONT = "'Apple SD Gothic Neo','Noto Sans KR','Noto Sans CJK KR','Malgun Gothic',sans-serif"
_SIZES = {PartKind.TITLE: 20.0, PartKind.HIGHLIGHT: 17.0, PartKind.HEADER: 15.0, PartKind.BODY: 15.0}
_SMALL = 13.0
_PALE = (PartKind.SUBTITLE, PartKind.EXTRA, PartKind.AD_NOTICE)
_BOLD = (PartKind.TITLE, PartKind.HIGHLIGHT, PartKind.HEADER)


@dataclass(slots=True)
class _Sheet:
    """What is drawn so far, and how far down."""

    y: float = 0
    drawn: list[str] = field(default_factory=list)

    def text(
        self, text: str, *, x: float = _LEFT, width: float = _INSIDE, size: float = 15, **style: str
    ) -> None:
        for line in wrapped(text, width / size):
            self.y += size * 1.4
            self.line(line, x, size, **style)

    def line(self, text: str, x: float, size: float, **style: str) -> None:
        look = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
        place = f'x="{x:g}" y="{self.y:g}" font-size="{size:g}"{look}'
        self.drawn.append(f'<text {place} xml:space="preserve">{escape(text.translate(_NO_XML))}</text>')

    def box(self, x: float, y: float, width: float, height: float, fill: str, radius: float = 0) -> None:
        self.drawn.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" fill="{fill}"/>'
        )


def draw_svg(bubble: Bubble) -> str:
    """The bubble, as high as its texts are long."""
    card = _card(bubble)
    top = MARGIN + (20 if bubble.sender else 0)
    height = card.y + MARGIN
    back = _Sheet()
    back.box(0, 0, WIDTH, height + _replies_height(bubble), colours.CHAT)
    if bubble.sender:
        back.y = MARGIN + 10
        back.line(bubble.sender, MARGIN, _SMALL, fill=colours.INK)
    back.box(MARGIN, top, WIDTH - 2 * MARGIN, height - top - MARGIN / 2, colours.CARD, 14)
    replies = _replies(bubble, height)
    whole = height + _replies_height(bubble)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{whole:g}" '
        f'viewBox="0 0 {WIDTH} {whole:g}" font-family="{_FONT}" fill="{colours.INK}">'
        + "".join([*back.drawn, *card.drawn, *replies.drawn])
        + "</svg>"
    )


def wrapped(text: str, width: float) -> Iterator[str]:
    """The text in lines of at most so many times the size of its letters."""
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        for letter in paragraph:
            if line and used + _width(letter) > width:
                yield line
                line, used = "", 0.0
            line, used = line + letter, used + _width(letter)
        yield line


def _width(letter: str) -> float:
    """Hangul and its like are as wide as they are high; letters of the alphabet about half."""
    if unicodedata.combining(letter):
        return 0
    return 0.96 if unicodedata.east_asian_width(letter) in "WF" else 0.58


def _card(bubble: Bubble) -> _Sheet:
    top = MARGIN + (20 if bubble.sender else 0)
    sheet = _Sheet()
    sheet.box(MARGIN, top, WIDTH - 2 * MARGIN, 38, colours.STRIP, 14)
    sheet.box(MARGIN, top + 20, WIDTH - 2 * MARGIN, 18, colours.STRIP)
    sheet.y = top + 24
    sheet.line("알림톡 도착", _LEFT, 14, font_weight="600")
    sheet.y = top + 44
    for part in bubble.parts:
        _draw(sheet, part)
    for tap in bubble.buttons:
        fill = colours.STRIP if tap.type == "AC" else colours.BUTTON
        sheet.box(_LEFT, sheet.y + 8, _INSIDE, 36, fill, 6)
        sheet.y += 31
        sheet.line(tap.name, WIDTH / 2, 14, text_anchor="middle")
        sheet.y += 13
    sheet.y += PADDING
    return sheet


def _draw(sheet: _Sheet, part: Part) -> None:
    if part.kind is PartKind.IMAGE:
        _picture(sheet, part)
    elif part.kind in (PartKind.ITEM, PartKind.SUMMARY):
        _row(sheet, part)
    else:
        _words(sheet, part)
    sheet.y += 6


def _picture(sheet: _Sheet, part: Part) -> None:
    """Where it stands; the picture itself would be fetched from elsewhere."""
    wide = WIDTH - 2 * MARGIN
    sheet.box(MARGIN, sheet.y - 6, wide, wide / 2, colours.LINE)
    end = sheet.y + wide / 2
    sheet.y += wide / 4
    sheet.line(part.text or "이미지", WIDTH / 2, _SMALL, text_anchor="middle", fill=colours.PALE)
    sheet.y = end


def _row(sheet: _Sheet, part: Part) -> None:
    if part.kind is PartKind.SUMMARY:
        sheet.box(_LEFT, sheet.y + 4, _INSIDE, 1, colours.LINE)
        sheet.y += 6
    top, end = sheet.y, "end" if part.kind is PartKind.SUMMARY else "start"
    sheet.text(part.text, width=_LABEL, size=14, fill=colours.PALE)
    below, sheet.y = sheet.y, top
    x = _LEFT + _INSIDE if end == "end" else _LEFT + _LABEL
    sheet.text(part.description, x=x, width=_INSIDE - _LABEL, size=14, text_anchor=end)
    sheet.y = max(sheet.y, below)


def _words(sheet: _Sheet, part: Part) -> None:
    size = _SIZES.get(part.kind, _SMALL)
    fill = colours.PALE if part.kind in _PALE else colours.INK
    sheet.text(part.text, size=size, fill=fill, font_weight="700" if part.kind in _BOLD else "400")
    if part.description:
        sheet.text(part.description, size=_SMALL, fill=colours.PALE)
    if part.is_cut:
        shown = part.shown
        sheet.text(f"Android: {shown.android}", size=11, fill=colours.CUT)
        sheet.text(f"iOS: {shown.ios}", size=11, fill=colours.CUT)
    if part.kind is PartKind.HEADER:
        sheet.box(_LEFT, sheet.y + 8, _INSIDE, 1, colours.LINE)
        sheet.y += 8


def _replies_height(bubble: Bubble) -> float:
    return 40 * len(bubble.quick_replies)


def _replies(bubble: Bubble, top: float) -> _Sheet:
    sheet = _Sheet()
    for number, tap in enumerate(bubble.quick_replies):
        width = sum(map(_width, tap.name)) * _SMALL + 28
        sheet.box(MARGIN, top + 40 * number, width, 30, colours.CARD, 15)
        sheet.y = top + 40 * number + 20
        sheet.line(tap.name, MARGIN + 14, _SMALL)
    return sheet
