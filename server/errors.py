"""What the server itself can refuse.

ServerError                  has a stable code; knows nothing of HTTP or GraphQL
├── NotFound                 there is no such thing in this project
├── Refused                  the caller may not
├── BadInput                 what was handed over cannot be used
├── Conflict                 somebody else was first
├── Overloaded               not now; try again later
└── CannotOpen               only at start-up: settings, database, channels
"""


class ServerError(Exception):
    """Something went wrong that the caller can be told about."""

    code = "error"

    def __init__(self, message: str = "") -> None:
        self.message = message or (self.__doc__ or "").strip()
        super().__init__(self.message)


class NotFound(ServerError):
    """There is no such thing in this project."""

    code = "not_found"


class Refused(ServerError):
    """The key does not allow this."""

    code = "refused"


class BadInput(ServerError):
    """What was handed over cannot be used."""

    code = "bad_input"


class Conflict(ServerError):
    """Somebody else was first."""

    code = "conflict"


class Overloaded(ServerError):
    """There is more to do than can be done now; try again later."""

    code = "overloaded"

    def __init__(self, message: str = "", *, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class CannotOpen(ServerError):
    """The server cannot start like this."""

    code = "cannot_open"
