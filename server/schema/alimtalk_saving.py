"""Templates are saved and put away, and pictures are handed in."""

from enum import Enum
from typing import Annotated

import strawberry

from server.errors import BadInput
from server.resolvers import alimtalk as resolve
from server.resolvers import alimtalk_images
from server.resolvers.alimtalk import Draft
from server.resolvers.alimtalk_images import Upload
from server.resolvers.refusals import Missing, Refusal
from server.store.projects import WRITE

from .alimtalk_content import AlimtalkImage
from .alimtalk_declarations import AlimtalkDeclarationInput, to_declaration
from .alimtalk_inputs import AlimtalkTemplateInput, to_template
from .alimtalk_templates import AlimtalkTemplate, AlimtalkTemplateVersion
from .fields import ONCE, Input, mutation
from .ids import key_in
from .info import Info
from .named_texts import NamedTextInput
from .problems import (
    ConnectionInUseProblem,
    IdempotencyConflictProblem,
    InputProblem,
    NotFoundProblem,
    to_problem,
)
from .words import value


@strawberry.enum(description="For what a picture is.")
class AlimtalkImageKind(Enum):
    IMAGE = value("image", description="Above the text, of the emphasis IMAGE: 2:1, 500 pixels or wider.")
    THUMBNAIL = value("thumbnail", description="Beside the highlight: square, 108 pixels or more a side.")


@strawberry.input(description="A template to save, under its key: a new one, or what is new of one.")
class SaveAlimtalkTemplateInput:
    key: str = strawberry.field(description="By which steps name it: 1 to 100 visible characters.")
    template: AlimtalkTemplateInput = strawberry.field(description="What it says; may have errors.")
    name: str = strawberry.field(default="", description="What people call it; by default the template's.")
    bindings: list[NamedTextInput] | None = strawberry.field(
        default=None,
        description="What fills its variables, by their names without `#{}`; as before if left out.",
    )
    declaration: AlimtalkDeclarationInput | None = strawberry.field(
        default=None, description="What makes it lawful; as before if left out."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A template to put away, or to take out again.")
class ArchiveAlimtalkTemplateInput:
    id: strawberry.ID = strawberry.field(description="The template.")
    is_archived: bool = strawberry.field(default=True, description="False takes it out again.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A picture for templates: PNG or JPEG, up to 500 KiB.")
class UploadAlimtalkImageInput:
    kind: AlimtalkImageKind = strawberry.field(description="For what it is.")
    content: str = strawberry.field(description="The file, as base64.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The template was saved.")
class SaveAlimtalkTemplatePayload:
    template: AlimtalkTemplate = strawberry.field(description="The template.")
    version: AlimtalkTemplateVersion = strawberry.field(
        description="What was saved: a draft, or the next one where a review of the last was asked for."
    )


@strawberry.type(description="The template was put away, or taken out again.")
class ArchiveAlimtalkTemplatePayload:
    template: AlimtalkTemplate = strawberry.field(description="The template.")


@strawberry.type(description="The picture is kept. Each relay gets it when a template with it is handed in.")
class UploadAlimtalkImagePayload:
    image: AlimtalkImage = strawberry.field(description="The picture, as templates are to name it.")


SaveAlimtalkTemplateResult = Annotated[
    SaveAlimtalkTemplatePayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SaveAlimtalkTemplateResult", description="What was saved, or why nothing was."),
]
ArchiveAlimtalkTemplateResult = Annotated[
    ArchiveAlimtalkTemplatePayload
    | NotFoundProblem
    | ConnectionInUseProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("ArchiveAlimtalkTemplateResult", description="The template, or why it stays."),
]
UploadAlimtalkImageResult = Annotated[
    UploadAlimtalkImagePayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("UploadAlimtalkImageResult", description="The picture, or why it was not taken."),
]


@strawberry.type(description="How templates of Alimtalks are saved.")
class AlimtalkSavingMutation:
    @mutation("Saves a template. Nobody is asked about it yet: `requestAlimtalkReview` does that.")
    async def save_alimtalk_template(
        self, info: Info, input: Annotated[SaveAlimtalkTemplateInput, Input]
    ) -> SaveAlimtalkTemplateResult:
        info.context.require(WRITE)
        try:
            answer = await resolve.save(info.context, _draft(input), input.idempotency_key)
            info.context.forget()
            template = await current(info, answer["template_id"])
            versions = await resolve.versions(info.context, answer["template_id"])
            saved = next(one for one in versions if one.number == answer["number"])
            version = AlimtalkTemplateVersion.from_record(saved)
            return SaveAlimtalkTemplatePayload(template=template, version=version)
        except Refusal as error:
            return to_problem(error)

    @mutation("Puts a template away that no journey sends, or takes it out again.")
    async def archive_alimtalk_template(
        self, info: Info, input: Annotated[ArchiveAlimtalkTemplateInput, Input]
    ) -> ArchiveAlimtalkTemplateResult:
        info.context.require(WRITE)
        try:
            about = (template_key(input.id), input.is_archived, input.idempotency_key)
            answer = await resolve.archive(info.context, *about)
            info.context.forget()
            template = await current(info, answer["template_id"])
            return ArchiveAlimtalkTemplatePayload(template=template)
        except Refusal as error:
            return to_problem(error)

    @mutation("Keeps a picture for templates, once it was looked at.")
    async def upload_alimtalk_image(
        self, info: Info, input: Annotated[UploadAlimtalkImageInput, Input]
    ) -> UploadAlimtalkImageResult:
        info.context.require(WRITE)
        try:
            given = Upload(input.kind.value, input.content)
            answer = await alimtalk_images.upload(info.context, given, input.idempotency_key)
            found = await alimtalk_images.get(info.context, given.kind, answer["digest"])
            return UploadAlimtalkImagePayload(image=AlimtalkImage.from_record(found))
        except Refusal as error:
            return to_problem(error)


def _draft(input: SaveAlimtalkTemplateInput) -> Draft:
    bindings = None if input.bindings is None else {one.name: one.value for one in input.bindings}
    declaration = None if input.declaration is None else to_declaration(input.declaration)
    template = to_template(input.template, "input", "template")
    return Draft(input.key, template, input.name, bindings, declaration)


def template_key(id: strawberry.ID) -> int:
    try:
        return key_in(id, "AlimtalkTemplate")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error


async def current(info: Info, template_id: int) -> AlimtalkTemplate:
    """The template, which is there."""
    return AlimtalkTemplate.from_record(await resolve.by_id(info.context, template_id))
