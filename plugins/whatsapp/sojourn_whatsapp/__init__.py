"""WhatsApp messages for Sojourn, through Meta's Cloud API."""

from collections.abc import Iterable

from channels import AnyChannel, hookimpl

from sojourn_whatsapp.channel import WhatsAppCloudChannel, WhatsAppSender
from sojourn_whatsapp.settings import ButtonValue, WhatsAppOptions, WhatsAppSettings

__all__ = [
    "ButtonValue",
    "WhatsAppCloudChannel",
    "WhatsAppOptions",
    "WhatsAppSender",
    "WhatsAppSettings",
    "register_channels",
]


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [WhatsAppCloudChannel()]
