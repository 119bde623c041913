"""Ready journeys: looked through, and taken as the beginning of one's own."""

from enum import Enum
from typing import Annotated

import strawberry

from server import library
from server.resolvers import drafts
from server.resolvers.refusals import Invalid, Refusal

from .changing import changed, writing
from .fields import ONCE, Input, field, mutation
from .file_form import read_journey, to_text
from .info import Info
from .journey_files import FileFormat
from .journeys import Journey
from .problems import IdempotencyConflictProblem, InputProblem, NameTakenProblem, to_problem
from .to_data import from_variables, to_data
from .words import value


@strawberry.enum(description="A language of ready journeys.")
class Language(Enum):
    KO = value("ko", description="Korean.")
    EN = value("en", description="English.")


@strawberry.type(description="A ready journey, to begin with.")
class JourneyTemplate:
    ready: strawberry.Private[library.Template]
    name: str = strawberry.field(description="What it is called in every language.")
    title: str = strawberry.field(description="The title that a journey made of it has.")
    description: str = strawberry.field(description="What it does.")
    category: str = strawberry.field(description="The category that a journey made of it has.")

    @field("All of it as a file, as `sojourn journey apply` takes it once it has a handle.")
    def file(
        self,
        format: Annotated[
            FileFormat, strawberry.argument(description="How it is written.")
        ] = FileFormat.YAML,
    ) -> str:
        if format is FileFormat.YAML:
            return self.ready.text
        return to_text(read_journey(self.ready.text).variables, as_json=True)


@strawberry.type(description="What can be asked of ready journeys.")
class LibraryQuery:
    @field("Ready journeys, to begin with.", list_size=len(library.NAMES))
    def journey_templates(
        self,
        language: Annotated[
            Language, strawberry.argument(description="In which language people read them.")
        ] = Language.EN,
    ) -> list[JourneyTemplate]:
        return [
            JourneyTemplate(
                ready=one,
                name=one.name,
                title=one.title,
                description=one.description,
                category=one.category,
            )
            for one in library.templates(language.value)
        ]


@strawberry.input(description="A ready journey to begin with.")
class CreateJourneyFromTemplateInput:
    template: str = strawberry.field(description="Its name, as in `journeyTemplates`.")
    language: Language = strawberry.field(default=Language.EN, description="In which language.")
    title: str | None = strawberry.field(
        default=None, description="What people call the journey; the template's title by default."
    )
    handle: str | None = strawberry.field(
        default=None, description="What files call the journey: 1 to 100 letters, digits, - and _."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The journey was made.")
class CreateJourneyFromTemplatePayload:
    journey: Journey = strawberry.field(description="The new journey, a draft.")


CreateJourneyFromTemplateResult = Annotated[
    CreateJourneyFromTemplatePayload | NameTakenProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("CreateJourneyFromTemplateResult", description="The new journey, or why there is none."),
]


@strawberry.type(description="What can be done with ready journeys.")
class LibraryMutation:
    @mutation("Makes a journey of a ready one, as a draft.")
    async def create_journey_from_template(
        self, info: Info, input: Annotated[CreateJourneyFromTemplateInput, Input]
    ) -> CreateJourneyFromTemplateResult:
        context, key = writing(info), input.idempotency_key
        try:
            ready = _ready(input.template, input.language)
            graph = to_data(from_variables(read_journey(ready.text).variables["graph"]))
            about = input.title or ready.title, ready.category, graph, key
            answer = await drafts.create(context, *about, handle=input.handle)
            return CreateJourneyFromTemplatePayload(journey=await changed(context, answer))
        except Refusal as error:
            return to_problem(error)


def _ready(name: str, language: Language) -> library.Template:
    if name not in library.NAMES:
        message = f"There is no ready journey {name[:100]!r}; there are: {', '.join(library.NAMES)}."
        raise Invalid(message, ("input", "template"))
    return library.template(name, language.value)
