"""What the server itself can refuse, named by whose move it is.

ServerError                  has a stable code; knows nothing of HTTP or GraphQL
├── NotFound                 there is no such thing in this project
├── Refused                  the caller may not
├── BadInput                 the request cannot be served as it was sent
├── Conflict                 it contradicts what is already so
├── Overloaded               not now; try again later
└── CannotOpen               only at start-up: settings, database, channels
"""


class ServerError(Exception):
    """An expected failure. `code` is stable and for programs, `message` is for people and holds no secret."""

    code = "SERVER_ERROR"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class NotFound(ServerError):
    """What was asked for is not there, or not in this project."""

    code = "NOT_FOUND"


class Refused(ServerError):
    """The caller may not: no key, a wrong key, or a key without the scope."""

    code = "REFUSED"


class BadInput(ServerError):
    """The request cannot be served as it was sent; the message says what was wanted."""

    code = "BAD_USER_INPUT"


class Conflict(ServerError):
    """The request contradicts what is already so."""

    code = "CONFLICT"


class Overloaded(ServerError):
    """There is more to do than can be done now; nothing was taken."""

    code = "OVERLOADED"

    def __init__(self, message: str, *, code: str | None = None, retry_after_seconds: int = 1) -> None:
        super().__init__(message, code=code)
        self.retry_after_seconds = retry_after_seconds


class CannotOpen(ServerError):
    """The server will not start; the message says which setting to change."""

    code = "CANNOT_OPEN"
