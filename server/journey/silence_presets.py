"""Silent hours that laws ask for, ready to be taken over into a journey. Nothing holds unless it is."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Preset(NamedTuple):
    key: str
    title: str
    why: str
    rules: tuple[Mapping[str, Any], ...]
    """As a graph holds them, under `silence`."""


PRESETS = (
    Preset(
        "korea_advertising",
        "Advertisements in Korea, 야간 광고 제한",
        "Between 21:00 and 08:00 the Network Act (정보통신망법), Article 50(3), wants a consent of its own "
        "for advertisements. Its decree leaves e-mail out. Messages that people asked for are not concerned.",
        (
            {
                "channels": ["sms", "push", "kakao", "brand_message", "whatsapp"],
                "ranges": [{"from": "21:00", "until": "08:00"}],
                "applies_to": "advertisement",
            },
        ),
    ),
)
