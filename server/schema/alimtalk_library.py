"""Ready Alimtalks for sign-up, order, payment, shipping and cancellation: looked through, and taken over."""

from dataclasses import asdict
from typing import Annotated, cast

import strawberry
from strawberry.scalars import JSON

from channels.alimtalk.bubble import bubble_of
from channels.alimtalk.filling import fill
from server.context import Context
from server.library.alimtalk import NAMES, ReadyAlimtalk, alimtalk, alimtalks
from server.resolvers import alimtalk as templates
from server.resolvers import alimtalk_library as resolve
from server.resolvers.alimtalk import Draft
from server.resolvers.alimtalk_library import Ready
from server.resolvers.refusals import Invalid, Refusal
from server.store.projects import WRITE

from .alimtalk_content import AlimtalkContent
from .alimtalk_previews import AlimtalkPreview
from .alimtalk_templates import AlimtalkTemplate
from .changing import changed
from .fields import ONCE, Input, field, mutation
from .file_form import read_journey
from .info import Info
from .journeys import Journey
from .library import Language
from .named_texts import NamedText
from .problems import IdempotencyConflictProblem, InputProblem, to_problem
from .to_data import from_variables, to_data


@strawberry.type(
    name="ReadyAlimtalk",
    description="A ready Alimtalk: a template, what fills it, and the journey that sends it.",
)
class ReadyAlimtalkType:
    ready: strawberry.Private[ReadyAlimtalk]
    name: str = strawberry.field(
        description="What it is called in every language; also the template's key and the journey's handle."
    )
    title: str = strawberry.field(description="The title of its journey.")
    description: str = strawberry.field(description="When it goes out, and what it tells.")
    event: str = strawberry.field(description="The event that lets people in.")
    example: JSON = strawberry.field(description="Properties of such an event.")
    file: str = strawberry.field(description="Its journey as a file, as `sojourn journey` takes one.")

    @field("What it says, with its variables.")
    def content(self) -> AlimtalkContent:
        return AlimtalkContent.from_template(self.ready.template)

    @field("What fills its variables, by their names.", list_size=10)
    def bindings(self) -> list[NamedText]:
        return [NamedText(name=name, value=text) for name, text in self.ready.bindings.items()]

    @field("What it looks like for the example.")
    def preview(self) -> AlimtalkPreview:
        filled = fill(self.ready.template, self.ready.shown)
        return AlimtalkPreview.from_record(bubble_of(filled, self.ready.shown.get("쇼핑몰", "")), {})

    @classmethod
    def from_record(cls, record: ReadyAlimtalk) -> "ReadyAlimtalkType":
        said = asdict(record)
        shown = ("name", "title", "description", "event")
        return cls(
            ready=record,
            **{name: said[name] for name in shown},
            example=cast(JSON, dict(record.example)),
            file=record.journey,
        )


@strawberry.input(description="Ready Alimtalks to take over. What the project has already stays as it is.")
class TakeReadyAlimtalksInput:
    names: list[str] | None = strawberry.field(
        default=None, description="Which, as in `readyAlimtalks`; all of them by default."
    )
    language: Language = strawberry.field(default=Language.KO, description="Of the journeys' titles.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="One that was taken over.")
class TakenAlimtalk:
    name: str = strawberry.field(description="Which it is.")
    template: AlimtalkTemplate = strawberry.field(
        description="Its template; `requestAlimtalkReview` has it reviewed."
    )
    journey: Journey = strawberry.field(
        description="Its journey, a draft; to be published once the template is approved."
    )


@strawberry.type(description="They were taken over.")
class TakeReadyAlimtalksPayload:
    taken: list[TakenAlimtalk] = strawberry.field(
        description="In the order asked for.", metadata={"list_size": len(NAMES)}
    )


TakeReadyAlimtalksResult = Annotated[
    TakeReadyAlimtalksPayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("TakeReadyAlimtalksResult", description="What was taken over, or why nothing was."),
]


@strawberry.type(description="What can be asked of ready Alimtalks.")
class AlimtalkLibraryQuery:
    @field("Ready Alimtalks for what every shop tells of an order.", list_size=len(NAMES))
    def ready_alimtalks(
        self,
        language: Annotated[
            Language, strawberry.argument(description="In which language their titles are.")
        ] = Language.KO,
    ) -> list[ReadyAlimtalkType]:
        return [ReadyAlimtalkType.from_record(one) for one in alimtalks(language.value)]


@strawberry.type(description="What can be done with ready Alimtalks.")
class AlimtalkLibraryMutation:
    @mutation("Saves the templates of ready Alimtalks, and makes a draft of each one's journey.")
    async def take_ready_alimtalks(
        self, info: Info, input: Annotated[TakeReadyAlimtalksInput, Input]
    ) -> TakeReadyAlimtalksResult:
        info.context.require(WRITE)
        try:
            wanted = [_ready(name, input.language) for name in _names(input.names)]
            answer = await resolve.take(info.context, wanted, input.idempotency_key)
            found = [await _taken(info.context, one) for one in answer["taken"]]
            return TakeReadyAlimtalksPayload(taken=found)
        except Refusal as error:
            return to_problem(error)


def _names(wanted: list[str] | None) -> list[str]:
    names = list(NAMES) if wanted is None else list(dict.fromkeys(wanted))
    for number, name in enumerate(names):
        if name not in NAMES:
            known = ", ".join(NAMES)
            message = f"There is no ready Alimtalk {name[:100]!r}; there are: {known}."
            raise Invalid(message, ("input", "names", str(number)))
    return names


def _ready(name: str, language: Language) -> Ready:
    ready = alimtalk(name, language.value)
    template = Draft(ready.name, ready.template, ready.template.name, ready.bindings)
    return Ready(
        template, ready.title, to_data(from_variables(read_journey(ready.journey).variables["graph"]))
    )


async def _taken(context: Context, one: dict[str, int]) -> TakenAlimtalk:
    template = await templates.by_id(context, one["template_id"])
    return TakenAlimtalk(
        name=str(one["name"]),
        template=AlimtalkTemplate.from_record(template),
        journey=await changed(context, one),
    )
