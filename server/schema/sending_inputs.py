"""The steps of a drawn graph that send messages, as they come in."""

import strawberry
from strawberry.scalars import JSON

from .fallbacks import FallbackInput
from .named_texts import NamedTextInput
from .sending_rules import EndpointChoice, StepFrequencyCapInput, StepVoucherInput
from .step_inputs import NodeInput
from .words import IfNotSent, Purpose, SplitBy


@strawberry.input(description="What all message steps have.")
class SendingInput(NodeInput):
    title: str | None = strawberry.field(
        default=None, description="What people call the step; the key by default."
    )
    connection: str | None = strawberry.field(
        default=None,
        description="The name of the connection that sends it. Without one the project's order of "
        "preference decides, and another may step in for one that cannot send.",
    )
    purpose: Purpose | None = strawberry.field(
        default=None, description="What it is for: INFORMATION by default."
    )
    expires_after_seconds: int | None = strawberry.field(
        default=None,
        description="For how long it is of use, from a second to 366 days: later it does not leave.",
    )
    split_by: SplitBy | None = strawberry.field(
        default=None,
        description="Splits by whether this happens: leaves by its word at once, by `not_` and the word when "
        "the time is over.",
    )
    split_after_seconds: int | None = strawberry.field(
        default=None, description="How long it waits for that: a day by default, at most 90."
    )
    if_not_sent: IfNotSent | None = strawberry.field(
        default=None,
        description="What happens to whoever cannot be sent to: GO_ON by default. Anything else waits until "
        "the provider has taken the message over.",
    )
    variables: list[NamedTextInput] | None = strawberry.field(
        default=None,
        description="Values for a template that the provider keeps, by the name there: up to 50.",
    )
    options: JSON | None = strawberry.field(
        default=None,
        description="An object that only the connection's adapter understands: `channels { optionsSchema }` "
        "describes it. Every text inside is a Liquid template.",
    )
    send_to: EndpointChoice | None = strawberry.field(
        default=None, description="Which of the user's addresses: ALL by default."
    )
    frequency_cap: StepFrequencyCapInput | None = strawberry.field(
        default=None, description="How it stands to the project's frequency caps: it obeys them by default."
    )
    voucher: StepVoucherInput | None = strawberry.field(
        default=None, description="A code for each message; none by default."
    )
    fallback: FallbackInput | None = strawberry.field(
        default=None,
        description="What goes out in the place of a message that could not be sent or did not arrive "
        "(대체발송); nothing by default. Not for advertisements.",
    )


@strawberry.input(description="Sends one e-mail and goes on at once. Its texts are Liquid templates.")
class EmailStepInput(SendingInput):
    subject: str = strawberry.field(description="The subject.")
    html: str | None = strawberry.field(default=None, description="The HTML body; this, `text`, or both.")
    text: str | None = strawberry.field(default=None, description="The plain body; this, `html`, or both.")
    from_name: str | None = strawberry.field(default=None, description="The sender's name.")
    reply_to: str | None = strawberry.field(default=None, description="Where answers go.")


@strawberry.input(description="Notifies each of the user's devices. Its texts are Liquid templates.")
class PushStepInput(SendingInput):
    message_title: str | None = strawberry.field(
        default=None, description="The notification's title; this, `text`, or both."
    )
    text: str | None = strawberry.field(
        default=None, description="The notification's text; this, `messageTitle`, or both."
    )
    url: str | None = strawberry.field(default=None, description="Where a tap leads.")
    image_url: str | None = strawberry.field(default=None, description="A picture that is shown.")


@strawberry.input(description="Sends a text message to the user's number. Its texts are Liquid templates.")
class SmsStepInput(SendingInput):
    text: str = strawberry.field(description="The text.")
    message_title: str | None = strawberry.field(
        default=None, description="The title of a long message, where there are such."
    )
    image_url: str | None = strawberry.field(default=None, description="A picture that goes with it.")


@strawberry.input(
    description="Sends a WhatsApp message: an approved template, or a text or media in answer to the user. "
    "Its texts are Liquid templates."
)
class WhatsappStepInput(SendingInput):
    template: str | None = strawberry.field(default=None, description="The name of the approved template.")
    language: str | None = strawberry.field(default=None, description="The template's language, e.g. ko.")
    text: str | None = strawberry.field(default=None, description="The text, where no template is used.")
    media_url: str | None = strawberry.field(default=None, description="What is shown with it.")


@strawberry.input(description="Sends an Alimtalk by KakaoTalk. Its texts are Liquid templates.")
class AlimtalkStepInput(SendingInput):
    template: str = strawberry.field(
        description="The key of a template of the project, which says all the rest; or else the relay's own "
        "code of an approved one."
    )
    text: str | None = strawberry.field(
        default=None,
        description="The whole text as approved, for relays that do not fill templates; not with a template "
        "of the project.",
    )
    message_title: str | None = strawberry.field(default=None, description="The emphasised title.")


@strawberry.input(
    description="Sends a Brand Message, an advertisement by KakaoTalk: written out, or by a template that "
    "the relay keeps. Its texts are Liquid templates. `options` say its type, whom it targets, and what "
    "it shows: picture, products, coupon, buttons. KakaoTalk prints `(광고)` itself."
)
class BrandMessageStepInput(SendingInput):
    text: str | None = strawberry.field(default=None, description="The text, where the type has one.")
    template: str | None = strawberry.field(
        default=None, description="The relay's code of a template; `variables` fill it."
    )


@strawberry.input(
    description="Puts a message into the user's inbox inside the app. Its texts are Liquid templates."
)
class InAppStepInput(SendingInput):
    message_title: str | None = strawberry.field(
        default=None, description="Its title; this, `text`, or both."
    )
    text: str | None = strawberry.field(default=None, description="Its text; this, `messageTitle`, or both.")
    url: str | None = strawberry.field(default=None, description="Where a tap leads.")
    image_url: str | None = strawberry.field(default=None, description="A picture that is shown.")


@strawberry.input(description="Tells another server about the user.")
class WebhookStepInput(SendingInput):
    text: str | None = strawberry.field(
        default=None, description="A text that is told, a Liquid template; more goes into `options.data`."
    )


@strawberry.input(
    description="Sends a message on any channel by its name, for channels that others have plugged in."
)
class MessageStepInput(SendingInput):
    channel_name: str = strawberry.field(
        description="The name of the channel, as its adapter gives it.", metadata={"stored": "channel"}
    )
    content: list[NamedTextInput] | None = strawberry.field(
        default=None, description="The fields of the message that the adapter knows, by name: up to 50."
    )
