"""How SOLAPI is told who we are: a header signed anew for every request."""

import hmac
from datetime import UTC, datetime
from secrets import token_hex

from channels.contract import Instant


def authorization(api_key: str, api_secret: str, now: Instant, salt: str) -> str:
    """The value of the header Authorization for a request made at `now`.

    `salt` is 12 to 64 characters that were never used with this key before; SOLAPI refuses a pair of moment
    and salt that it has seen, and a moment that is 15 minutes off.
    """
    date = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    signature = hmac.new(api_secret.encode(), f"{date}{salt}".encode(), "sha256").hexdigest()
    return f"HMAC-SHA256 apiKey={api_key}, date={date}, salt={salt}, signature={signature}"


def new_salt() -> str:
    """A salt that nobody has used."""
    return token_hex(16)
