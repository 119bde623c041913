"""Whether what an export asks for is still kept. A file is refused rather than shortened."""

from server.clock import Instant, to_datetime
from server.errors import BadInput
from server.store import retention
from server.store.sessions import ReadSession

from .sheets import Asked


async def check_is_kept(
    session: ReadSession, asked: Asked, since: Instant | None, journey_id: int | None = None
) -> None:
    """Raises BadInput if facts from then on, or from the very beginning, may be gone."""
    found = await retention.missing_since(session, asked.project_id, since, journey_id)
    if found is not None:
        raise BadInput(f"Everything is kept since {to_datetime(found).isoformat()}; ask from then on.")


async def check_was_kept(asked: Asked, since: Instant | None, journey_id: int | None = None) -> None:
    """The same once the last page is read: what was deleted meanwhile may be missing from the file."""
    async with asked.db.read() as session:
        await check_is_kept(session, asked, since, journey_id)
