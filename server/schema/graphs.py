"""The graph of a journey: steps of a kind each, edges, goals."""

from typing import Any

import strawberry
from strawberry.scalars import JSON

from server.journey.steps import MESSAGES, channel_of
from server.journey.steps.sending import key_of
from server.journey.steps.split import OTHERWISE

from .words import ChannelName, JourneyKind, Match, Operator, Purpose, Reentry, word

Data = dict[str, Any]


@strawberry.type(description="A place on the canvas.")
class Position:
    x: float = strawberry.field(description="To the right.")
    y: float = strawberry.field(description="Downwards.")


@strawberry.type(description="One comparison with a named value.")
class Predicate:
    name: str = strawberry.field(
        description="The property's or attribute's name; `a.b` looks into an object."
    )
    operator: Operator = strawberry.field(description="How it is compared.")
    value: JSON | None = strawberry.field(description="With what; null for operators that need nothing.")


@strawberry.interface(description="A node of the graph. Its key is the same in every version.")
class Step:
    key: strawberry.ID = strawberry.field(description="Stable over versions, so that its figures go on.")
    title: str = strawberry.field(description="What people call it.")
    position: Position | None = strawberry.field(description="Where it is drawn.")
    outputs: list[str] = strawberry.field(description="The names of its ways out; each has one edge.")


@strawberry.type(description="Lets in whoever does something.")
class EntryEventStep(Step):
    event: str = strawberry.field(description="The event's name.")
    where: list[Predicate] = strawberry.field(
        description="What has to be true of the event's properties.", metadata={"list_size": 2}
    )


@strawberry.type(description="Waits for a length of time from the moment of arrival.")
class DelayStep(Step):
    duration_seconds: int = strawberry.field(description="How long.")


@strawberry.type(description="One question of a split.")
class Condition:
    attribute: Predicate | None = strawberry.field(description="Asks what is known of the user.")
    property: Predicate | None = strawberry.field(description="Asks the event that let the run in.")
    did: "Did | None" = strawberry.field(description="Asks what the user has done since the run entered.")


@strawberry.type(description="Whether the user did something since the run entered.")
class Did:
    event: str = strawberry.field(description="The event's name.")
    where: list[Predicate] = strawberry.field(
        description="What has to be true of the event's properties.", metadata={"list_size": 2}
    )


@strawberry.type(description="One way out of a split, and when it is taken.")
class Branch:
    output: str = strawberry.field(description="The name of the way out.")
    match: Match = strawberry.field(description="How many of the conditions have to hold.")
    conditions: list[Condition] = strawberry.field(description="What is asked.", metadata={"list_size": 2})


@strawberry.type(description="Takes the first branch whose conditions hold, else the output `otherwise`.")
class SplitStep(Step):
    branches: list[Branch] = strawberry.field(
        description="In the order in which they are tried.", metadata={"list_size": 3}
    )


@strawberry.type(description="A name and a Liquid template.")
class NamedText:
    name: str = strawberry.field(description="The name.")
    value: str = strawberry.field(description="The text, a Liquid template.")


