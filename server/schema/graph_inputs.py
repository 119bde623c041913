"""A drawn graph as it comes in, turned into the plain data that `server.journey.graph` reads."""

from enum import Enum
from typing import Any

import strawberry
from strawberry.scalars import JSON

from server.journey.moment import Path

from .words import Match, Operator, Purpose, Reentry

Data = dict[str, Any]


@strawberry.input(description="A place on the canvas.")
class PositionInput:
    x: float = strawberry.field(description="To the right.")
    y: float = strawberry.field(description="Downwards.")


@strawberry.input(description="One comparison with a named value.")
class PredicateInput:
    name: str = strawberry.field(
        description="The property's or attribute's name; `a.b` looks into an object."
    )
    operator: Operator = strawberry.field(description="How it is compared.")
    value: JSON | None = strawberry.field(
        default=None, description="With what; a list for ONE_OF, nothing for EXISTS and NOT_EXISTS."
    )


@strawberry.input(description="Lets in whoever does something.")
class EntryEventStepInput:
    key: strawberry.ID = strawberry.field(description="Letters, digits, - and _; the same in every version.")
    title: str | None = strawberry.field(default=None, description="What people call it; the key by default.")
    position: PositionInput | None = strawberry.field(default=None, description="Where it is drawn.")
    event: str = strawberry.field(description="The event's name.")
    where: list[PredicateInput] | None = strawberry.field(
        default=None, description="What has to be true of the event's properties: all of it."
    )


@strawberry.input(description="Waits for a length of time from the moment of arrival.")
class DelayStepInput:
    key: strawberry.ID = strawberry.field(description="Letters, digits, - and _; the same in every version.")
    title: str | None = strawberry.field(default=None, description="What people call it; the key by default.")
    position: PositionInput | None = strawberry.field(default=None, description="Where it is drawn.")
    duration_seconds: int = strawberry.field(description="How long: from a second to 366 days.")


@strawberry.input(description="Whether the user did something since the run entered.")
class DidInput:
    event: str = strawberry.field(description="The event's name.")
    where: list[PredicateInput] | None = strawberry.field(
        default=None, description="What has to be true of the event's properties: all of it."
    )


@strawberry.input(one_of=True, description="One question of a split.")
class ConditionInput:
    attribute: PredicateInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks what is known of the user."
    )
    property: PredicateInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks the event that let the run in."
    )
    did: DidInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks what the user has done since the run entered."
    )


@strawberry.input(description="One way out of a split, and when it is taken.")
class BranchInput:
    output: str = strawberry.field(description="The name of the way out.")
    match: Match = strawberry.field(default=Match.ALL, description="How many of the conditions have to hold.")
    conditions: list[ConditionInput] = strawberry.field(description="What is asked: 1 to 20 questions.")


@strawberry.input(description="Takes the first branch whose conditions hold, else the output `otherwise`.")
class SplitStepInput:
    key: strawberry.ID = strawberry.field(description="Letters, digits, - and _; the same in every version.")
    title: str | None = strawberry.field(default=None, description="What people call it; the key by default.")
    position: PositionInput | None = strawberry.field(default=None, description="Where it is drawn.")
    branches: list[BranchInput] = strawberry.field(
        description="1 to 10, in the order in which they are tried."
    )


@strawberry.input(description="A name and a Liquid template.")
class NamedTextInput:
    name: str = strawberry.field(description="The name; of two with one name the last holds.")
    value: str = strawberry.field(description="The text, a Liquid template.")


@strawberry.input(description="What all message steps have.")
class SendingInput:
    key: strawberry.ID = strawberry.field(description="Letters, digits, - and _; the same in every version.")
    title: str | None = strawberry.field(
        default=None, description="What people call the step; the key by default."
    )
    position: PositionInput | None = strawberry.field(default=None, description="Where it is drawn.")
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
    variables: list[NamedTextInput] | None = strawberry.field(
        default=None,
        description="Values for a template that the provider keeps, by the name there: up to 50.",
    )
    options: JSON | None = strawberry.field(
        default=None,
        description="An object that only the connection's adapter understands: `channels { optionsSchema }` "
        "describes it. Every text inside is a Liquid template.",
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
    template: str = strawberry.field(description="The code of the approved template.")
    text: str | None = strawberry.field(
        default=None, description="The whole text as approved, for relays that do not fill templates."
    )
    message_title: str | None = strawberry.field(default=None, description="The emphasised title.")


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
    channel_name: str = strawberry.field(description="The name of the channel, as its adapter gives it.")
    content: list[NamedTextInput] | None = strawberry.field(
        default=None, description="The fields of the message that the adapter knows, by name: up to 50."
    )


@strawberry.input(description="The journey is completed.")
class ExitStepInput:
    key: strawberry.ID = strawberry.field(description="Letters, digits, - and _; the same in every version.")
    title: str | None = strawberry.field(default=None, description="What people call it; the key by default.")
    position: PositionInput | None = strawberry.field(default=None, description="Where it is drawn.")


@strawberry.input(one_of=True, description="A step of one kind.")
class StepInput:
    entry_event: EntryEventStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Lets in whoever does something."
    )
    delay: DelayStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Waits for a length of time."
    )
    split: SplitStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Takes one of several ways."
    )
    email: EmailStepInput | None = strawberry.field(default=strawberry.UNSET, description="Sends one e-mail.")
    push: PushStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Notifies each of the user's devices."
    )
    sms: SmsStepInput | None = strawberry.field(default=strawberry.UNSET, description="Sends a text message.")
    whatsapp: WhatsappStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Sends a WhatsApp message."
    )
    alimtalk: AlimtalkStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Sends an Alimtalk by KakaoTalk."
    )
    in_app: InAppStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Puts a message into the user's inbox inside the app."
    )
    webhook: WebhookStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Tells another server about the user."
    )
    message: MessageStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Sends a message on any channel by its name."
    )
    exit: ExitStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="The journey is completed."
    )


