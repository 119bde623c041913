"""How an advertisement has to name itself in Korea: the label, who sends it, and the free way out.

Network Act, Article 50(4), and the table to Article 61 of its decree. Data first: the forms by channel.
Texts are templates; what has to stand there literally has to stand there before anything is filled in.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

LABEL = "(광고)"
WAY_OUT = "무료수신거부"
_LIKE_THE_LABEL = re.compile(r"[\s\W_]*(?:광\s*고|ad|advertisement)[\s\W_]+", re.IGNORECASE)
_WAY_OUT_AT_END = re.compile(r"무료\s?수신거부\s*:?\s*0\d{1,3}[-\s]?\d{3,4}[-\s]?\d{3,4}\s*\Z")
_NAMED = re.compile(r"\(광고\)[ \t]*[^\s]")


class Form(NamedTuple):
    """What an advertisement on a channel has to say, and where."""

    begins: tuple[str, ...]
    """Content that begins with the label: the first of these that the message has."""
    names_sender: bool = False
    """Whether the sender's name stands right behind the label."""
    ends: str = ""
    """Content that ends with the free way out and its number."""


FORMS: Mapping[str, Form] = {
    "sms": Form(("text",), names_sender=True, ends="text"),
    "email": Form(("subject",)),
    "push": Form(("title", "text")),
}
"""Brand messages are labelled by KakaoTalk itself; what an app shows inside itself is not sent."""


class Wrong(NamedTuple):
    """What is wrong with a content, by its name."""

    content: str
    message: str


def wrongs(channel: str, content: Mapping[str, str]) -> Iterator[Wrong]:
    """What an advertisement lacks on this channel; nothing on those without a form."""
    form = FORMS.get(channel)
    if form is None:
        return
    name = next((one for one in form.begins if content.get(one)), form.begins[0])
    text = content.get(name, "")
    if not text.startswith(LABEL):
        yield Wrong(name, _about_label(text))
    elif form.names_sender and not _NAMED.match(text):
        yield Wrong(name, f"An advertisement says who sends it right behind {LABEL}: `{LABEL}상호명 …`.")
    if form.ends and not _WAY_OUT_AT_END.search(content.get(form.ends, "")):
        message = f"An advertisement ends with a free way out and its number: `{WAY_OUT} 080-000-0000`."
        yield Wrong(form.ends, message)


def _about_label(text: str) -> str:
    message = f"An advertisement begins with exactly `{LABEL}` in Korea"
    found = _LIKE_THE_LABEL.match(text)
    if found is None:
        return f"{message}, before anything else."
    return f"{message}; `{found[0].strip()}` is another spelling, and not allowed."
