"""Our message in the words of Meta's messages endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from channels import Message, Reason, Rejected
from pydantic import ValidationError

from sojourn_whatsapp.settings import WhatsAppOptions, WhatsAppSettings

LONGEST_REFERENCE = 512
LONGEST_CAPTION = 1024
LONGEST_TEXT = 4096
_LONGEST_TOLD = 500

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


def body_of(message: Message, settings: WhatsAppSettings) -> dict[str, Any] | Rejected:
    """The request that sends it, or why it cannot be one.

    A template goes before everything; without one, media go with the text as caption; or the text alone.
    """
    if not _NUMBER.fullmatch(message.to):
        return Rejected(Reason.INVALID_RECIPIENT, "to", "The number wants the form +821012345678.")
    try:
        options = WhatsAppOptions.model_validate(dict(message.options))
    except ValidationError as error:
        return Rejected(Reason.REQUEST_INVALID, "options", _told(error))
    kind = _kind_of(message, options, settings)
    if isinstance(kind, Rejected):
        return kind
    name, value = kind
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.to,
        "type": name,
        name: value,
    }
    if 0 < len(message.reference) <= LONGEST_REFERENCE:
        body["biz_opaque_callback_data"] = message.reference
    return body


def _kind_of(
    message: Message, options: WhatsAppOptions, settings: WhatsAppSettings
) -> tuple[str, dict[str, Any]] | Rejected:
    content = message.content
    if content.get("template"):
        return _template(message, options, settings)
    text, media = content.get("text", ""), content.get("media_url", "")
    if media:
        if len(text) > LONGEST_CAPTION:
            return _too_long("caption", LONGEST_CAPTION, text)
        return options.media_type, _media(media, options, text)
    if not text.strip():
        return Rejected(Reason.CONTENT_INVALID, "text", "A message wants a template, a text or media.")
    if len(text) > LONGEST_TEXT:
        return _too_long("text", LONGEST_TEXT, text)
    return "text", {"body": text, "preview_url": options.preview_url}


def _template(
    message: Message, options: WhatsAppOptions, settings: WhatsAppSettings
) -> tuple[str, dict[str, Any]] | Rejected:
    parameters = _parameters(message.variables)
    if isinstance(parameters, Rejected):
        return parameters
    components = list(_header(message.content.get("media_url", ""), options))
    if parameters:
        components.append({"type": "body", "parameters": parameters})
    components += [_button(one.index, one.type, one.value) for one in options.buttons]
    template: dict[str, Any] = {
        "name": message.content["template"],
        "language": {"code": message.content.get("language") or settings.language},
    }
    if components:
        template["components"] = components
    return "template", template


def _parameters(variables: Mapping[str, str]) -> list[dict[str, str]] | Rejected:
    """In the order of their numbers, or each with its name: a template has the one kind or the other."""
    named = {name.strip("{} "): value for name, value in variables.items()}
    numbers = [name for name in named if name.isascii() and name.isdecimal()]
    if not numbers:
        return [{"type": "text", "parameter_name": name, "text": value} for name, value in named.items()]
    wanted = [str(number) for number in range(1, len(named) + 1)]
    if sorted(named) != sorted(wanted):
        found = ", ".join(sorted(named))[:_LONGEST_TOLD]
        return Rejected(
            Reason.TEMPLATE_MISMATCH, "variables", f"Wanted 1, 2, 3 … without a gap, or names; found {found}."
        )
    return [{"type": "text", "text": named[number]} for number in wanted]


def _header(media_url: str, options: WhatsAppOptions) -> Iterable[dict[str, Any]]:
    if media_url:
        media = {"type": options.media_type, options.media_type: _media(media_url, options)}
        yield {"type": "header", "parameters": [media]}
    elif options.header_text:
        name = {"parameter_name": options.header_name} if options.header_name else {}
        yield {"type": "header", "parameters": [{"type": "text", **name, "text": options.header_text}]}


def _media(url: str, options: WhatsAppOptions, caption: str = "") -> dict[str, str]:
    said = {"link": url}
    if caption:
        said["caption"] = caption
    if options.filename and options.media_type == "document":
        said["filename"] = options.filename
    return said


_BUTTON_WORDS = {"url": "text", "quick_reply": "payload", "copy_code": "coupon_code"}


def _button(index: int, kind: str, value: str) -> dict[str, Any]:
    word = _BUTTON_WORDS[kind]
    parameters = [{"type": word, word: value}]
    return {"type": "button", "sub_type": kind, "index": str(index), "parameters": parameters}


def _too_long(what: str, most: int, text: str) -> Rejected:
    return Rejected(
        Reason.CONTENT_INVALID, what, f"A {what} has at most {most} characters; this one has {len(text)}."
    )


def _told(error: ValidationError) -> str:
    places = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return places[:_LONGEST_TOLD]