@strawberry.input(description="One output of a step, leading to the next step.")
class EdgeInput:
    source: strawberry.ID = strawberry.field(name="from", description="The key of the step it leaves.")
    output: str = strawberry.field(default="next", description="By which output.")
    target: strawberry.ID = strawberry.field(name="to", description="The key of the step it leads to.")


@strawberry.input(description="What a journey is for.")
class GoalInput:
    key: strawberry.ID = strawberry.field(description="The same in every version.")
    title: str | None = strawberry.field(default=None, description="What people call it; the key by default.")
    event: str = strawberry.field(description="The event that reaches it.")
    where: list[PredicateInput] | None = strawberry.field(
        default=None, description="What has to be true of the event's properties: all of it."
    )
    window_seconds: int | None = strawberry.field(
        default=None,
        description="How long after leaving the event still counts: 30 days by default, at most 90.",
    )
    ends_journey: bool = strawberry.field(default=False, description="Whether reaching it ends the run.")
    amount_property: str | None = strawberry.field(
        default=None, description="The event's property that says what it is worth."
    )
    currency: str | None = strawberry.field(default=None, description="Of the amount, e.g. KRW.")


@strawberry.input(description="A whole graph: steps, edges, goals, and who may come again.")
class GraphInput:
    steps: list[StepInput] = strawberry.field(description="1 to 300 steps.")
    edges: list[EdgeInput] = strawberry.field(description="One for every output of every step.")
    goals: list[GoalInput] | None = strawberry.field(default=None, description="Up to 20.")
    reentry: Reentry = strawberry.field(
        default=Reentry.AFTER_LEAVING, description="Whether somebody who has left may come in again."
    )


def to_data(graph: GraphInput) -> Data:
    """The plain data of the graph, as it is stored."""
    return {
        "steps": [_step(step) for step in graph.steps],
        "edges": [{"from": edge.source, "output": edge.output, "to": edge.target} for edge in graph.edges],
        "goals": [_goal(goal) for goal in graph.goals or ()],
        "reentry": graph.reentry.value,
    }


def to_graphql_path(path: Path, data: Data) -> list[str]:
    """Where in the input a problem lies that was found in its plain data."""
    found: list[str] = []
    here: Any = data
    for depth, part in enumerate(path):
        found.append(_NAMES.get(str(part), _camel(str(part))))
        here = _inside(here, part)
        if part in _BY_NAME and isinstance(here, dict) and depth + 1 < len(path):
            # These came as a list of names and values.
            name = path[depth + 1]
            return [*found, *((str(list(here).index(name)), "value") if name in here else (str(name),))]
        if part == "options":
            # What is inside has its own names.
            return [*found, *map(str, path[depth + 1 :])]
        member = here.get("kind") or here.get("about") if isinstance(here, dict) else None
        if isinstance(part, int) and member:
            found.append(_camel(member))
    return found


_NAMES = {
    "duration_ms": "durationSeconds",
    "window_ms": "windowSeconds",
    "expires_after_ms": "expiresAfterSeconds",
    "channel": "channelName",
}
_BY_NAME = ("variables", "content")


def _inside(data: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return data[part] if isinstance(data, list) and part < len(data) else None
    return data.get(part) if isinstance(data, dict) else None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _step(step: StepInput) -> Data:
    kind, given = _member(step)
    data: Data = {"kind": kind, **_plain(given)}
    if isinstance(given, DelayStepInput):
        data["duration_ms"] = data.pop("duration_seconds") * 1000
    if isinstance(given, SendingInput):
        _put_as_stored(data)
    return data


def _put_as_stored(data: Data) -> None:
    """What message steps call otherwise than their data does."""
    if "expires_after_seconds" in data:
        data["expires_after_ms"] = data.pop("expires_after_seconds") * 1000
    if "channel_name" in data:
        data["channel"] = data.pop("channel_name")
    for name in _BY_NAME:
        if name in data:
            data[name] = {one["name"]: one["value"] for one in data[name]}


def _goal(goal: GoalInput) -> Data:
    data: Data = _plain(goal)
    if "window_seconds" in data:
        data["window_ms"] = data.pop("window_seconds") * 1000
    return data


def _member(one_of: Any) -> tuple[str, Any]:
    """The one member that is given."""
    return next((name, given) for name, given in vars(one_of).items() if given is not strawberry.UNSET)


def _plain(given: Any) -> Any:
    """Names to plain values; what is not given is left out."""
    if isinstance(given, ConditionInput):
        about, asked = _member(given)
        return {"about": about, **_plain(asked)}
    if isinstance(given, Enum):
        return given.value
    if isinstance(given, list):
        return [_plain(item) for item in given]
    if hasattr(given, "__strawberry_definition__"):
        return {name: _plain(value) for name, value in vars(given).items() if value is not None}
    return given
