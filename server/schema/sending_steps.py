"""The steps of a graph that send messages."""

import strawberry
from strawberry.scalars import JSON

from .fallbacks import Fallback
from .named_texts import NamedText
from .outcomes import StepOutcome
from .sending_rules import EndpointChoice, StepFrequencyCap, StepVoucher
from .steps import Step
from .words import ChannelName, Purpose


@strawberry.interface(
    description="A step that sends messages and goes on at once, or when it knows what became of them. Its "
    "texts are Liquid templates."
)
class SendingStep(Step):
    channel: ChannelName = strawberry.field(description="How the user is reached.")
    connection: str | None = strawberry.field(
        description="The name of the connection that sends it; null: the project's order decides."
    )
    purpose: Purpose = strawberry.field(description="What it is for.")
    expires_after_seconds: int | None = strawberry.field(
        description="For how long it is of use; null: for ever."
    )
    outcome: StepOutcome = strawberry.field(description="What it waits to know before it goes on.")
    variables: list[NamedText] = strawberry.field(
        description="Values for a template that the provider keeps.", metadata={"list_size": 5}
    )
    options: JSON | None = strawberry.field(description="What only the connection's adapter understands.")
    send_to: EndpointChoice = strawberry.field(description="Which of the user's addresses are written to.")
    frequency_cap: StepFrequencyCap = strawberry.field(
        description="How it stands to the project's frequency caps."
    )
    voucher: StepVoucher | None = strawberry.field(description="Where each message gets a code from.")
    fallback: Fallback | None = strawberry.field(
        description="What goes out in the place of a message that did not arrive; null for nothing."
    )


@strawberry.type(description="Sends one e-mail and goes on at once. Its texts are Liquid templates.")
class EmailStep(SendingStep):
    subject: str = strawberry.field(description="The subject.")
    html: str = strawberry.field(description="The HTML body; may be empty if there is a text.")
    text: str = strawberry.field(description="The plain body; may be empty if there is HTML.")
    from_name: str = strawberry.field(description="The sender's name; the connection's if empty.")
    reply_to: str = strawberry.field(description="Where answers go; the connection's if empty.")


@strawberry.type(description="Notifies each of the user's devices.")
class PushStep(SendingStep):
    message_title: str = strawberry.field(description="The notification's title; may be empty.")
    text: str = strawberry.field(description="The notification's text; may be empty.")
    url: str = strawberry.field(description="Where a tap leads; may be empty.")
    image_url: str = strawberry.field(description="A picture that is shown; may be empty.")


@strawberry.type(description="Sends a text message to the user's number.")
class SmsStep(SendingStep):
    text: str = strawberry.field(description="The text.")
    message_title: str = strawberry.field(description="The title of a long message; may be empty.")
    image_url: str = strawberry.field(description="A picture that goes with it; may be empty.")


@strawberry.type(description="Sends a WhatsApp message.")
class WhatsappStep(SendingStep):
    template: str = strawberry.field(description="The name of the approved template; may be empty.")
    language: str = strawberry.field(description="The template's language; may be empty.")
    text: str = strawberry.field(description="The text; may be empty.")
    media_url: str = strawberry.field(description="What is shown with it; may be empty.")


@strawberry.type(description="Sends an Alimtalk by KakaoTalk.")
class AlimtalkStep(SendingStep):
    template: str = strawberry.field(
        description="The key of a template of the project, or else the relay's own code of an approved one."
    )
    text: str = strawberry.field(description="The whole text as approved; may be empty.")
    message_title: str = strawberry.field(description="The emphasised title; may be empty.")


@strawberry.type(description="Sends an advertisement by KakaoTalk.")
class BrandMessageStep(SendingStep):
    text: str = strawberry.field(description="The text; may be empty where the type has none.")
    template: str = strawberry.field(description="The relay's code of the template; may be empty.")


@strawberry.type(description="Puts a message into the user's inbox inside the app.")
class InAppStep(SendingStep):
    message_title: str = strawberry.field(description="Its title; may be empty.")
    text: str = strawberry.field(description="Its text; may be empty.")
    url: str = strawberry.field(description="Where a tap leads; may be empty.")
    image_url: str = strawberry.field(description="A picture that is shown; may be empty.")


@strawberry.type(description="Tells another server about the user.")
class WebhookStep(SendingStep):
    text: str = strawberry.field(description="A text that is told; may be empty.")


@strawberry.type(description="Sends a message on any channel by its name.")
class MessageStep(SendingStep):
    channel_name: str = strawberry.field(description="The name of the channel.")
    content: list[NamedText] = strawberry.field(
        description="The fields of the message, by name.", metadata={"list_size": 5}
    )