@strawberry.interface(
    description="A step that sends messages and goes on at once. Its texts are Liquid templates."
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
    variables: list[NamedText] = strawberry.field(
        description="Values for a template that the provider keeps.", metadata={"list_size": 5}
    )
    options: JSON | None = strawberry.field(description="What only the connection's adapter understands.")


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
    template: str = strawberry.field(description="The code of the approved template.")
    text: str = strawberry.field(description="The whole text as approved; may be empty.")
    message_title: str = strawberry.field(description="The emphasised title; may be empty.")


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


@strawberry.type(description="The journey is completed.")
class ExitStep(Step):
    pass


_MESSAGES: dict[str, type[SendingStep]] = {
    "email": EmailStep,
    "push": PushStep,
    "sms": SmsStep,
    "whatsapp": WhatsappStep,
    "alimtalk": AlimtalkStep,
    "in_app": InAppStep,
    "webhook": WebhookStep,
    "message": MessageStep,
}

STEPS: list[type[Step]] = [EntryEventStep, DelayStep, SplitStep, *_MESSAGES.values(), ExitStep]


@strawberry.type(description="One output of a step, leading to the next step.")
class Edge:
    source: strawberry.ID = strawberry.field(name="from", description="The key of the step it leaves.")
    output: str = strawberry.field(description="By which output.")
    target: strawberry.ID = strawberry.field(name="to", description="The key of the step it leads to.")


@strawberry.type(description="What a journey is for. Counts while a run is inside, and for a time after it.")
class Goal:
    key: strawberry.ID = strawberry.field(description="Stable over versions.")
    title: str = strawberry.field(description="What people call it.")
    event: str = strawberry.field(description="The event that reaches it.")
    where: list[Predicate] = strawberry.field(
        description="What has to be true of the event's properties.", metadata={"list_size": 2}
    )
    window_seconds: int = strawberry.field(description="How long after leaving the event still counts.")
    ends_journey: bool = strawberry.field(description="Whether reaching it ends the run.")
    amount_property: str = strawberry.field(
        description="The property that says what it is worth; may be empty."
    )
    currency: str = strawberry.field(description="Of the amount, e.g. KRW; may be empty.")


def to_steps(data: Data) -> list[Step]:
    return [to_step(item) for item in data.get("steps") or ()]


def to_step(item: Data) -> Step:
    """The step in this data; kinds that take more than what all steps have bring their own."""
    position = item.get("position")
    common: Data = {
        "key": strawberry.ID(item["key"]),
        "title": item.get("title") or item["key"],
        "position": Position(x=position["x"], y=position["y"]) if position else None,
        "outputs": ["next"],
    }
    return _KINDS[item["kind"]](item, common)


def to_edges(data: Data) -> list[Edge]:
    return [to_edge(item) for item in data.get("edges") or ()]


def to_edge(item: Data) -> Edge:
    return Edge(source=strawberry.ID(item["from"]), output=item["output"], target=strawberry.ID(item["to"]))


def to_goals(data: Data) -> list[Goal]:
    return [
        Goal(
            key=strawberry.ID(item["key"]),
            title=item.get("title") or item["key"],
            event=item["event"],
            where=_predicates(item),
            window_seconds=item.get("window_ms", 30 * 86_400_000) // 1000,
            ends_journey=item.get("ends_journey", False),
            amount_property=item.get("amount_property") or "",
            currency=item.get("currency") or "",
        )
        for item in data.get("goals") or ()
    ]


def to_reentry(data: Data) -> Reentry:
    return Reentry(data.get("reentry") or "after_leaving")


def kind_of(data: Data) -> JourneyKind:
    entries = [item for item in data.get("steps") or () if item["kind"] == "entry_event"]
    return JourneyKind.EVENT if entries else JourneyKind.UNDRAWN


def _entry_event(item: Data, common: Data) -> Step:
    return EntryEventStep(**common, event=item["event"], where=_predicates(item))


def _delay(item: Data, common: Data) -> Step:
    return DelayStep(**common, duration_seconds=item["duration_ms"] // 1000)


def _split(item: Data, common: Data) -> Step:
    branches = [_branch(branch) for branch in item.get("branches") or ()]
    common["outputs"] = [*(branch.output for branch in branches), OTHERWISE]
    return SplitStep(**common, branches=branches)


def _message(item: Data, common: Data) -> Step:
    kind = item["kind"]
    step, texts = _MESSAGES[kind], MESSAGES[kind].texts
    own: Data = {name: item.get(name) or "" for name in map(key_of, texts)}
    if step is MessageStep:
        own = {"channel_name": item["channel"], "content": _named_texts(item, "content")}
    expires = item.get("expires_after_ms")
    return step(
        **common,
        **own,
        channel=word(ChannelName, channel_of(item) or "", ChannelName.OTHER),
        connection=item.get("connection") or None,
        purpose=Purpose(item.get("purpose") or Purpose.INFORMATION.value),
        expires_after_seconds=None if expires is None else expires // 1000,
        variables=_named_texts(item, "variables"),
        options=item.get("options"),
    )


def _named_texts(item: Data, name: str) -> list[NamedText]:
    return [NamedText(name=one, value=text) for one, text in (item.get(name) or {}).items()]


def _exit(item: Data, common: Data) -> Step:
    return ExitStep(**{**common, "outputs": []})


_KINDS = {
    "entry_event": _entry_event,
    "delay": _delay,
    "split": _split,
    "exit": _exit,
    **dict.fromkeys(_MESSAGES, _message),
}


def _branch(item: Data) -> Branch:
    conditions = [_condition(condition) for condition in item.get("conditions") or ()]
    return Branch(output=item["output"], match=Match(item.get("match") or "all"), conditions=conditions)


def _condition(item: Data) -> Condition:
    about = item["about"]
    return Condition(
        attribute=_predicate(item) if about == "attribute" else None,
        property=_predicate(item) if about == "property" else None,
        did=Did(event=item["event"], where=_predicates(item)) if about == "did" else None,
    )


def _predicates(item: Data) -> list[Predicate]:
    return [_predicate(predicate) for predicate in item.get("where") or ()]


def _predicate(item: Data) -> Predicate:
    return Predicate(name=item["name"], operator=Operator(item["operator"]), value=item.get("value"))
