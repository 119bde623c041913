"""Reviews are asked for and talked about, and relays are asked to stop, wake and forget templates."""

from typing import Annotated

import strawberry

from channels.alimtalk.desk import Attachment
from server.alimtalk.lifecycle import Act
from server.errors import BadInput
from server.resolvers import alimtalk_images, connections
from server.resolvers import alimtalk_reviews as resolve
from server.resolvers.alimtalk_reviews import Letter, Review
from server.resolvers.refusals import Invalid, Missing, Refusal
from server.store.projects import WRITE

from .alimtalk_problems import (
    AlimtalkDeclarationProblem,
    AlimtalkProblems,
    AlimtalkStandingProblem,
    DeskProblem,
    to_alimtalk_problem,
)
from .alimtalk_saving import current, template_key
from .alimtalk_templates import AlimtalkRegistration, AlimtalkTemplate
from .connection_inputs import connection_key
from .connections import Connection
from .fields import ONCE, Input, mutation
from .ids import key_in
from .info import Info
from .problems import IdempotencyConflictProblem, InputProblem, NotFoundProblem
from .words import FailureReason, word

MOST_ATTACHMENTS, MOST_BYTES, LONGEST_FILE_NAME = 10, 100 * 1024 * 1024, 200
"""Of any relay; what a request may hold is less."""


@strawberry.input(description="A file for the reviewer, e.g. a picture of where the message comes from.")
class AlimtalkAttachmentInput:
    name: str = strawberry.field(description="Its name, with its ending.")
    media_type: str = strawberry.field(description="Its kind, e.g. `image/png`.")
    content: str = strawberry.field(
        description="The file, as base64. The whole request holds up to 1 MiB; "
        "`sojourn alimtalk request` takes larger files where it asks the database."
    )


@strawberry.input(description="A template whose latest version is to be reviewed.")
class RequestAlimtalkReviewInput:
    id: strawberry.ID = strawberry.field(description="The template.")
    connection_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="At which relays; at all of the project if none is named."
    )
    comment: str = strawberry.field(default="", description="What the reviewer should know.")
    attachments: list[AlimtalkAttachmentInput] = strawberry.field(
        default_factory=list, description="Files for the reviewer: 10 at most, of each relay's kinds."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="Something to say to the reviewer.")
