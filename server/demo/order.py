"""The journey that writes on every channel: an order is on its way."""

from typing import Any

from .drawing import DAY, Data, chain, entry, finish, letter, placed, purchase

ORDER = "주문 안내 · Order, on every channel"
MAIL, TEXTS, WHATSAPP, ALIMTALK = "order-mail", "order-sms", "order-whatsapp", "order-alimtalk"
APP, WEBHOOK, ANDROID, IPHONE = "order-app", "order-webhook", "order-android", "order-iphone"
"""The names of its connections."""

LEAST = 40_000
"""Won, of orders that it is about."""
TEMPLATE, LANGUAGE = "order_shipped", "ko"
"""What Kakao and WhatsApp have approved."""
STEPS = {
    "in-app": "in_app",
    "push": "push",
    "alimtalk": "kakao",
    "sms": "sms",
    "whatsapp": "whatsapp",
    "mail": "email",
    "webhook": "webhook",
}
"""The steps that send, and over which channel."""

_NAME = "{{ user.name | default: '고객' }}"
_PRODUCT = "{{ event.properties.product | default: '주문하신 상품' }}"
_TEXT = f"{_NAME}님, {_PRODUCT} 발송했어요."
_LINK = "https://shop.example/orders"


def order() -> Data:
    """All at once, which no shop would do: so that they can be laid side by side."""
    return {
        "title": ORDER,
        "category": "service",
        "graph": {
            "steps": [
                _shipped("4만 원 이상 발송", LEAST),
                {"inApp": {**_sends("in-app", "앱 안 알림", 1, APP), "messageTitle": "발송 완료", **_told()}},
                # Without a connection: the device's own kind decides between the two.
                {"push": {**_sends("push", "푸시", 2), "messageTitle": "발송 완료", **_told()}},
                {"alimtalk": {**_sends("alimtalk", "알림톡", 3, ALIMTALK), **_template("이름", "상품")}},
                {"sms": {**_sends("sms", "문자", 4, TEXTS), "text": f"[샘플 상점] {_TEXT}"}},
                {
                    "whatsapp": {
                        **_sends("whatsapp", "WhatsApp", 5, WHATSAPP),
                        **_template("1", "2"),
                        "language": LANGUAGE,
                    }
                },
                {"email": {**_sends("mail", "발송 메일", 6, MAIL), **_letter()}},
                {"webhook": {**_sends("webhook", "택배사에 알림", 7, WEBHOOK), "text": _TEXT}},
                finish("done", 8),
            ],
            "edges": chain("shipped", *STEPS, "done"),
            "goals": [purchase("again", "다시 구매", 14)],
            "reentry": "NEVER",
        },
    }


def _shipped(title: str, least: int) -> Data:
    told = entry("shipped", title, "order_shipped", 0)
    told["entryEvent"]["where"] = [{"name": "total", "operator": "AT_LEAST", "value": least}]
    return told


def _sends(key: str, title: str, column: int, connection: str | None = None) -> Data:
    """Of no use three days later."""
    named = {"connection": connection} if connection else {}
    return {**placed(key, title, column), **named, "expiresAfterSeconds": 3 * DAY}


def _told() -> Data:
    return {"text": _TEXT, "url": _LINK}


def _template(*names: str) -> Data:
    values: list[dict[str, Any]] = [
        {"name": name, "value": value} for name, value in zip(names, (_NAME, _PRODUCT), strict=True)
    ]
    return {"template": TEMPLATE, "variables": values}


def _letter() -> Data:
    return {
        "subject": f"{_PRODUCT} 발송했어요",
        "html": letter(_TEXT, "/orders", "배송 조회"),
        "fromName": "샘플 상점",
        # People wait for it, however often they were written to.
        "frequencyCap": {"rule": "IGNORE"},
    }
