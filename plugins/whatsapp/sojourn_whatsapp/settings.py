"""What an operator fills in, and what one message may say to WhatsApp alone."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr

MediaType: TypeAlias = Literal["image", "video", "document"]


class WhatsAppSettings(BaseModel):
    """One business phone number on Meta's Cloud API."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    access_token: SecretStr = Field(min_length=1, description="Of a system user, so that it does not expire.")
    phone_number_id: str = Field(
        pattern=r"^[0-9]{1,32}$",
        examples=["106540352242922"],
        description="Meta's id of the number, not the number.",
    )
    app_secret: SecretStr = Field(SecretStr(""), description="Signs callbacks; none: all are refused.")
    previous_app_secret: SecretStr = Field(SecretStr(""), description="Still good while it is changed.")
    verify_token: SecretStr = Field(
        SecretStr(""), description="Any text; Meta repeats it when the callback address is registered."
    )
    language: str = Field(
        "ko", pattern=r"^[A-Za-z]{2,3}(_[A-Za-z]{2,4})?$", description="Of templates, unless a message says."
    )
    api_version: str = Field("v25.0", pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$")
    base_url: str = Field("https://graph.facebook.com", pattern=r"^https?://")


class ButtonValue(BaseModel):
    """The value of one button of a template, by its place in the template (from 0)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int = Field(ge=0, le=9)
    type: Literal["url", "quick_reply", "copy_code"] = "url"
    value: str = Field(
        min_length=1, description="The end of the address, what the reply brings back, or the code."
    )


class WhatsAppOptions(BaseModel):
    """What a message can say to WhatsApp alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    header_text: str = Field("", description="The value in the heading of the template.")
    header_name: str = Field("", description="Its name there, when the template's values have names.")
    buttons: tuple[ButtonValue, ...] = ()
    media_type: MediaType = Field("image", description="What media_url leads to.")
    filename: str = Field("", description="What a document is called.")
    preview_url: bool = Field(False, description="Show a preview of the first link in a text.")