class CommentOnAlimtalkInput:
    id: strawberry.ID = strawberry.field(description="The registration: the version at its relay.")
    comment: str = strawberry.field(default="", description="What is said.")
    attachments: list[AlimtalkAttachmentInput] = strawberry.field(
        default_factory=list, description="Files for the reviewer: 10 at most, of each relay's kinds."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A version at its relay, with which something is to be done.")
class AlimtalkActionInput:
    id: strawberry.ID = strawberry.field(description="The registration.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="A relay that did not take a version, while others did.")
class AlimtalkRefusal:
    connection: Connection | None = strawberry.field(description="The relay.")
    message: str = strawberry.field(description="For people: what happened, and what to do.")
    reason: FailureReason = strawberry.field(description="Why.")
    relay_code: str | None = strawberry.field(description="The relay's own code.")
    is_open: bool = strawberry.field(
        description="Whether it may have been done all the same: then the next look at the relay settles it."
    )


@strawberry.type(description="At least one relay has the version, and its review was asked for there.")
class RequestAlimtalkReviewPayload:
    template: AlimtalkTemplate = strawberry.field(description="The template, with how it stands now.")
    refusals: list[AlimtalkRefusal] = strawberry.field(
        description="The relays that did not take it.", metadata={"list_size": 2}
    )


@strawberry.type(description="The relay has done it.")
class AlimtalkActionPayload:
    registration: AlimtalkRegistration | None = strawberry.field(
        description="How it stands now; null once it was deleted."
    )
    template: AlimtalkTemplate = strawberry.field(description="The template.")


RequestAlimtalkReviewResult = Annotated[
    RequestAlimtalkReviewPayload
    | NotFoundProblem
    | AlimtalkProblems
    | AlimtalkDeclarationProblem
    | AlimtalkStandingProblem
    | DeskProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("RequestAlimtalkReviewResult", description="Where it is, or why it is nowhere."),
]
AlimtalkActionResult = Annotated[
    AlimtalkActionPayload
    | NotFoundProblem
    | AlimtalkStandingProblem
    | DeskProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("AlimtalkActionResult", description="How it stands, or why it stays as it was."),
]
Action = Annotated[AlimtalkActionInput, Input]


@strawberry.type(description="What can be asked of relays about templates.")
class AlimtalkReviewMutation:
    @mutation(
        "Hands the latest version of a template in at relays, and asks for its review. Also again, for "
        "one that was rejected."
    )
    async def request_alimtalk_review(
        self, info: Info, input: Annotated[RequestAlimtalkReviewInput, Input]
    ) -> RequestAlimtalkReviewResult:
        info.context.require(WRITE)
        try:
            ids = tuple(connection_key(one, "connectionIds") for one in input.connection_ids)
            letter = _letter(input.comment, input.attachments)
            wanted = Review(template_key(input.id), letter, ids)
            answer = await resolve.request(info.context, wanted, input.idempotency_key)
            info.context.forget()
            refusals = [await _refusal(info, one) for one in answer["refusals"]]
            template = await current(info, answer["template_id"])
            return RequestAlimtalkReviewPayload(template=template, refusals=refusals)
        except Refusal as error:
            return to_alimtalk_problem(error)

    @mutation("Takes the request for a review back.")
    async def cancel_alimtalk_review(self, info: Info, input: Action) -> AlimtalkActionResult:
        return await _act(info, input, Act.CANCEL)

    @mutation("Says something to the reviewer. A version that was rejected is then reviewed again.")
    async def comment_on_alimtalk(
        self, info: Info, input: Annotated[CommentOnAlimtalkInput, Input]
    ) -> AlimtalkActionResult:
        info.context.require(WRITE)
        try:
            letter = _letter(input.comment, input.attachments)
        except Refusal as error:
            return to_alimtalk_problem(error)
        return await _act(info, input, Act.COMMENT, letter)

    @mutation("Has an approved version sent no more.")
    async def stop_alimtalk_template(self, info: Info, input: Action) -> AlimtalkActionResult:
        return await _act(info, input, Act.STOP)

    @mutation("Has a version that was stopped sent again.")
    async def reuse_alimtalk_template(self, info: Info, input: Action) -> AlimtalkActionResult:
        return await _act(info, input, Act.REUSE)

    @mutation("Gives an approval back, as long as nothing was sent by it.")
    async def cancel_alimtalk_approval(self, info: Info, input: Action) -> AlimtalkActionResult:
        return await _act(info, input, Act.CANCEL_APPROVAL)

    @mutation("Wakes a dormant version. It falls asleep again if nothing is sent by it for 30 days.")
    async def release_alimtalk_template(self, info: Info, input: Action) -> AlimtalkActionResult:
        return await _act(info, input, Act.RELEASE)

    @mutation("Takes a version that is not approved away from its relay. The version itself stays.")
    async def delete_alimtalk_registration(self, info: Info, input: Action) -> AlimtalkActionResult:
        return await _act(info, input, Act.DELETE)


_NOTHING = Letter()


async def _act(
    info: Info, input: AlimtalkActionInput | CommentOnAlimtalkInput, act: Act, letter: Letter = _NOTHING
) -> AlimtalkActionResult:
    info.context.require(WRITE)
    try:
        number = _registration_key(input.id)
        answer = await resolve.act(info.context, number, act, letter, input.idempotency_key)
        info.context.forget()
        found = await resolve.by_id(info.context, number)
        registration = AlimtalkRegistration.from_record(found) if found is not None else None
        template = await current(info, answer["template_id"])
        return AlimtalkActionPayload(registration=registration, template=template)
    except Refusal as error:
        return to_alimtalk_problem(error)


def _registration_key(id: strawberry.ID) -> int:
    try:
        return key_in(id, "AlimtalkRegistration")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error


def _letter(comment: str, attachments: list[AlimtalkAttachmentInput]) -> Letter:
    if len(attachments) > MOST_ATTACHMENTS:
        raise Invalid(f"At most {MOST_ATTACHMENTS} files.", ("input", "attachments"))
    if "\0" in comment:
        raise Invalid("A comment holds no NUL.", ("input", "comment"))
    return Letter(comment.strip(), tuple(_attachment(*one) for one in enumerate(attachments)))


def _attachment(place: int, given: AlimtalkAttachmentInput) -> Attachment:
    path = ("input", "attachments", str(place))
    name = given.name.strip()
    if not 0 < len(name) <= LONGEST_FILE_NAME or not name.isprintable() or "/" in name or "\\" in name:
        raise Invalid("The name of a file is wanted, without a folder.", (*path, "name"))
    if not 0 < len(given.media_type) <= 100 or not given.media_type.isascii():
        raise Invalid("A media type is wanted, e.g. image/png.", (*path, "mediaType"))
    content = alimtalk_images.decoded(given.content, (*path, "content"), MOST_BYTES)
    return Attachment(name, given.media_type, content)


async def _refusal(info: Info, told: dict[str, object]) -> AlimtalkRefusal:
    number = told["connection_id"]
    found = await connections.by_id(info.context, number if isinstance(number, int) else None)
    return AlimtalkRefusal(
        connection=Connection.from_record(found) if found else None,
        message=str(told["message"]),
        reason=word(FailureReason, str(told["reason"]), FailureReason.UNKNOWN),
        relay_code=str(told["relay_code"]) or None,
        is_open=bool(told["is_open"]),
    )
