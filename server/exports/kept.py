"""Whether what an export asks for is still kept. A file is refused rather than shortened."""

from server.clock import Instant
from server.store.sessions import ReadSession

from .sheets import Asked


async def check_is_kept(session: ReadSession, asked: Asked, since: Instant | None) -> None:
    """Raises BadInput for days of which facts may be deleted already; None asks for whatever is kept.

    Everything is kept, as yet.
    """
