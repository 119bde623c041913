"""Settings: read once from the environment, handed down, never read at import. All: docs/operating.md."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from server.errors import CannotOpen

PREFIX = "SOJOURN_"
API, ENGINE, DISPATCH, EXPORTS = "api", "engine", "dispatch", "exports"
PARTS = (API, ENGINE, DISPATCH, EXPORTS)
"""What a process can do; by default all of it."""
SHORTEST_SECRET = 16
DEVELOPMENT_SECRET = "only-for-development-never-in-production"


class Secret:
    """A value that does not show itself in representations, logs or tracebacks."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('…')"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


_DEVELOPMENT = Secret(DEVELOPMENT_SECRET)


def _setting(default: Any, sentence: str, *, shown: bool = True) -> Any:
    return field(default=default, repr=shown, metadata={"sentence": sentence})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each field is the environment variable `SOJOURN_` and its name in capitals."""

    database_url: str = _setting(
        "sqlite:///sojourn.db",
        "Where everything is kept: sqlite:///path or postgresql://user:password@host/name.",
        shown=False,
    )
    secret: Secret = _setting(
        _DEVELOPMENT,
        "Signs links and seals providers' secrets. Several, with blanks between them: the first is used, "
        "all are accepted. Must be set when `production` is.",
    )
    public_url: str = _setting(
        "http://127.0.0.1:8000", "How readers of messages reach this server; links in messages begin with it."
    )
    honeypot_link: bool = _setting(
        True,
        "Whether e-mails in HTML that have tracked links get one that no person can see: whoever follows it "
        "is a machine.",
    )
    production: bool = _setting(
        False, "Refuses to start with the development secret, turns GraphiQL and suggestions off."
    )
    allowed_origins: str = _setting(
        "", "Origins of pages that may ask /graphql from a browser, with blanks between them; * is any."
    )
    allowed_networks: str = _setting(
        "",
        "Private networks that messages to addresses of others (webhooks, Web Push) may reach nevertheless, "
        "e.g. 10.1.0.0/16, with blanks between them.",
    )
    egress_proxy: str = _setting(
        "",
        "A proxy for requests to providers, e.g. http://proxy:3128. Addresses of others never use it.",
        shown=False,
    )
    shards: int = _setting(
        0, "Into how many shards a new database is divided; 0 is 1 on SQLite and 64 on PostgreSQL."
    )
    max_backlog: int = _setting(
        1_000_000,
        "Events waiting for the engine beyond which new ones get 503 and Retry-After.",
    )
    max_queue: int = _setting(
        20_000, "Events waiting to be committed beyond which new ones are answered with 429 and Retry-After."
    )
    send_concurrency: int = _setting(
        32, "Messages that one process hands to the provider of one connection at the same time."
    )
    export_days: int = _setting(7, "Days after which the file of an export is deleted.")
    exports_at_once: int = _setting(2, "Exports of one project that are written at the same time.")
    plugins_dir: str = _setting("", "A folder of channel plugins, one file or package each.")
    discover_plugins: bool = _setting(True, "Whether installed channel packages are found by entry point.")
    log_format: str = _setting("console", "`console` for people, `json` for machines.")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Reads every setting; names the variable of one that cannot be read."""
        found = {
            one.name: _read(one.name, one.type, environ[PREFIX + one.name.upper()])
            for one in fields(cls)
            if PREFIX + one.name.upper() in environ
        }
        settings = cls(**found)
        settings.check()
        return settings

    def check(self) -> None:
        if not self.secrets:
            raise CannotOpen(
                "SOJOURN_SECRET is empty. Make one with `openssl rand -hex 32`, or leave it unset."
            )
        for secret in self.secrets:
            if len(secret) < SHORTEST_SECRET:
                raise CannotOpen(f"SOJOURN_SECRET must be {SHORTEST_SECRET} characters or longer.")
        if self.production and DEVELOPMENT_SECRET in self.secret.reveal():
            raise CannotOpen(
                "SOJOURN_SECRET is not set. In production it must be: make one with `openssl rand -hex 32`."
            )
        self.networks_to_allow()
        if not self.export_days or not self.exports_at_once:
            raise CannotOpen("SOJOURN_EXPORT_DAYS and SOJOURN_EXPORTS_AT_ONCE must be 1 or more.")
        if self.log_format not in ("console", "json"):
            raise CannotOpen(f"SOJOURN_LOG_FORMAT is `console` or `json`, found {self.log_format!r}.")

    def networks_to_allow(self) -> list[IPv4Network | IPv6Network]:
        """Raises CannotOpen that names what is no network."""
        try:
            return [ip_network(one) for one in self.allowed_networks.split()]
        except ValueError as error:
            raise CannotOpen(f"SOJOURN_ALLOWED_NETWORKS wants networks like 10.1.0.0/16: {error}.") from error

    @property
    def secrets(self) -> list[bytes]:
        """The secret in use first, then those that are still accepted."""
        return [secret.encode() for secret in self.secret.reveal().split()]


def _read(name: str, kind: Any, text: str) -> Any:
    if kind is bool:
        if text.lower() in ("1", "true", "yes", "on"):
            return True
        if text.lower() in ("0", "false", "no", "off", ""):
            return False
        raise CannotOpen(f"{PREFIX}{name.upper()} must be true or false, found {text!r}.")
    if kind is int:
        if not text.isdecimal():
            raise CannotOpen(f"{PREFIX}{name.upper()} must be a whole number, found {text!r}.")
        return int(text)
    return Secret(text) if kind is Secret else text
