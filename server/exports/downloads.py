"""Links to files: signed, for an hour, and nobody needs a key to follow one."""

from dataclasses import dataclass

from server.clock import HOUR, Instant
from server.global_ids import global_id
from server.signing import BadToken, Signer

PURPOSE = "exports"
LASTS = HOUR


@dataclass(frozen=True, slots=True)
class Downloads:
    signer: Signer
    public_url: str

    def url(self, export_id: int, expires_at: Instant, now: Instant) -> str:
        """A fresh link to a file that is deleted at `expires_at`."""
        until = min(now + LASTS, expires_at)
        token = self.signer.sign(f"{export_id}:{until}".encode())
        return f"{self.public_url.rstrip('/')}{path_of(export_id)}?token={token}"

    def read(self, token: str, shown_id: str) -> tuple[int, Instant]:
        """The export, and until when the link opens it. Raises BadToken; also for another's link."""
        export_id, _, until = self.signer.verify(token).decode().partition(":")
        if global_id("Export", int(export_id)) != shown_id:
            raise BadToken("the token is for another export")
        return int(export_id), int(until)


def path_of(export_id: int) -> str:
    return f"/exports/{global_id('Export', export_id)}/download"
