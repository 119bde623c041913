"""What the template itself does not say, and rules want to know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known around a template. Whatever is left out is not checked."""

    company: str = ""
    """The shop's name, as recipients know it."""
    declaration: str = ""
    """What the template is declared as: information, coupon, points, authentication. Empty: by its words."""
    issue_condition: str = ""
    """Why a coupon or points are given, as declared."""
    is_expiry_notice: bool = False
    is_first_time: bool = False
    """Whether the sender is held to the rule for first-time senders."""
    is_auth: bool = False
    """Whether it is sent as an authentication message."""
    fallback: str = ""
    """The text message that stands in for it."""
    fallback_title: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    """The longest value to be expected of a variable, or a good example, by its name."""
    bindings: Mapping[str, str] = field(default_factory=dict)
    """What fills a variable, by its name, e.g. `{{ coupon.expires_at }}`."""
    code: str = ""
    """The code that the template is to have, where the sender chooses it."""
    known_codes: Collection[str] = ()
    """Codes that other templates have."""
    known_names: Collection[str] = ()
    """Names that other templates have."""
    categories: Collection[str] = ()
    """Codes of categories that the relay knows."""
