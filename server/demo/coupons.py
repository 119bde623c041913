"""What the shop's server tells of coupons and consents, after what people did; no visit changes by it."""

from collections.abc import Iterator
from random import Random
from typing import Any

from server.clock import DAY, HOUR, MINUTE, SECOND, Instant, to_datetime

CART20 = "장바구니 20%"
"""What the coupon is called that whoever fills a cart may be given."""
_SEOUL = 9 * HOUR


def follows(seed: int, at: Instant, message: dict[str, Any]) -> Iterator[tuple[Instant, dict[str, Any]]]:
    """What happens because of this message, and when. Drawn apart, so that all the rest is as it was."""
    if "userId" not in message:
        return
    chance = Random(f"{seed}:coupons:{message['messageId']}")
    if message["type"] == "identify" and chance.random() < 0.75:
        yield _told(message, at + SECOND, "Consent Changed", _CONSENT)
    if message.get("event") == "add_to_cart" and chance.random() < 0.25:
        code = f"CART20-{message['messageId']}"
        issued_at = at + int(chance.uniform(20, 90) * MINUTE)
        last_day = to_datetime(issued_at + _SEOUL + chance.randint(2, 7) * DAY)
        coupon = {"code": code, "name": CART20, "expires_at": f"{last_day:%Y-%m-%d}"}
        yield _told(message, issued_at, "Coupon Issued", coupon)
        if chance.random() < 0.3:
            used_at = issued_at + int(chance.uniform(0.2, 4) * DAY)
            yield _told(message, used_at, "Coupon Used", {"code": code})


_CONSENT = {
    "channel": "kakao",
    "purpose": "benefit_notice",
    "granted": True,
    "source": "회원가입",
    "evidence": "혜택 알림 수신 동의 2026-01",
    "basis": "consent",
}


def _told(
    after: dict[str, Any], at: Instant, event: str, about: dict[str, Any]
) -> tuple[Instant, dict[str, Any]]:
    return at, {
        "type": "track",
        "messageId": f"{after['messageId']}-{event.replace(' ', '-').lower()}",
        "userId": after["userId"],
        "timestamp": to_datetime(at).isoformat(timespec="milliseconds"),
        "event": event,
        "properties": about,
    }
