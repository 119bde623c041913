"""User tokens: what an app shows to read the in-app messages of one user.

A JWT signed with HS256 by a secret that the shop's own server and its in-app connection share. Claims: `sub`
(the user id), `exp` and, if wanted, `nbf`; header: `kid`, the number of the connection. Any JWT library can
make one.
"""

import math
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from server.clock import SECOND, Instant

LONGEST = 4096
LONGEST_USER_ID = 255
_HS256 = "HS256"
# Times are judged by the server's clock, which tests and replays hand in, not by the library's.
_OPTIONS: Any = {"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False, "verify_nbf": False}


class BadToken(Exception):
    """A token that proves nothing; the text says why, for our log."""


def token_for(secret: SecretStr, connection_id: int, user_id: str, expires_at: Instant) -> str:
    import jwt

    claims = {"sub": user_id, "exp": expires_at // SECOND}
    headers = {"kid": str(connection_id)}
    return jwt.encode(claims, secret.get_secret_value(), algorithm=_HS256, headers=headers)


def connection_in(token: str) -> int:
    """The connection that a token names: not proved by anything. Raises BadToken."""
    import jwt

    if not 0 < len(token) <= LONGEST:
        raise BadToken(f"it has {len(token)} characters, of 1 to {LONGEST}")
    try:
        kid = jwt.get_unverified_header(token).get("kid", "")
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise BadToken("it is no JWT") from error
    if not (isinstance(kid, str) and kid.isascii() and kid.isdecimal() and len(kid) < 10):
        raise BadToken("its header wants `kid`, the number of the in-app connection")
    return int(kid)


def user_in(token: str, secrets: Sequence[SecretStr], now: Instant) -> str:
    """The user id that a token is for, if one of the secrets has signed it. Raises BadToken."""
    import jwt

    for secret in secrets:
        if not secret.get_secret_value():
            continue
        try:
            key = secret.get_secret_value()
            return _user(jwt.decode(token, key, algorithms=[_HS256], options=_OPTIONS), now)
        except jwt.InvalidSignatureError:
            continue
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise BadToken(str(error)) from error
    raise BadToken("it is not signed with the secret of this connection")


def _user(claims: dict[str, Any], now: Instant) -> str:
    # NaN and Infinity, which JSON in Python knows, would never expire.
    if not isinstance(claims["exp"], int | float) or not now < claims["exp"] * SECOND < math.inf:
        raise BadToken("it has expired")
    if not isinstance(claims.get("nbf", 0), int | float) or not claims.get("nbf", 0) * SECOND <= now:
        raise BadToken("it is not valid yet")
    if not isinstance(claims["sub"], str) or not is_user_id(claims["sub"]):
        raise BadToken("its `sub` is no user id")
    return claims["sub"]


def is_user_id(text: str) -> bool:
    """Whether it can be a reader: in-app messages go to no other ids."""
    return 0 < len(text) <= LONGEST_USER_ID and text.isprintable()
