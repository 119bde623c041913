"""A bubble as a piece of HTML: styled by itself, without scripts, and safe to put into a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape

from . import colours
from .parts import Bubble, Part, PartKind, Tap

_VARIABLE = re.compile(r"#\{[^{}]*\}")
_STYLE = f"""
.alimtalk{{width:320px;box-sizing:border-box;padding:14px;background:{colours.CHAT};color:{colours.INK};
font:15px/1.45 "Apple SD Gothic Neo","Noto Sans KR","Noto Sans CJK KR","Malgun Gothic",sans-serif}}
.alimtalk *{{box-sizing:border-box}}
.alimtalk-sender{{font-size:13px;margin:0 0 6px}}
.alimtalk-card{{background:{colours.CARD};border-radius:14px;overflow:hidden}}
.alimtalk-strip{{background:{colours.STRIP};padding:9px 14px;font-size:14px;font-weight:600}}
.alimtalk-image{{display:block;width:100%;aspect-ratio:2;object-fit:cover;background:{colours.LINE}}}
.alimtalk-inside{{padding:14px}}
.alimtalk-inside>*{{margin:0 0 8px}}
.alimtalk-subtitle,.alimtalk-extra,.alimtalk-ad_notice{{color:{colours.PALE};font-size:13px}}
.alimtalk-title{{font-size:21px;font-weight:700;line-height:1.3}}
.alimtalk-header{{font-weight:700;border-bottom:1px solid {colours.LINE};padding-bottom:10px}}
.alimtalk-highlight{{display:flex;justify-content:space-between;gap:8px}}
.alimtalk-highlight b{{display:block;font-size:18px}}
.alimtalk-highlight span{{color:{colours.PALE};font-size:13px}}
.alimtalk-highlight img{{width:54px;height:54px;object-fit:cover;border-radius:6px}}
.alimtalk-item,.alimtalk-summary{{display:flex;gap:10px}}
.alimtalk-item span,.alimtalk-summary span{{flex:0 0 76px;color:{colours.PALE}}}
.alimtalk-summary{{border-top:1px solid {colours.LINE};padding-top:8px;justify-content:space-between}}
.alimtalk-body,.alimtalk-extra{{white-space:pre-wrap;overflow-wrap:anywhere}}
.alimtalk-cut{{color:{colours.CUT};font-size:12px;font-weight:400}}
.alimtalk var{{font-style:normal;color:{colours.VARIABLE}}}
.alimtalk-button{{display:block;background:{colours.BUTTON};border-radius:6px;padding:9px;margin:0 0 6px;
text-align:center;font-size:14px}}
.alimtalk-button[data-type=AC]{{background:{colours.STRIP}}}
.alimtalk-replies{{display:flex;flex-wrap:wrap;gap:6px;margin-top:8px}}
.alimtalk-replies span{{background:{colours.CARD};border-radius:16px;padding:6px 12px;font-size:13px}}
""".replace("\n", "")


def draw_html(bubble: Bubble) -> str:
    """The bubble. Texts are escaped, and pictures are shown only from http and https."""
    inside = "".join(_part(part) for part in bubble.parts if part.kind is not PartKind.IMAGE)
    pictures = "".join(_part(part) for part in bubble.parts if part.kind is PartKind.IMAGE)
    buttons = "".join(_button(one) for one in bubble.buttons)
    replies = "".join(f"<span>{_marked(one.name)}</span>" for one in bubble.quick_replies)
    sender = f'<p class="alimtalk-sender">{escape(bubble.sender)}</p>' if bubble.sender else ""
    return (
        f'<article class="alimtalk" lang="ko"><style>{_STYLE}</style>{sender}'
        f'<div class="alimtalk-card"><div class="alimtalk-strip">알림톡 도착</div>{pictures}'
        f'<div class="alimtalk-inside">{inside}{buttons}</div></div>'
        + (f'<div class="alimtalk-replies">{replies}</div>' if replies else "")
        + "</article>"
    )


def _part(part: Part) -> str:
    draw = _OTHERS.get(part.kind)
    if draw is not None:
        return draw(part)
    return f'<p class="alimtalk-{part.kind}">{_marked(part.text)}{_where_cut(part)}</p>'


def _picture(part: Part) -> str:
    return f'<img class="alimtalk-image" alt="{escape(part.text)}"{_source(part.url)}>'


def _highlight(part: Part) -> str:
    image = f'<img alt=""{_source(part.url)}>' if part.url else ""
    words = f"<div><b>{_marked(part.text)}</b><span>{_marked(part.description)}</span></div>"
    return f'<div class="alimtalk-highlight">{words}{image}</div>'


def _row(part: Part) -> str:
    kind = part.kind.value
    words = f"<span>{_marked(part.text)}</span><div>{_marked(part.description)}</div>"
    return f'<div class="alimtalk-{kind}">{words}</div>'


_OTHERS: Mapping[PartKind, Callable[[Part], str]] = {
    PartKind.IMAGE: _picture,
    PartKind.HIGHLIGHT: _highlight,
    PartKind.ITEM: _row,
    PartKind.SUMMARY: _row,
}


def _button(tap: Tap) -> str:
    leads_to = escape(tap.link.mobile or tap.link.pc or tap.link.android or tap.link.ios or tap.phone)
    return (
        f'<span class="alimtalk-button" data-type="{escape(tap.type)}" title="{leads_to}">'
        f"{_marked(tap.name)}</span>"
    )


def _where_cut(part: Part) -> str:
    """Both systems cut at places of their own."""
    if not part.is_cut:
        return ""
    shown = part.shown
    return (
        f'<br><span class="alimtalk-cut">Android: {escape(shown.android)}<br>iOS: {escape(shown.ios)}</span>'
    )


def _source(url: str) -> str:
    return f' src="{escape(url)}"' if url.startswith(("https://", "http://")) else ""


def _marked(text: str) -> str:
    """Escaped, with what is not filled yet in a colour of its own."""
    return _VARIABLE.sub(lambda found: f"<var>{found[0]}</var>", escape(text))
