"""What of Alimtalks has an id, by it."""

from server.context import Context
from server.resolvers import alimtalk, alimtalk_reviews, sender_profiles

from .alimtalk_templates import AlimtalkRegistration, AlimtalkTemplate
from .ids import GlobalId
from .nodes import Node
from .sender_profiles import SenderProfile

KINDS = frozenset({"AlimtalkTemplate", "AlimtalkRegistration", "SenderProfile"})


async def fetch(context: Context, id: GlobalId) -> Node | None:
    """What has this id, if it is in this project."""
    number = id.key[0]
    if id.kind == "AlimtalkTemplate":
        template = await alimtalk.by_id(context, number)
        return AlimtalkTemplate.from_record(template) if template else None
    if id.kind == "SenderProfile":
        profile = await sender_profiles.by_id(context, number)
        return SenderProfile.from_record(profile) if profile else None
    registration = await alimtalk_reviews.by_id(context, number)
    return AlimtalkRegistration.from_record(registration) if registration else None
