"""Who a user token is for: the reader of an in-app connection's messages."""

from dataclasses import dataclass
from typing import NamedTuple

import structlog
from pydantic import SecretStr

from channels.host import Host
from server.clock import Clock, Instant
from server.errors import BadInput, NotFound, Refused, ServerError
from server.secretbox import SecretBox
from server.store import open_connections
from server.store.database import Database
from server.store.in_app import Reader
from server.user_tokens import BadToken, connection_in, token_for, user_in

CHANNEL = "in_app"
log = structlog.get_logger("delivery")


class Who(NamedTuple):
    project_id: int
    reader: Reader


@dataclass(frozen=True, slots=True)
class Readers:
    db: Database
    clock: Clock
    host: Host
    box: SecretBox

    async def who(self, token: str) -> Who:
        """Raises Refused for a token that proves nothing."""
        try:
            connection_id = connection_in(token)
            project_id, secrets = await self._secrets(connection_id)
            return Who(project_id, (connection_id, user_in(token, secrets, self.clock.now())))
        except (BadToken, ServerError) as error:
            log.info("a user token was refused", why=str(error))
            raise Refused(
                "A user token is wanted: `Authorization: Bearer …`, a JWT (HS256) with `sub`, `exp` and, in "
                "its header, `kid`, signed with the secret of the in-app connection."
            ) from error

    async def token(self, project_id: int, connection_id: int, user_id: str, expires_at: Instant) -> str:
        """A token for a reader. Raises NotFound, or BadInput if this is no in-app connection."""
        owner, secrets = await self._secrets(connection_id)
        if owner != project_id:
            raise NotFound(f"There is no connection {connection_id} in this project.")
        return token_for(secrets[0], connection_id, user_id, expires_at)

    async def _secrets(self, connection_id: int) -> tuple[int, list[SecretStr]]:
        """The project, and the secrets that sign: the one in use first."""
        async with self.db.read() as session:
            found = await open_connections.load(session, self.host, self.box, connection_id)
        if found.adapter.channel != CHANNEL:
            raise BadInput("This is no in-app connection: other channels have no user tokens.")
        names = ("signing_secret", "previous_signing_secret")
        return found.project_id, [getattr(found.settings, name, SecretStr("")) for name in names]
